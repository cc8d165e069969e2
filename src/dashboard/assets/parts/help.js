// The keys.

import { h } from "/assets/dom.js";
import { PLACES } from "/assets/pages.js";
import { openDialog } from "/assets/parts/dialog.js";

const KEYS = [
  ["Ctrl K", "go anywhere, do anything"],
  ["/", "search this page"],
  ["j  k", "next row, previous row"],
  ["Enter", "open the row"],
  ["?", "these keys"],
  ["Esc", "close"],
];

/** Shows the keys. */
export function openHelp() {
  const places = PLACES.map((place) => [place.keys, place.name]);
  const rows = [...KEYS, ...places, ["g z", "Agent Zero"]];
  openDialog(
    "Keys",
    h("h2", {}, "Keys"),
    h(
      "dl",
      { class: "keys" },
      rows.map(([keys, meaning]) => [
        h(
          "dt",
          {},
          keys
            .split(" ")
            .filter(Boolean)
            .map((key) => h("kbd", {}, key)),
        ),
        h("dd", {}, meaning),
      ]),
    ),
    h(
      "p",
      { class: "soft small" },
      "Everything here can be done from a terminal, too: each action shows its command line.",
    ),
  );
}
