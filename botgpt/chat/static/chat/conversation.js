// The open conversation: loading it, taking turns in it, and what can be done to its messages.

import { Refused, call, get, query } from "./api.js";
import { announce } from "./dom.js";
import { failureNote } from "./failure.js";
import { note } from "./message.js";
import { closeSource } from "./source.js";
import { earlierButton } from "./thread.js";
import { asking, follow, running } from "./turn.js";

const PAGE = 50; // messages that are loaded at once
const MOST = 200;

export class Conversation {
  info = null;
  ratings = 0; // given in it
  #following = new AbortController();

  /** `page` has what is around the messages: thread, composer, earlier (an element), and what is called on changes. */
  constructor(page) {
    this.page = page;
  }

  get path() {
    return `/conversations/${this.info.id}`;
  }

  /** Leave it; a reply that is being written goes on without us. */
  leave() {
    this.#following.abort();
    this.#following = new AbortController();
    this.isRunning = false;
    this.unsent = this.info = null;
    closeSource();
    this.page.composer.idle();
    this.page.earlier.replaceChildren();
    this.page.thread.show([]);
  }

  /** A new one has got its title; empty where that is not known. */
  called(id, title) {
    if (title && this.info?.id === id) this.page.onInfo(Object.assign(this.info, { title }));
  }

  async open(id) {
    this.leave();
    const { signal } = this.#following;
    const info = await get(`/conversations/${id}${query({ messages: PAGE })}`, { signal });
    this.#show(info);
    this.page.thread.toEnd();
    await this.#joinRunning();
  }

  /** Read it again, as it is now. */
  async refresh() {
    if (!this.info || this.isRunning || this.unsent) return;
    const { signal } = this.#following;
    const { turn, ratings } = this;
    const messages = Math.min(Math.max(PAGE, this.info.messages.length), MOST);
    const info = await get(`${this.path}${query({ messages })}`, { signal });
    if (this.turn !== turn) return; // the next question was faster
    if (this.ratings !== ratings) return this.refresh(); // it may have been read before a rating
    this.#show(info);
    await this.#joinRunning();
  }

  /** Begin one with its first question. */
  start(text, fields) {
    this.leave();
    return this.#take(asking("/conversations", { first_message: text, ...fields, ...this.#model() }), text);
  }

  send(text) {
    return this.#take(asking(`${this.path}/messages`, { message: text, ...this.#model() }), text);
  }

  edit(question, text) {
    this.page.thread.cut(question.id);
    return this.#take(asking(`${this.path}/messages/${question.id}/edit`, { message: text, ...this.#model() }), text);
  }

  regenerate(reply) {
    this.page.thread.cut(reply.id);
    const turn = this.#take(asking(`${this.path}/messages/${reply.id}/regenerate`, this.#model()), null);
    this.page.thread.last.element.focus({ preventScroll: true });
    return turn;
  }

  async stop() {
    const { replyId } = this.turn;
    await call("POST", `${this.path}/messages/${replyId}/cancel`).catch((error) => this.page.tell(error));
  }

  async switchTo(messageId) {
    if (this.isRunning) return;
    const info = await call("PUT", `${this.path}/active`, { body: { message_id: messageId } });
    this.#show({ ...info, messages: info.messages.slice(-MOST) });
    this.page.thread.view(messageId)?.element.focus({ preventScroll: true });
    announce("Another version is shown.");
  }

  async rate(message, feedback) {
    const answer = await call("PATCH", `${this.path}/messages/${message.id}`, { body: { feedback } });
    this.ratings += 1;
    this.page.thread.view(message.id)?.update(answer);
  }

  /** Change the title or the documents. */
  async change(fields) {
    this.info = { ...this.info, ...(await call("PATCH", this.path, { body: fields })) };
    this.page.onInfo(this.info);
  }

  #model() {
    const model = this.page.composer.model;
    return model ? { model } : {};
  }

  #show(info) {
    this.info = info;
    this.page.thread.show(info.messages);
    const hasEarlier = info.messages.length > 0 && info.messages[0].parent_id !== null;
    this.page.earlier.replaceChildren(...(hasEarlier ? [earlierButton(() => this.#earlier())] : []));
    this.page.onInfo(info);
  }

  async #earlier() {
    const before = this.info.messages[0].id;
    const { messages } = await get(`${this.path}/messages${query({ limit: PAGE, before })}`);
    const height = document.documentElement.scrollHeight;
    this.#show({ ...this.info, messages: [...messages, ...this.info.messages] });
    scrollBy({ top: document.documentElement.scrollHeight - height, behavior: "instant" });
    this.page.thread.view(before)?.element.focus({ preventScroll: true });
  }

  /** A reply that was running when the page was loaded, or that another window asked for. */
  async #joinRunning() {
    const last = this.info.messages.at(-1);
    if (last?.status !== "in_progress") return;
    await this.#follow(running(last), this.page.thread.last);
  }

  #take(turn, text) {
    const { thread, tell } = this.page;
    tell(null);
    const question = text === null ? null : thread.add({ role: "user", content: text, status: "complete" });
    const reply = thread.add({ role: "assistant", content: "", status: "in_progress" });
    thread.toEnd();
    this.unsent = turn;
    return this.#follow(turn, reply, question);
  }

  async #follow(turn, reply, question = null) {
    const { signal } = this.#following;
    this.turn = turn;
    this.isRunning = true;
    this.page.composer.busy(Boolean(turn.replyId));
    announce("BOT GPT is answering.");
    try {
      await follow(turn, {
        signal,
        onEvent: (name, data) => this.#heard(name, data, { turn, reply, question }),
        onSilence: (isSilent) => this.#silent(isSilent, reply),
      });
      this.#ended();
      await this.refresh();
    } catch (error) {
      if (signal.aborted) return;
      this.#ended();
      if (error.status === 401 && question) this.page.composer.text = question.message.content; // for after the login
      if (error.code === "turn_in_progress") await this.#isTaken(error, question);
      else this.#failed(error, { turn, reply, question });
    } finally {
      if (!signal.aborted) this.page.onTurn();
    }
  }

  #ended() {
    this.isRunning = false;
    this.page.composer.idle();
  }

  #heard(name, data, { turn, reply, question }) {
    switch (name) {
      case "message.created":
        turn.text = "";
        this.unsent = null;
        question?.update({ ...question.message, id: data.user_message_id });
        reply.update({ ...reply.message, id: data.assistant_message_id, conversation_id: data.conversation_id });
        this.page.composer.busy(true);
        if (!this.info) this.#begun(data.conversation_id, turn.body.document_ids ?? null);
        break;
      case "message.delta":
        turn.text = (turn.text ?? "") + data.text;
        reply.write(turn.text);
        break;
      case "message.restarted":
        turn.text = "";
        reply.write("");
        reply.say(note("plain", "Beginning anew", "The model broke off, and another one answers."));
        break;
      case "message.completed":
      case "message.failed":
      case "message.cancelled":
        if (!data.message) throw new Refused(404, data, null);
        reply.update(data.message);
        announce(reply.spoken);
    }
  }

  #begun(id, documentIds) {
    this.info = { id, title: "", messages: [], document_ids: documentIds };
    this.page.onBegun(id);
  }

  #silent(isSilent, reply) {
    if (isSilent === this.isSilent) return;
    this.isSilent = isSilent;
    reply.say(...(isSilent ? [note("plain", "Connection lost", "Trying again. The answer goes on meanwhile.")] : []));
    if (isSilent) announce("Connection lost, trying again.");
  }

  /** Somebody else's turn is running: show that one, and give the question back. */
  async #isTaken(error, question) {
    if (question) this.page.composer.text = question.message.content;
    this.page.tell(error);
    await this.open(this.info.id);
  }

  #failed(error, { turn, reply, question }) {
    this.isSilent = false;
    reply.body.classList.remove("is-waiting");
    if (!turn.text) reply.body.replaceChildren();
    const again = { label: "Try again", act: () => this.#again(turn, reply, question) };
    const back = { label: question ? "Change the question" : "Leave it", act: () => this.#back(question) };
    reply.say(failureNote(error, { again, back: turn.replyId ? null : back }));
  }

  #again(turn, reply, question) {
    reply.say();
    reply.write(turn.text ?? "");
    this.page.composer.focus();
    return this.#follow(turn, reply, question);
  }

  /** Take back what was not stored. */
  async #back(question) {
    if (question) this.page.composer.text = question.message.content;
    this.page.composer.focus();
    this.unsent = null;
    if (this.info) await this.refresh();
    else this.page.onLeft();
  }
}
