// There is no such page.

import { h } from "/assets/dom.js";

export function open() {
  return {
    title: "Not found",
    view: () =>
      h(
        "div",
        { class: "card empty" },
        h("h1", {}, "There is nothing at this address"),
        h("a", { href: "#/" }, "Go to the overview"),
      ),
  };
}
