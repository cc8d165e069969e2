// Dialogs. The element is the browser's own: it keeps the focus within and closes with Escape.

import { h } from "/assets/dom.js";
import { commandLine } from "/assets/parts/command_line.js";

/** Opens a dialog with this content. Returns what closes it. */
export function openDialog(label, ...content) {
  const dialog = h("dialog", { "aria-label": label }, h("div", { class: "dialog-body" }, content));
  dialog.onclose = () => dialog.remove();
  dialog.onclick = (event) => {
    if (event.target === dialog) {
      dialog.close();
    }
  };
  document.body.append(dialog);
  dialog.showModal();
  return () => dialog.close();
}

/** Asks for a text. The answer is null when none is given. */
export function prompt({ title, text, label, placeholder, button }) {
  return new Promise((resolve) => {
    let answer = null;
    const input = h("input", { name: "answer", required: true, placeholder, autofocus: true, spellcheck: "false" });
    const submit = (event) => {
      event.preventDefault();
      answer = input.value.trim() || null;
      close();
    };
    const close = openDialog(
      title,
      h(
        "form",
        { class: "stack", onsubmit: submit },
        h("h2", {}, title),
        h("p", { class: "soft" }, text),
        h("label", { class: "field" }, h("span", {}, label), input),
        h(
          "div",
          { class: "dialog-end" },
          h("button", { type: "button", onclick: () => close() }, "Leave it"),
          h("button", { class: "primary" }, button),
        ),
      ),
    );
    input.closest("dialog").addEventListener("close", () => resolve(answer));
  });
}

/** Asks whether something that cannot be taken back is meant. */
export function confirm({ title, text, label, line }) {
  return new Promise((resolve) => {
    let answer = false;
    const settle = (value) => {
      answer = value;
      close();
    };
    const leave = h("button", { autofocus: true, onclick: () => settle(false) }, "Leave it");
    const close = openDialog(
      title,
      h("h2", {}, title),
      h("p", { class: "soft wrap" }, text),
      line && commandLine(line),
      h(
        "div",
        { class: "dialog-end" },
        leave,
        h("button", { class: "danger", "data-confirm": true, onclick: () => settle(true) }, label),
      ),
    );
    leave.closest("dialog").addEventListener("close", () => resolve(answer));
  });
}
