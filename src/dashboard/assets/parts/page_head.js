// The head of a page: its name, what is to be said of it in a line, and what can be done.

import { h } from "/assets/dom.js";

/** Shows the head of a page. `crumb` is where it is below, as a link. */
export function pageHead({ crumb, title, beside, lead, actions }) {
  return h(
    "header",
    { class: "page-head" },
    h(
      "div",
      {},
      crumb && h("div", { class: "crumb" }, crumb),
      h("div", { class: "row" }, h("h1", {}, title), beside),
      lead && h("div", { class: "lead" }, lead),
    ),
    actions,
  );
}

/** Shows a part of a page under a heading. */
export function card(title, { beside, isFlush = false } = {}, ...content) {
  return h(
    "section",
    { class: isFlush ? "card flush" : "card", key: title },
    h("header", {}, h("h2", {}, title), beside),
    content,
  );
}

/** Shows names and what they stand for. */
export function facts(pairs) {
  const shown = pairs.filter(([, value]) => value !== null && value !== undefined && value !== "");
  return h(
    "dl",
    { class: "facts" },
    shown.map(([name, value]) => [h("dt", {}, name), h("dd", { class: "wrap" }, value)]),
  );
}
