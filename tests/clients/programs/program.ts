// A program with the generated TypeScript types: a document, a conversation from its start to its end, and pages.
import createClient from "openapi-fetch";
import type { components, paths } from "./botgpt.js";

type Event = components["schemas"]["Event"];

const TEXT = "The shop opens at nine and closes at six.";
const [url = "", key = ""] = process.argv.slice(2);
const headers = { Authorization: `Bearer ${key}` };
const client = createClient<paths>({ baseUrl: url, headers });

// No stream was asked for, so the answer is a whole one.
function given<T>(answer: { data?: T; error?: components["schemas"]["Error"] }): Exclude<T, Event> {
  if (answer.data === undefined) throw new Error(answer.error?.detail ?? "no answer");
  return answer.data as Exclude<T, Event>;
}

function check(isTrue: boolean, what: string): void {
  if (!isTrue) throw new Error(what);
}

function* eventsOf(stream: string): Generator<Event> {
  for (const block of stream.split("\n\n").filter((text) => text.startsWith("event: "))) {
    const fields = block.split("\n").map((line) => [line.slice(0, line.indexOf(": ")), line.slice(line.indexOf(": ") + 2)]);
    const event = Object.fromEntries(fields);
    yield { ...event, data: JSON.parse(event.data) } as Event;
  }
}

const document = given(
  await client.POST("/api/v1/documents", {
    body: { file: new File([TEXT], "hours.txt") },
    bodySerializer: (body) => {
      const form = new FormData();
      if ("file" in body) form.append("file", body.file);
      return form;
    },
  }),
);
check(document.status === "ready", document.error ?? "not ready");

const started = given(
  await client.POST("/api/v1/conversations", {
    params: { header: { "Idempotency-Key": `typescript-${document.id}` } },
    body: { first_message: "When does the shop open?", mode: "rag", document_ids: [document.id] },
  }),
);
const [question, reply] = started.messages;
check(reply?.parent_id === question?.id, "the reply belongs to the question");
check(reply?.citations[0]?.quote === TEXT, "the reply has its citation");

const path = { id: started.id };
const turn = given(
  await client.POST("/api/v1/conversations/{id}/messages", { params: { path }, body: { message: "And closes?" } }),
);
const read = given(await client.GET("/api/v1/conversations/{id}", { params: { path } }));
check(read.messages.at(-1)?.id === turn.assistant_message.id, "the turn is in the conversation");

const streamed = await fetch(`${url}/api/v1/conversations/${started.id}/messages`, {
  method: "POST",
  headers: { ...headers, "Content-Type": "application/json", Accept: "text/event-stream" },
  body: JSON.stringify({ message: "And on Sundays?" }),
});
let text = "";
for (const event of eventsOf(await streamed.text())) {
  switch (event.event) {
    case "message.delta":
      check(event.data.offset === text.length, "deltas join");
      text += event.data.text;
      break;
    case "message.restarted":
      text = "";
      break;
    case "message.completed":
      check(event.data.message?.content === text, "the deltas are the reply");
      break;
  }
}
check(text !== "", "a reply was streamed");

let seen = 0;
for (let page = 1, total = 1; seen < total; page++) {
  const answer = given(await client.GET("/api/v1/conversations", { params: { query: { page, page_size: 2 } } }));
  check(answer.conversations.length > 0, "no page is empty");
  seen += answer.conversations.length;
  total = answer.total;
}

await client.DELETE("/api/v1/conversations/{id}", { params: { path } });
await client.DELETE("/api/v1/documents/{id}", { params: { path: { id: document.id } } });
const gone = await client.GET("/api/v1/conversations/{id}", { params: { path } });
check(gone.error?.code === "not_found", "it is gone");
