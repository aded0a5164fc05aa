// Server-sent events of an answer to fetch, one by one, as the standard has them.

import { Unreachable } from "./api.js";

/** Yields `{id, name, data}`; ends with the answer, whether that was whole or not. */
export async function* events(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  try {
    for (;;) {
      const { value, done } = await reader.read().catch(broken);
      if (done) return;
      const blocks = (rest + value).split("\n\n");
      rest = blocks.pop();
      for (const block of blocks) {
        const event = parsed(block);
        if (event) yield event;
      }
    }
  } finally {
    reader.cancel().catch(() => {}); // whoever stops reading also lets the connection go
  }
}

/** A connection that breaks says so in different words in each browser. */
function broken(error) {
  throw error.name === "AbortError" ? error : new Unreachable("The connection broke.");
}

function parsed(block) {
  const fields = {};
  for (const line of block.split("\n")) {
    const colon = line.indexOf(": ");
    if (colon > 0) fields[line.slice(0, colon)] = line.slice(colon + 2);
  }
  return fields.event ? { id: fields.id, name: fields.event, data: JSON.parse(fields.data) } : null;
}
