// Choosing documents: the list with a search, and a place to drop new ones.

import { get, query } from "./api.js";
import { announce, h, icon, settled } from "./dom.js";
import { upload } from "./uploads.js";
import { count, inWords } from "./words.js";

const PAGE = 50;

export class Picker {
  chosen = new Set();
  isSuggested = false; // nobody has chosen yet: a first upload is what is meant
  documents = [];

  /** `element` of the page is filled; `onChange` is called when something else is chosen. */
  constructor(element, onChange) {
    this.onChange = onChange;
    this.search = h("input", {
      type: "search",
      placeholder: "Search documents",
      "aria-label": "Search documents",
      oninput: settled(() => this.load()),
    });
    this.list = h("ul", { class: "documents", "aria-label": "Documents" });
    this.uploads = h("ul", { class: "uploads", "aria-label": "Uploads" });
    this.sum = h("span", { class: "quiet" });
    const files = h("input", {
      type: "file",
      multiple: true,
      class: "unseen",
      "aria-label": "Upload files",
      onchange: () => this.upload(files.files),
    });
    const label = h("label", { class: "button" }, icon("upload"), "Upload files", files);
    element.append(h("div", { class: "picker-head" }, this.search, label), this.uploads, this.list, this.sum);
  }

  /** The newest documents, or those that a search finds. */
  async load() {
    const search = this.search.value.trim();
    try {
      const answer = await get(`/documents${query({ page_size: PAGE, search })}`);
      if (search !== this.search.value.trim()) return;
      this.documents = answer.documents;
      this.total = answer.total;
    } catch (error) {
      this.documents = [];
      this.total = 0;
      const { title, detail } = inWords(error);
      this.list.replaceChildren(h("li", { class: "quiet" }, `${title}. ${detail}`));
      return;
    }
    this.draw();
  }

  choose(ids) {
    this.chosen = new Set(ids);
    this.draw();
  }

  async upload(files) {
    await Promise.all([...files].map((file) => this.#uploadOne(file)));
  }

  async #uploadOne(file) {
    const bar = h("progress", { max: 1, value: 0, "aria-label": `Progress of ${file.name}` });
    const what = h("span", { class: "quiet" }, "Uploading");
    const line = h("li", {}, h("span", { class: "file" }, file.name), bar, what);
    this.uploads.append(line);
    try {
      const document = await upload(file, (share, doing) => {
        bar.value = share;
        what.textContent = `${doing} ${Math.round(share * 100)} %`;
      });
      line.remove();
      announce(`${file.name} is ready.`);
      if (this.isSuggested) this.chosen.clear();
      this.isSuggested = false;
      this.chosen.add(document.id);
      await this.load();
    } catch (error) {
      bar.remove();
      const { title, detail } =
        error.constructor === Error ? { title: "It cannot be read", detail: error.message } : inWords(error);
      what.textContent = `${title}. ${detail}`;
      what.setAttribute("role", "alert");
      const again = h("button", { type: "button", onclick: () => (line.remove(), this.#uploadOne(file)) }, "Try again");
      const leave = h("button", { type: "button", onclick: () => line.remove() }, "Dismiss");
      line.append(h("span", { class: "buttons" }, again, leave));
    }
  }

  draw() {
    const lines = this.documents.map((document) => this.#line(document));
    const nothing = this.search.value ? "No document is called so." : "No document yet. Upload one, or drop it here.";
    this.list.replaceChildren(...(lines.length ? lines : [h("li", { class: "quiet" }, nothing)]));
    this.#tell();
  }

  #tell() {
    const beyond =
      this.total > this.documents.length ? `, ${this.total.toLocaleString()} in all: search to see others` : "";
    this.sum.textContent = `${count(this.chosen.size, "document")} chosen${beyond}`;
    this.onChange?.();
  }

  #line({ id, filename, status, error, page_count: pages }) {
    const isReady = status === "ready";
    const box = h("input", {
      type: "checkbox",
      value: id,
      disabled: !isReady,
      onchange: () => this.#toggle(id, box.checked),
    });
    box.checked = this.chosen.has(id);
    const more = isReady ? pages && count(pages, "page") : error || status;
    return h(
      "li",
      {},
      h("label", {}, box, h("span", { class: "file" }, filename), more && h("span", { class: "quiet" }, more)),
    );
  }

  #toggle(id, isChosen) {
    this.isSuggested = false;
    if (isChosen) this.chosen.add(id);
    else this.chosen.delete(id);
    this.#tell();
  }
}

/** Files that are dropped anywhere on the page. */
export function onDrop(take) {
  const holdsFiles = (event) => event.dataTransfer?.types.includes("Files");
  const isOver = (value) => document.body.classList.toggle("has-files-over", value);
  addEventListener("dragover", (event) => {
    if (!holdsFiles(event)) return;
    event.preventDefault();
    isOver(true);
  });
  addEventListener("dragleave", (event) => event.relatedTarget || isOver(false));
  addEventListener("drop", (event) => {
    if (!holdsFiles(event)) return;
    event.preventDefault();
    isOver(false);
    take(event.dataTransfer.files);
  });
}
