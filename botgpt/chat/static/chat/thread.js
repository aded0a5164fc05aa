// The messages of the open conversation, and where the reader is in them.

import { $, h } from "./dom.js";
import { viewOf } from "./message.js";

const NEAR = 120; // pixels from the end that still count as being there

export class Thread {
  #views = [];
  #follows = true;

  constructor(element, does) {
    this.element = element;
    this.does = does;
    this.jump = $("#jump");
    this.jump.addEventListener("click", () => this.toEnd());
    // Whoever scrolls up is reading, and is left alone until they come back to the end.
    addEventListener("scroll", () => this.#look(), { passive: true });
    addEventListener("resize", () => this.grown());
  }

  /** Show these messages; views of those that were there are kept. */
  show(messages) {
    const known = new Map(this.#views.map((view) => [view.message.id, view]));
    this.#views = messages.map((message) => {
      const view = known.get(message.id);
      if (!view) return this.#made(message);
      view.update(message);
      return view;
    });
    const wanted = this.#views.map((view) => view.element);
    if (
      wanted.some((element, place) => this.element.children[place] !== element) ||
      this.element.children.length !== wanted.length
    ) {
      this.element.replaceChildren(...wanted);
    }
    this.grown();
  }

  /** Add one at the end, which may not be stored yet. */
  add(message) {
    const view = this.#made({ id: null, citations: [], grounded: null, sibling_ids: [], feedback: null, ...message });
    this.#views.push(view);
    this.element.append(view.element);
    return view;
  }

  /** Take away a message and all behind it. */
  cut(id) {
    const place = this.#views.findIndex((view) => view.message.id === id);
    if (place < 0) return;
    for (const view of this.#views.splice(place)) view.element.remove();
  }

  view(id) {
    return this.#views.find((view) => view.message.id === id);
  }

  get last() {
    return this.#views.at(-1);
  }

  /** To the end, and along with what is written there. */
  toEnd() {
    this.#follows = true;
    this.grown();
  }

  /** The text has become longer. */
  grown() {
    if (this.#follows && this.#views.length)
      scrollTo({ top: document.documentElement.scrollHeight, behavior: "instant" });
    this.#look();
  }

  #made(message) {
    const view = viewOf(message, this.does);
    view.onGrowth = () => this.grown();
    return view;
  }

  #look() {
    const { scrollHeight } = document.documentElement;
    const below = scrollHeight - innerHeight - scrollY;
    const isUp = scrollY < (this.before ?? 0) - 2;
    if (below < NEAR && !isUp) this.#follows = true;
    else if (isUp && below > 4) this.#follows = false;
    this.before = scrollY;
    this.jump.hidden = this.#follows || below < NEAR;
  }
}

/** The button that brings the messages before. */
export function earlierButton(onclick) {
  return h("button", { type: "button", class: "earlier", onclick }, "Show earlier messages");
}
