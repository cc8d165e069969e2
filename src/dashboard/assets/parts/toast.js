// Short notices of what came of something.

import { h } from "/assets/dom.js";
import { icon, shape } from "/assets/icons.js";

const SHOWN_MS = 6_000;
let place;

/** Shows a notice; one that tells of a failure stays until it is closed. */
export function toast(tone, text) {
  place ??= document.body.appendChild(h("div", { class: "toasts", role: "status", "aria-live": "polite" }));
  // A dialog that is open hides everything else.
  (document.querySelector("dialog[open]") ?? document.body).append(place);
  const close = () => notice.remove();
  const notice = h(
    "div",
    { class: `toast ${tone}` },
    shape(tone),
    h("p", {}, text),
    h("button", { class: "quiet", "aria-label": "Close", onclick: close }, icon("close")),
  );
  place.append(notice);
  if (tone !== "bad") {
    setTimeout(close, SHOWN_MS);
  }
}
