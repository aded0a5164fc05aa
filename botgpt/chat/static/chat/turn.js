// One turn, from the question to the end of its reply, over as many connections as that takes.

import { Refused, Unreachable, idempotencyKey, query, send } from "./api.js";
import { events } from "./events.js";

const ENDS = new Set(["message.completed", "message.failed", "message.cancelled"]);
const WAITS = [0.5, 1, 2, 4, 8, 8, 8, 8]; // seconds between attempts

/** What asks for a reply. Its key makes it the same turn however often it is sent. */
export function asking(path, body) {
  return { path, body: { ...body, stream: true }, key: idempotencyKey() };
}

/** A reply that is running already. */
export function running(message) {
  return { conversationId: message.conversation_id, replyId: message.id };
}

/**
 * Ask, or read on, until the reply has ended.
 *
 * `turn` keeps what is known of it (`conversationId`, `questionId`, `replyId`, `position`), so that the same turn can
 * be followed again later. `onEvent(name, data)` gets each event, `onSilence(isSilent)` whether the connection is lost.
 * Throws Refused, Unreachable when it has tried long enough, or the AbortError of `signal`.
 */
export async function follow(turn, { signal, onEvent, onSilence }) {
  for (let attempt = 0; ; attempt += 1) {
    try {
      for await (const event of events(await connected(turn, signal))) {
        attempt = 0;
        onSilence(false);
        turn.position = event.id;
        if (event.name === "message.created") know(turn, event.data);
        onEvent(event.name, event.data);
        if (ENDS.has(event.name)) return;
      }
    } catch (error) {
      if (signal.aborted || !mayPass(error, turn)) throw error;
    }
    signal.throwIfAborted();
    if (attempt >= WAITS.length) throw new Unreachable("The connection was lost.");
    onSilence(true);
    await pause(WAITS[attempt], signal);
  }
}

/** The reply is read on where it was left; a question that may not have arrived is sent again. */
function connected(turn, signal) {
  if (!turn.replyId) return send("POST", turn.path, { body: turn.body, key: turn.key, events: true, signal });
  const place = query({ starting_after: turn.position });
  const path = `/conversations/${turn.conversationId}/messages/${turn.replyId}/events${place}`;
  return send("GET", path, { events: true, signal });
}

function know(turn, data) {
  turn.conversationId = data.conversation_id;
  turn.questionId = data.user_message_id;
  turn.replyId = data.assistant_message_id;
}

/** Whether it is worth trying again without asking anybody. */
function mayPass(error, turn) {
  if (error instanceof Refused) return Boolean(turn.replyId) && [429, 503].includes(error.status);
  return error instanceof Unreachable;
}

/** Seconds pass, or the network comes back. */
function pause(seconds, signal) {
  return new Promise((resolve, reject) => {
    const done = () => {
      clearTimeout(timer);
      removeEventListener("online", done);
      signal.removeEventListener("abort", done);
      signal.aborted ? reject(signal.reason) : resolve();
    };
    const timer = setTimeout(done, seconds * 1000);
    addEventListener("online", done);
    signal.addEventListener("abort", done);
  });
}
