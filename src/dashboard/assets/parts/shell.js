// What is around every page: where one can go, how the connection is, and the banner when it is lost.

import * as live from "/assets/live.js";
import * as machine from "/assets/machine.js";
import * as session from "/assets/session.js";
import * as theme from "/assets/theme.js";
import { h, morph } from "/assets/dom.js";
import { clock } from "/assets/format.js";
import { icon } from "/assets/icons.js";
import { openPalette } from "/assets/palette.js";
import { PLACES } from "/assets/pages.js";
import { mark } from "/assets/parts/badge.js";
import { openHelp } from "/assets/parts/help.js";
import { tone } from "/assets/status.js";

/** A connection that comes back within that time is not worth a word. */
const PATIENCE_MS = 1_500;
const STATES = { live: "Live", lost: "Reconnecting", connecting: "Connecting", polled: "Every few seconds" };

export class Shell {
  #side = side();
  #banner = h("div", { role: "status" });
  #place;
  #isWatching = false;

  /** The element that pages are shown in. */
  stage = h("main", { class: "stage", id: "main", tabindex: "-1" });

  constructor(root) {
    const main = h("div", { class: "main" }, this.#banner, this.stage);
    root.replaceChildren(h("div", { class: "shell" }, this.#side, main));
  }

  /** Says which place is shown. */
  point(place) {
    this.#place = place;
    this.draw();
  }

  /** Shows what the machine's samples say about the places. */
  watch() {
    if (!this.#isWatching) {
      this.#isWatching = true;
      machine.watch(() => this.draw());
    }
  }

  draw() {
    const skip = h("a", { class: "skip", href: "#/", onclick: (event) => this.#skip(event) }, "Skip to the page");
    morph(this.#side, side(skip, this.#brand(), this.#places(), this.#end()));
    morph(this.#banner, h("div", { role: "status" }, this.#news()));
  }

  #brand() {
    return h("a", { class: "brand", href: "#/" }, h("img", { src: "/assets/icon.svg", alt: "" }), "BorgOS");
  }

  #places() {
    const link = ({ path, name, icon: drawing, keys }) =>
      h(
        "a",
        { href: `#/${path}`, title: keys, "aria-current": this.#place === path ? "page" : null },
        icon(drawing),
        h("span", { class: "name" }, name),
        path === "errors" && this.#errors(),
      );
    return h("nav", { class: "places", "aria-label": "Places" }, PLACES.map(link));
  }

  #errors() {
    const number = machine.status?.recent_errors;
    return number > 0 && h("span", { class: "tally", title: "in the last hour" }, number > 99 ? "99+" : number);
  }

  #end() {
    const isDark = theme.current() === "dark";
    const leave = () => {
      session.forget();
      location.reload();
    };
    const button = (key, name, label, onclick) =>
      h("button", { class: "quiet", key, title: label, "aria-label": label, onclick }, icon(name));
    return h(
      "div",
      { class: "side-end" },
      h(
        "span",
        { class: "link-state", "data-link": live.state.name },
        mark(tone(live.state.name)),
        STATES[live.state.name],
      ),
      h(
        "div",
        { class: "side-buttons" },
        button("palette", "search", "Go to anything (Ctrl-K)", openPalette),
        button("theme", isDark ? "sun" : "moon", isDark ? "Light colours" : "Dark colours", theme.toggle),
        button("keys", "help", "Keys (?)", openHelp),
        session.authorization() && button("leave", "leave", "Sign out", leave),
      ),
    );
  }

  #news() {
    if (live.state.name !== "lost") {
      return null;
    }
    const wait = PATIENCE_MS - (Date.now() - live.state.since.getTime());
    if (wait > 0) {
      setTimeout(() => this.draw(), wait + 10);
      return null;
    }
    return h(
      "div",
      { class: "banner warn", key: "stale" },
      mark("warn"),
      `Stale since ${clock(live.state.since)}: the connection is lost and being made anew.`,
    );
  }

  #skip(event) {
    event.preventDefault();
    this.stage.focus();
  }
}

function side(...content) {
  return h("aside", { class: "side", "aria-label": "BorgOS" }, content);
}
