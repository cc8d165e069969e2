// Asks for a credential.

import { ApiError, get } from "/assets/api.js";
import { h } from "/assets/dom.js";
import * as session from "/assets/session.js";

export function open({ redraw }, begin) {
  let way = "token";
  let complaint = "";
  let isBusy = false;

  async function enter(event) {
    event.preventDefault();
    const fields = new FormData(event.target);
    if (way === "token") {
      session.useToken(fields.get("token").trim());
    } else {
      session.usePassword(fields.get("name"), fields.get("password"));
    }
    isBusy = true;
    redraw();
    try {
      await get("status");
      begin();
    } catch (error) {
      session.forget();
      isBusy = false;
      complaint = error instanceof ApiError && error.status === 401 ? "That is not known here." : error.message;
      redraw();
    }
  }

  const choose = (name) => () => {
    way = name;
    complaint = "";
    redraw();
  };

  const tab = (name, text) =>
    h("button", { type: "button", "aria-pressed": String(way === name), onclick: choose(name) }, text);
  const field = (name, label, type, more) =>
    h(
      "label",
      { class: "field", key: name },
      h("span", {}, label),
      h("input", { name, type, required: true, spellcheck: "false", ...more }),
    );
  const fields = () =>
    way === "token"
      ? [field("token", "Token", "password", { autocomplete: "current-password" })]
      : [
          field("name", "Name", "text", { autocomplete: "username" }),
          field("password", "Password", "password", { autocomplete: "current-password" }),
        ];

  return {
    title: "Sign in",
    view: () =>
      h(
        "form",
        { class: "card login", onsubmit: enter },
        h("img", { src: "/assets/icon.svg", alt: "", width: 44, height: 44 }),
        h("h1", {}, "Sign in to BorgOS"),
        h(
          "div",
          { class: "tabs", role: "group", "aria-label": "How" },
          tab("token", "With a token"),
          tab("password", "With a password"),
        ),
        fields(),
        complaint && h("p", { class: "notice bad", role: "alert" }, complaint),
        h("button", { class: "primary", disabled: isBusy }, "Sign in"),
        h(
          "p",
          { class: "soft small" },
          "The token is what ",
          h("code", {}, "BORGOS_TOKEN"),
          " of the service says. It is kept until this tab is closed.",
        ),
      ),
  };
}
