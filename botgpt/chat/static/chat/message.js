// A question or a reply on the page. A view is made once and updated; what has not changed stays untouched.

import { h, icon, iconButton, isSend } from "./dom.js";
import { copyButton, rendered } from "./markdown.js";
import { footnotes, linkMarks } from "./footnotes.js";

/** The view of a message; `does` has what its buttons do: edit, regenerate, switchTo, rate, openSource. */
export function viewOf(message, does) {
  return message.role === "user" ? new Question(message, does) : new Reply(message, does);
}

class View {
  constructor(message, does, name) {
    this.does = does;
    this.body = h("div", { class: "body" });
    this.foot = h("div", { class: "foot" });
    const title = h("h2", { class: "unseen" }, name);
    this.element = h("article", { class: `message ${message.role}`, tabindex: -1 }, title, this.body, this.foot);
    this.update(message);
  }

  update(message) {
    const signature = JSON.stringify(message);
    if (signature === this.signature) return;
    this.signature = signature;
    this.message = message;
    this.element.id = message.id ? `message-${message.id}` : "";
    const focused = this.element.contains(document.activeElement) && document.activeElement.getAttribute("aria-label");
    this.draw();
    if (focused) this.element.querySelector(`[aria-label="${CSS.escape(focused)}"]`)?.focus();
  }

  /** Which of its branches a message is, and the way to the others. */
  branches() {
    const ids = this.message.sibling_ids ?? [];
    if (ids.length < 2) return null;
    const place = ids.indexOf(this.message.id);
    const to = (step, label, name) =>
      iconButton(name, label, () => this.does.switchTo(ids[place + step]), { disabled: !ids[place + step] });
    const where = h("span", {}, `${place + 1} / ${ids.length}`);
    return h(
      "span",
      { class: "branches", role: "group", "aria-label": "Versions" },
      to(-1, "Earlier version", "left"),
      where,
      to(1, "Later version", "right"),
    );
  }
}

class Question extends View {
  constructor(message, does) {
    super(message, does, "You");
  }

  draw() {
    const { content, id } = this.message;
    this.body.replaceChildren(content);
    this.foot.replaceChildren();
    if (!id) return;
    const edit = iconButton("edit", "Edit this question", () => this.edit());
    this.foot.append(...[this.branches(), edit].filter(Boolean));
  }

  edit() {
    const field = h("textarea", { "aria-label": "Your question, edited", rows: 3 });
    field.value = this.message.content;
    const done = () => {
      this.element.classList.remove("is-edited");
      this.draw();
    };
    const leave = () => {
      done();
      this.foot.querySelector("[aria-label^=Edit]").focus();
    };
    const submit = (event) => {
      event?.preventDefault();
      if (!field.value.trim()) return;
      done();
      this.does.edit(this.message, field.value);
    };
    field.addEventListener("keydown", (event) => {
      if (event.key === "Escape") leave();
      else if (isSend(event)) submit(event);
    });
    const buttons = h(
      "div",
      { class: "buttons" },
      h("button", { type: "button", onclick: leave }, "Cancel"),
      h("button", { type: "submit", class: "primary" }, "Ask again"),
    );
    this.element.classList.add("is-edited");
    this.body.replaceChildren(h("form", { onsubmit: submit }, field, buttons));
    this.foot.replaceChildren();
    field.focus();
  }
}

class Reply extends View {
  constructor(message, does) {
    super(message, does, "BOT GPT");
  }

  draw() {
    const { content, status, citations } = this.message;
    this.element.setAttribute("aria-busy", status === "in_progress");
    if (status === "in_progress") {
      this.write(content);
      return;
    }
    cancelAnimationFrame(this.frame);
    this.body.classList.remove("is-waiting");
    this.body.replaceChildren(status === "failed" ? "" : rendered(content, { marks: this.isGrounded }));
    const sources = footnotes(citations, this.does.openSource);
    if (this.isGrounded) linkMarks(this.body, sources);
    this.foot.replaceChildren(...[...this.notes(), sources?.list, this.actions()].filter(Boolean));
  }

  get isGrounded() {
    return this.message.grounded !== null || this.message.citations.length > 0;
  }

  /** Show a text that is still being written. */
  write(text) {
    this.text = text;
    this.body.classList.toggle("is-waiting", !text);
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => {
      this.body.replaceChildren(text ? rendered(text, { marks: true }) : "Thinking …");
      this.onGrowth?.();
    });
  }

  /** What a screen reader says of it in the end: the text without its marks. */
  get spoken() {
    if (this.message.status === "cancelled") return "Stopped.";
    if (this.message.status !== "complete") return "No answer.";
    const text = this.body.cloneNode(true);
    for (const mark of text.querySelectorAll("sup, button")) mark.remove();
    return `BOT GPT: ${text.textContent}`;
  }

  /** Say something in the place below the text: that a connection is lost, or what went wrong. */
  say(...children) {
    this.foot.replaceChildren(...children);
  }

  notes() {
    const { status, error, content, grounded, cached } = this.message;
    const notes = [];
    if (status === "failed") notes.push(note("error", "No answer", content, h("p", { class: "why" }, error)));
    if (status === "incomplete")
      notes.push(note("error", "Broken off", "The service was interrupted. Ask again for a whole answer."));
    if (status === "cancelled") notes.push(note("plain", "Stopped", ""));
    if (grounded === false)
      notes.push(note("plain", "Nothing found", "The documents say nothing relevant to this question."));
    if (cached) notes.push(note("plain", "From before", "The same question was answered like this already."));
    return notes;
  }

  actions() {
    const { id, status, feedback, content, model_used: model, tokens_used: tokens } = this.message;
    const rate = (name, value, label) =>
      iconButton(name, label, () => this.does.rate(this.message, feedback === value ? null : value), {
        "aria-pressed": String(feedback === value),
      });
    const isAnswer = status !== "failed";
    const used = [model, tokens ? `${tokens.toLocaleString()} tokens` : null].filter(Boolean).join(", ");
    return h(
      "div",
      { class: "actions", role: "group", "aria-label": "This answer" },
      this.branches(),
      isAnswer && copyButton("Copy", () => content),
      isAnswer && rate("up", "up", "Good answer"),
      isAnswer && rate("down", "down", "Bad answer"),
      id && iconButton("again", "Answer again", () => this.does.regenerate(this.message)),
      used && h("span", { class: "used" }, used),
    );
  }
}

/** A remark; an error is said to a screen reader at once. */
export function note(kind, title, text, ...more) {
  const role = kind === "error" ? "alert" : null;
  return h(
    "div",
    { class: `note ${kind}`, role },
    kind === "error" && icon("alert"),
    h("p", {}, h("strong", {}, title), text && `. ${text}`),
    ...more,
  );
}
