// A list to choose one thing from, with a filter: tools, resources and prompts have one each.

import { gettext, interpolate } from "../gettext.js";
import { el } from "./dom.js";
import { visible } from "./words.js";

// `open(item)` shows the chosen one. An item is { name, label, about, item }.
export class Listing {
  #rows = [];

  // `expected` stands in its place on the page until there is a list, or words why there is none.
  constructor({ label, empty, open, expected }) {
    this.empty = empty;
    this.expected = expected;
    this.open = open;
    this.filter = el("input", {
      type: "search",
      class: "playground-filter",
      placeholder: gettext("Filter"),
      "aria-label": interpolate(gettext("Filter %(label)s"), { label }),
    });
    this.list = el("ul", { class: "playground-entries", "aria-label": label });
    this.none = el("p", { class: "small muted playground-none" });
    this.element = el("div", { class: "stack" }, this.filter, this.none, this.list);
    this.filter.addEventListener("input", () => this.#sift());
    this.list.addEventListener("keydown", (event) => this.#move(event));
    this.say(gettext("Loading…"), true);
  }

  say(words, isWaiting = false) {
    if (!isWaiting) {
      this.expected?.replaceWith(this.element);
      this.expected = undefined;
    }
    this.none.textContent = words;
    this.none.hidden = !words;
    this.filter.hidden = true;
    this.list.replaceChildren();
  }

  // What was expected stays: it is what the server had, and nothing below moves.
  fail(words) {
    if (!this.expected) this.say(words);
  }

  show(items) {
    this.say(items.length ? "" : this.empty);
    this.filter.hidden = items.length < 6;
    this.#rows = items.map((item) => {
      const name = el("span", { class: "mono break" }, visible(item.label));
      const about = el("span", { class: "playground-about" }, visible(item.about ?? "").slice(0, 200));
      const choose = el("button", { type: "button", class: "playground-entry" }, name, about);
      choose.addEventListener("click", () => this.#choose(item, choose));
      const text = `${item.label} ${item.about ?? ""}`.toLowerCase();
      return { item, choose, text, row: el("li", {}, choose) };
    });
    this.list.append(...this.#rows.map(({ row }) => row));
    this.#sift();
  }

  // As if it had been clicked. False where there is none of this name.
  choose(label) {
    const row = this.#rows.find(({ item }) => item.label === label);
    row?.choose.click();
    return Boolean(row);
  }

  #choose(item, chosen) {
    for (const { choose } of this.#rows) choose.toggleAttribute("aria-current", false);
    chosen.setAttribute("aria-current", "true");
    this.open(item.item);
  }

  #sift() {
    const words = this.filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const { row, text } of this.#rows) row.hidden = !words.every((word) => text.includes(word));
    const isNone = this.#rows.length > 0 && this.#rows.every(({ row }) => row.hidden);
    if (this.#rows.length) [this.none.textContent, this.none.hidden] = [isNone ? gettext("Nothing has these words.") : "", !isNone];
  }

  #move(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const shown = this.#rows.filter(({ row }) => !row.hidden).map(({ choose }) => choose);
    const next = shown[shown.indexOf(document.activeElement) + step];
    if (!step || !next) return;
    event.preventDefault();
    next.focus();
  }
}
