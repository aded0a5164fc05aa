// Citations as footnotes: the marks in a text, numbered anew from 1, and the list of what they lead to.

import { h } from "./dom.js";

/** The notes of a reply: `numbers[i]` is the number of the i-th mark; null when nothing is cited. */
export function footnotes(citations, openSource) {
  if (!citations.length) return null;
  const notes = new Map();
  const numbers = citations.map((citation) => {
    const place = [citation.document_id, citation.quote_start, citation.quote_end].join();
    if (!notes.has(place)) notes.set(place, { number: notes.size + 1, citation });
    return notes.get(place).number;
  });
  const all = [...notes.values()];
  const list = h(
    "ol",
    { class: "sources", "aria-label": "Sources" },
    all.map((each) => item(each, openSource)),
  );
  return {
    numbers,
    list,
    open: (number) => openSource(all[number - 1].citation),
    name: (number) => name(all[number - 1].citation),
  };
}

/** Make the marks of a text lead to their sources; where they do not fit the citations, they stay as they are. */
export function linkMarks(body, sources) {
  const marks = [...body.querySelectorAll("sup.mark")];
  if (marks.length !== sources?.numbers.length) return;
  marks.forEach((mark, place) => {
    const number = sources.numbers[place];
    const label = `Source ${number}: ${sources.name(number)}`;
    mark.replaceChildren(
      h(
        "button",
        { type: "button", "aria-label": label, title: label, onclick: () => sources.open(number) },
        String(number),
      ),
    );
  });
}

/** The file, and the page in it. */
export const name = ({ filename, page }) => (page == null ? filename : `${filename}, page ${page}`);

function item({ number, citation }, openSource) {
  const quote = h("q", {}, citation.quote.replace(/\s+/g, " "));
  const open = h(
    "button",
    { type: "button", onclick: () => openSource(citation) },
    h("span", { class: "source" }, name(citation)),
    quote,
  );
  return h("li", { value: number }, open);
}
