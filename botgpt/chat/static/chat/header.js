// The line above the messages: the title, the documents, and what can be done with the conversation.

import { address, call } from "./api.js";
import { $, ask } from "./dom.js";
import { Picker } from "./picker.js";
import { count } from "./words.js";

export class Header {
  constructor({ conversation, onDeleted, tell }) {
    this.conversation = conversation;
    this.tell = tell;
    this.onDeleted = onDeleted;
    this.menu = $("#actions");
    this.picker = new Picker($("#documents-picker"), () => ($("#documents-save").disabled = !this.picker.chosen.size));
    $("#documents").addEventListener("click", () => this.chooseDocuments());
    $("#rename").addEventListener("click", () => this.#rename());
    $("#delete").addEventListener("click", () => this.#delete());
    this.menu.addEventListener("click", (event) => event.target.closest("a, button") && this.#close());
    this.menu.addEventListener("keydown", (event) => event.key === "Escape" && this.#close());
    document.addEventListener("click", (event) => this.menu.contains(event.target) || (this.menu.open = false));
  }

  /** Show what is known of a conversation, or of none. */
  show(info) {
    const title = info?.title || "New conversation";
    $("#title").textContent = title;
    document.title = info ? `${title} | BOT GPT` : "BOT GPT";
    this.menu.hidden = !info;
    $("#documents").hidden = !info?.document_ids;
    if (info?.document_ids) $("#documents-count").textContent = count(info.document_ids.length, "document");
    if (!info) return;
    $("#export-markdown").href = address(`/conversations/${info.id}/export?as=markdown`);
    $("#export-json").href = address(`/conversations/${info.id}/export?as=json`);
  }

  /** Choose what the conversation answers from, perhaps with files that are to be uploaded first. */
  async chooseDocuments(files = []) {
    this.picker.chosen = new Set(this.conversation.info.document_ids);
    const answer = ask($("#documents-dialog"));
    await this.picker.load();
    this.picker.upload(files);
    if ((await answer) === "save") await this.#change({ document_ids: [...this.picker.chosen] });
  }

  async #rename() {
    const field = $("#new-title");
    field.value = this.conversation.info.title;
    if ((await ask($("#rename-dialog"))) === "save" && field.value.trim())
      await this.#change({ title: field.value.trim() });
  }

  async #delete() {
    if ((await ask($("#delete-dialog"))) !== "delete") return;
    const { path } = this.conversation;
    try {
      await call("DELETE", path);
      this.onDeleted();
    } catch (error) {
      this.tell(error);
    }
  }

  async #change(fields) {
    try {
      await this.conversation.change(fields);
    } catch (error) {
      this.tell(error);
    }
  }

  #close() {
    this.menu.open = false;
    if (this.menu.contains(document.activeElement)) this.menu.querySelector("summary").focus();
  }
}
