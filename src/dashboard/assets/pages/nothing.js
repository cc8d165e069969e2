// There is no such page.

import { h } from "/assets/dom.js";
import { empty } from "/assets/parts/states.js";

export function open() {
  return {
    title: "Not found",
    view: () =>
      h(
        "div",
        { class: "card" },
        empty("There is nothing at this address", h("a", { href: "#/" }, "Go to the overview")),
      ),
  };
}
