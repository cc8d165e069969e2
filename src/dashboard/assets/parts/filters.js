// Fields that say what of a list is shown; what they say is kept in the address.

import { h } from "/assets/dom.js";
import * as router from "/assets/router.js";

/** Filters by name, as the address has them. */
export class Filters {
  #values;
  #changed;

  constructor(query, changed) {
    this.#values = Object.fromEntries(query);
    this.#changed = changed;
  }

  /** Returns what one says, empty if nothing. */
  of(name) {
    return this.#values[name] ?? "";
  }

  /** Sets one. */
  set(name, value) {
    this.#values[name] = value;
    router.setQuery(this.#values);
    this.#changed(name);
  }

  /** A field for a text. */
  search(name, label) {
    return h("input", {
      type: "search",
      placeholder: label,
      "aria-label": label,
      value: this.of(name),
      oninput: (event) => this.set(name, event.target.value),
    });
  }

  /** A field for one of some words, or any. */
  choice(name, label, words) {
    const option = (word) => h("option", { value: word }, word || label);
    return h(
      "select",
      { "aria-label": label, value: this.of(name), onchange: (event) => this.set(name, event.target.value) },
      ["", ...words].map(option),
    );
  }

  /** Buttons for one of some words, each with a number. */
  tabs(name, label, tabs) {
    const tab = ([word, text, number]) =>
      h(
        "button",
        { key: word, "aria-pressed": String(this.of(name) === word), onclick: () => this.set(name, word) },
        text,
        number !== undefined && h("span", { class: "soft number" }, number),
      );
    return h("div", { class: "tabs", role: "group", "aria-label": label }, tabs.map(tab));
  }
}
