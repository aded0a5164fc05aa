// The passage that a citation rests on, in its document: beside the conversation, or over it on a small screen.

import { address, get, query } from "./api.js";
import { $, h } from "./dom.js";
import { name } from "./footnotes.js";
import { note } from "./message.js";
import { inWords } from "./words.js";

const AROUND = 1_200; // characters before and behind the quote
const wide = matchMedia("(min-width: 75rem)");
const dialog = $("#source");
const body = $("#source-text");
let opener = null;

$("#source-close").addEventListener("click", () => dialog.close());
dialog.addEventListener("close", () => {
  if (dialog.open) return; // it was only moved
  document.body.classList.remove("has-source");
  if (opener?.isConnected) opener.focus();
});
dialog.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !dialog.matches(":modal")) dialog.close();
});
wide.addEventListener("change", () => {
  if (!dialog.open) return;
  dialog.close();
  place();
});

/** Close it, as when another conversation is opened. */
export function closeSource() {
  opener = null;
  dialog.close();
}

/** Show where a citation comes from. */
export async function openSource(citation) {
  opener = dialog.contains(document.activeElement) ? opener : document.activeElement;
  $("#source-title").textContent = name(citation);
  $("#source-file").href = address(`/documents/${citation.document_id}/file`);
  body.replaceChildren(h("p", { class: "quiet" }, "Loading …"));
  if (!dialog.open) place();
  $("#source-title").focus();
  const window = { start: Math.max(0, citation.quote_start - AROUND), end: citation.quote_end + AROUND };
  try {
    show(citation, await get(`/documents/${citation.document_id}/text${query(window)}`));
  } catch (error) {
    const { title, detail } = inWords(error);
    const gone = error.status === 404 ? "The document was deleted. This was quoted from it:" : detail;
    body.replaceChildren(note("plain", title, gone), h("blockquote", {}, citation.quote));
  }
}

/** Beside the messages where there is room, else over them. */
function place() {
  document.body.classList.toggle("has-source", wide.matches);
  wide.matches ? dialog.show() : dialog.showModal();
}

function show(citation, { text, start, end, char_count: length }) {
  const characters = [...text]; // offsets count characters, not JavaScript's units
  const part = (from, to) => characters.slice(Math.max(0, from - start), Math.max(0, to - start)).join("");
  const quote = part(citation.quote_start, citation.quote_end);
  if (quote !== citation.quote) {
    const changed = note("plain", "The document has changed", "This is what it said when it was quoted:");
    body.replaceChildren(changed, h("blockquote", {}, citation.quote));
    return;
  }
  const mark = h("mark", {}, quote);
  const before = part(start, citation.quote_start);
  const behind = part(citation.quote_end, end);
  body.replaceChildren(h("p", { class: "passage" }, start > 0 && "… ", before, mark, behind, end < length && " …"));
  body.scrollTop = mark.offsetTop - body.clientHeight / 3;
}
