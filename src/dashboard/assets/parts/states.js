// What is shown while there is nothing to show.

import { h } from "/assets/dom.js";
import { commandLine } from "/assets/parts/command_line.js";

/** The page is being loaded. */
export function loading() {
  return h("p", { class: "empty", key: "loading", role: "status" }, "Loading…");
}

/** Something could not be loaded. */
export function failure(error, retry) {
  return h(
    "div",
    { class: "notice bad row", key: "failure", role: "alert" },
    h("span", {}, error.message),
    retry && h("button", { class: "quiet", onclick: retry }, "Try again"),
  );
}

/** There is nothing yet; says what to do next. */
export function empty(title, next, line) {
  return h("div", { class: "empty" }, h("strong", {}, title), next, line && commandLine(line));
}
