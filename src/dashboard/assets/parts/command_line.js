// A command line with a button that copies it.

import { h } from "/assets/dom.js";
import { icon } from "/assets/icons.js";
import { toast } from "/assets/parts/toast.js";

/** Shows a command line. */
export function commandLine(line) {
  return h(
    "div",
    { class: "command" },
    h("code", {}, line),
    h(
      "button",
      { class: "quiet", type: "button", "aria-label": `Copy: ${line}`, title: "Copy", onclick: () => copy(line) },
      icon("copy"),
    ),
  );
}

async function copy(line) {
  try {
    await navigator.clipboard.writeText(line);
    toast("good", "Copied.");
  } catch {
    toast("warn", "The browser does not let this page copy; select the line instead.");
  }
}
