// A state as a word, a shape and a colour.

import { h } from "/assets/dom.js";
import { words } from "/assets/format.js";
import { shape } from "/assets/icons.js";
import { tone as toneOf } from "/assets/status.js";

/** Shows a state; its tone is that of the word unless another is given. */
export function badge(word, tone = toneOf(word)) {
  return h("span", { class: `badge ${tone}` }, shape(tone), words(word));
}

/** Shows a state as a shape alone, where the word stands beside it. */
export function mark(tone, form = tone) {
  return h("span", { class: tone }, shape(form));
}

/** Shows names in small boxes. */
export function tags(names) {
  return h(
    "span",
    { class: "tags" },
    names.map((name) => h("span", { class: "tag" }, name)),
  );
}
