// The box that questions are written in, with the choice of a model, and the button that sends or stops.

import { $, h, isSend } from "./dom.js";

const MODEL = "botgpt.model";

export class Composer {
  constructor({ onSend, onStop }) {
    this.form = $("#composer");
    this.field = $("#message");
    this.sendButton = $("#send");
    this.stopButton = $("#stop");
    this.models = $("#model");
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      const text = this.field.value;
      if (!text.trim() || this.isBusy) return;
      if (onSend(text) !== false) this.text = "";
    });
    this.field.addEventListener("keydown", (event) => {
      if (!isSend(event)) return;
      event.preventDefault();
      this.form.requestSubmit();
    });
    this.field.addEventListener("input", () => this.#fit());
    this.stopButton.addEventListener("click", () => {
      this.stopButton.disabled = true;
      onStop();
    });
    this.models.addEventListener("change", () => localStorage.setItem(MODEL, this.models.value));
  }

  get text() {
    return this.field.value;
  }

  set text(text) {
    this.field.value = text;
    this.#fit();
  }

  /** The model that was chosen; empty for the service's own order. */
  get model() {
    return this.models.value;
  }

  /** Offer these models, when there is a choice. */
  offer(models) {
    this.models.append(...models.map(({ id, model }) => h("option", { value: id }, model)));
    const before = localStorage.getItem(MODEL);
    if (models.some(({ id }) => id === before)) this.models.value = before;
    this.models.hidden = models.length < 2;
  }

  focus() {
    this.field.focus({ preventScroll: true });
  }

  /** A reply is being written; it can be stopped as soon as the service knows it. */
  busy(canStop) {
    this.isBusy = true;
    this.sendButton.hidden = true;
    this.stopButton.hidden = false;
    this.stopButton.disabled = !canStop;
  }

  idle() {
    const hadFocus = document.activeElement === this.stopButton || document.activeElement === document.body;
    this.isBusy = false;
    this.sendButton.hidden = false;
    this.stopButton.hidden = true;
    if (hadFocus && matchMedia("(pointer: fine)").matches) this.focus(); // on a phone the keyboard would come up
  }

  /** As high as the text, to a limit. */
  #fit() {
    this.field.style.height = "auto";
    this.field.style.height = `${this.field.scrollHeight}px`;
  }
}
