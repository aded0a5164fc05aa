// The page without a conversation: what it will be about, and something to begin with.

import { $, h } from "./dom.js";
import { Picker } from "./picker.js";

const CHOSEN_AT_FIRST = 10;
const SUGGESTIONS = 4;

export class Start {
  constructor(onSuggestion) {
    this.element = $("#start");
    this.modes = [...this.element.querySelectorAll("[name=mode]")];
    this.picker = new Picker($("#start-documents"), () => this.#suggest());
    this.onSuggestion = onSuggestion;
    for (const mode of this.modes) mode.addEventListener("change", () => this.#draw());
  }

  get mode() {
    return this.modes.find((mode) => mode.checked).value;
  }

  /** Show it; with documents to answer from, that is what is offered. */
  async show() {
    this.element.hidden = false;
    await this.picker.load();
    if (this.isKnown) return;
    this.isKnown = true;
    const ready = this.picker.documents.filter(({ status }) => status === "ready");
    this.picker.isSuggested = true;
    this.picker.choose(ready.slice(0, CHOSEN_AT_FIRST).map(({ id }) => id));
    this.choose(ready.length ? "rag" : "open");
  }

  hide() {
    this.element.hidden = true;
  }

  choose(mode) {
    for (const each of this.modes) each.checked = each.value === mode;
    this.#draw();
  }

  upload(files) {
    this.choose("rag");
    return this.picker.upload(files);
  }

  /** How a conversation begins from here; null when a choice is missing, which is then said. */
  fields() {
    const ids = [...this.picker.chosen];
    $("#start-missing").hidden = this.mode === "open" || ids.length > 0;
    if (this.mode === "open") return { mode: "open" };
    return ids.length ? { mode: "rag", document_ids: ids } : null;
  }

  #draw() {
    $("#start-documents").hidden = this.mode === "open";
    $("#start-missing").hidden = true;
    this.#suggest();
  }

  /** Questions that the chosen documents bring along in their metadata, from each document in turn. */
  #suggest() {
    const chosen = this.picker.documents.filter(({ id }) => this.picker.chosen.has(id));
    const lists = chosen.map(({ metadata }) => (Array.isArray(metadata.questions) ? metadata.questions : []));
    const inTurn = Array.from({ length: SUGGESTIONS }, (_, place) => lists.map((list) => list[place])).flat();
    const questions = inTurn.filter((question) => typeof question === "string").slice(0, SUGGESTIONS);
    const button = (question) =>
      h("li", {}, h("button", { type: "button", onclick: () => this.onSuggestion(question) }, question));
    $("#suggestions").hidden = this.mode === "open" || !questions.length;
    $("#suggestions ul").replaceChildren(...questions.map(button));
  }
}
