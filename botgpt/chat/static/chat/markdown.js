// Markdown to elements: no HTML of the model's, no image, no style, and marks that lead to their source.

import DOMPurify from "../vendor/dompurify/purify.es.js";
import { Marked } from "../vendor/marked/marked.esm.js";
import { h } from "./dom.js";

const ALLOWED = {
  ALLOWED_TAGS: [
    ...["p", "br", "hr", "em", "strong", "del", "code", "pre", "blockquote", "ul", "ol", "li", "a", "sup"],
    ...["h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td"],
  ],
  ALLOWED_ATTR: ["href", "class", "start"],
  ALLOWED_URI_REGEXP: /^(?:https?|mailto):/i,
  RETURN_DOM_FRAGMENT: true,
};

const escaped = (text) => text.replace(/[&<>"]/g, (each) => `&#${each.charCodeAt(0)};`);

const renderer = {
  html: ({ text }) => escaped(text), // what looks like a tag was meant to be read
  image: ({ text }) => escaped(text),
  heading({ tokens, depth }) {
    const level = Math.min(depth + 2, 6); // the page and the message have the first two
    return `<h${level}>${this.parser.parseInline(tokens)}</h${level}>`;
  },
};

const mark = {
  name: "mark",
  level: "inline",
  start: (text) => text.match(/\[\d{1,3}\]/)?.index,
  tokenizer(text) {
    const match = /^\[(\d{1,3})\]/.exec(text);
    return match ? { type: "mark", raw: match[0], number: match[1] } : undefined;
  },
  renderer: ({ number }) => `<sup class="mark">${number}</sup>`,
};

const plain = new Marked({ gfm: true, breaks: true, renderer });
const cited = new Marked({
  gfm: true,
  breaks: true,
  renderer,
  extensions: [mark],
  tokenizer: { def: () => undefined },
});

/** A fragment of safe elements. With `marks`, each `[1]` outside code is a `sup.mark`, in the order of the text. */
export function rendered(text, { marks }) {
  const html = (marks ? cited : plain).parse(text);
  const fragment = DOMPurify.sanitize(html, ALLOWED);
  for (const link of fragment.querySelectorAll("a")) {
    link.target = "_blank";
    link.rel = "noopener noreferrer nofollow";
  }
  fragment.querySelectorAll("sup.mark").forEach(keepAtItsWord);
  for (const table of fragment.querySelectorAll("table")) {
    const frame = h("div", { class: "scroll", role: "group", "aria-label": "Table", tabindex: 0 });
    table.replaceWith(frame);
    frame.append(table);
  }
  for (const block of fragment.querySelectorAll("pre")) withCopyButton(block);
  return fragment;
}

/** A footnote follows its word without a gap, and does not begin a line. */
function keepAtItsWord(mark) {
  const { previousSibling: before } = mark;
  if (before?.nodeType !== Node.TEXT_NODE) return;
  before.data = before.data.trimEnd();
  const word = before.data.match(/\S{1,24}$/)?.[0] ?? "";
  before.data = before.data.slice(0, before.data.length - word.length);
  const together = h("span", { class: "together" }, word);
  mark.replaceWith(together);
  together.append(mark);
}

function withCopyButton(block) {
  block.tabIndex = 0; // it scrolls sideways
  const frame = h("div", { class: "code" });
  block.replaceWith(frame);
  frame.append(
    copyButton("Copy code", () => block.textContent),
    block,
  );
}

/** A button that copies a text and says that it did. */
export function copyButton(label, text) {
  const button = h("button", { type: "button", class: "copy", onclick: copy }, label);
  async function copy() {
    try {
      await navigator.clipboard.writeText(text());
      button.textContent = "Copied";
    } catch {
      button.textContent = "Not allowed";
    }
    setTimeout(() => (button.textContent = label), 2000);
  }
  return button;
}
