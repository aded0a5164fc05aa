// The list of conversations: by day, with a search in the titles; on a phone a drawer.

import { get, query } from "./api.js";
import { $, h, settled } from "./dom.js";
import { inWords } from "./words.js";

const PAGE = 30;
const narrow = matchMedia("(max-width: 52rem)");

export class Sidebar {
  #conversations = [];
  #pages = 0;
  #asked = 0;

  constructor() {
    this.element = $("#sidebar");
    this.list = $("#conversations");
    this.opener = $("#menu");
    this.search = $("#search");
    this.search.addEventListener(
      "input",
      settled(() => this.load()),
    );
    this.opener.addEventListener("click", () => this.toggle(true));
    $("#menu-close").addEventListener("click", () => this.toggle(false));
    $("#shade").addEventListener("click", () => this.toggle(false));
    this.element.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.isDrawer) this.toggle(false);
    });
    this.list.addEventListener("click", (event) => event.target.closest("a") && this.isDrawer && this.toggle(false));
    narrow.addEventListener("change", () => this.toggle(false));
  }

  get isDrawer() {
    return narrow.matches && document.body.classList.contains("has-drawer");
  }

  /** Open or close the drawer; what it covers is out of reach meanwhile. */
  toggle(open) {
    const was = this.isDrawer;
    document.body.classList.toggle("has-drawer", open && narrow.matches);
    this.opener.setAttribute("aria-expanded", String(open && narrow.matches));
    $("#main").inert = open && narrow.matches;
    if (open) $("#menu-close").focus();
    else if (was) this.opener.focus();
  }

  /** Read the list anew, as many pages as are shown; or one for another search. */
  async load({ keep = false } = {}) {
    this.#pages = keep ? Math.max(1, this.#pages) : 1;
    await this.#read(1, Math.min(100, this.#pages * PAGE));
  }

  /** Which one is open. */
  mark(id) {
    this.current = id;
    for (const link of this.list.querySelectorAll("a")) {
      if (link.pathname === `/c/${id}`) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
  }

  async #read(page, size) {
    const asked = (this.#asked += 1);
    const search = this.search.value.trim();
    try {
      const answer = await get(`/conversations${query({ page, page_size: size, search })}`);
      if (asked !== this.#asked) return; // a later question was faster
      this.#conversations = page === 1 ? answer.conversations : [...this.#conversations, ...answer.conversations];
      this.#draw(answer.total, search);
    } catch (error) {
      const { title, detail } = inWords(error);
      const again = h("button", { type: "button", onclick: () => this.load() }, "Try again");
      this.list.replaceChildren(h("p", { class: "quiet" }, `${title}. ${detail}`), again);
    }
  }

  #draw(total, search) {
    const groups = Object.entries(grouped(this.#conversations));
    const parts = groups.flatMap(([name, conversations]) => [
      h("h2", {}, name),
      h(
        "ul",
        {},
        conversations.map((each) => h("li", {}, h("a", { href: `/c/${each.id}` }, each.title))),
      ),
    ]);
    const nothing = search ? "No title has these words." : "Your conversations will be here.";
    const more = h("button", { type: "button", onclick: () => this.#more() }, "Show more");
    this.list.replaceChildren(...(parts.length ? parts : [h("p", { class: "quiet" }, nothing)]));
    if (this.#conversations.length < total) this.list.append(more);
    this.mark(this.current);
  }

  async #more() {
    const shown = this.#conversations.length;
    this.#pages = Math.ceil(shown / PAGE) + 1;
    await this.#read(this.#pages, PAGE);
    this.list.querySelectorAll("a")[shown]?.focus();
  }
}

function day({ updated_at: updated, created_at: created }) {
  const midnight = new Date().setHours(0, 0, 0, 0);
  const days = Math.ceil((midnight - new Date(updated ?? created)) / 86_400_000);
  if (days <= 0) return "Today";
  if (days === 1) return "Yesterday";
  return days <= 7 ? "The last week" : "Before";
}

function grouped(conversations) {
  const groups = {};
  for (const each of conversations) (groups[day(each)] ??= []).push(each);
  return groups;
}
