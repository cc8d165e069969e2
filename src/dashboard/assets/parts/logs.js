// What a deployment prints, as it prints it.

import { stream } from "/assets/api.js";
import { pieces, plain } from "/assets/ansi.js";
import { h } from "/assets/dom.js";
import { plural } from "/assets/format.js";
import { levelOf } from "/assets/parts/levels.js";

const TAIL = 500;
/** So many lines are kept; the older ones are in `borgos logs`. */
const MAX_LINES = 5_000;
const RETRY_MS = 3_000;
const NEAR_END_PX = 40;
const LEVELS = ["error", "warning", "info", "debug"];

export class LogView {
  #path;
  #lines = [];
  #waiting = [];
  #abort;
  #frame;
  #retry;
  #last = null;
  #isFollowing = true;
  #wanted = "";
  #level = "";

  #list = h("ol", { class: "log-lines" });
  #box = h(
    "div",
    {
      class: "log-box",
      tabindex: "0",
      role: "log",
      "aria-live": "off",
      "aria-label": "Output",
      onscroll: () => this.#scrolled(),
    },
    this.#list,
  );
  #follow = h("button", { "aria-pressed": "true", onclick: () => this.#setFollowing(!this.#isFollowing) }, "Follow");
  #news = h("span", { class: "soft small", role: "status" });
  #search = h("input", {
    type: "search",
    placeholder: "Find in output",
    "aria-label": "Find in output",
    oninput: (event) => this.#filter(event.target.value, this.#level),
  });
  #levels = h(
    "select",
    { "aria-label": "Level", onchange: (event) => this.#filter(this.#wanted, event.target.value) },
    h("option", { value: "" }, "All levels"),
    LEVELS.map((level) =>
      h(
        "option",
        { value: level },
        level === "debug" ? "debug and up" : level === "error" ? "errors" : `${level} and up`,
      ),
    ),
  );

  /** The element, which takes care of itself. */
  element = h(
    "div",
    { class: "log" },
    h("div", { class: "toolbar" }, this.#search, this.#levels, this.#follow, this.#news),
    this.#box,
  );

  constructor(id) {
    this.#path = `deployments/${id}/logs`;
  }

  /** Begins to read, unless that is so already. */
  start() {
    if (!this.#abort) {
      this.#abort = new AbortController();
      this.#read(this.#abort.signal);
    }
  }

  /** Ends that. */
  stop() {
    this.#abort?.abort();
    clearTimeout(this.#retry);
  }

  async #read(signal) {
    const since = this.#last ? `&since=${encodeURIComponent(this.#last)}` : "";
    try {
      const reader = await stream(`${this.#path}?tail=${TAIL}&follow=true&format=json${since}`, { signal });
      this.#say();
      await this.#drain(reader);
    } catch {
      // Whatever it was: it is tried again, and until then the notice says that nothing comes.
    }
    if (!signal.aborted) {
      this.#say("The output has stopped coming; trying again.");
      this.#retry = setTimeout(() => this.#read(signal), RETRY_MS);
    }
  }

  async #drain(reader) {
    let rest = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) {
        return;
      }
      const lines = (rest + value).split("\n");
      rest = lines.pop();
      lines.filter(Boolean).forEach((line) => this.#take(JSON.parse(line)));
    }
  }

  #take(line) {
    // The first of those that are asked for anew may be one that is known.
    if (
      this.#last &&
      line.at <= this.#last &&
      this.#lines.some((known) => known.at === line.at && known.message === line.message)
    ) {
      return;
    }
    this.#last = line.at;
    const text = plain(line.message);
    const known = { ...line, text: text.toLowerCase(), level: levelOf(text) };
    this.#lines.push(known);
    this.#waiting.push(known);
    this.#frame ??= requestAnimationFrame(() => this.#draw());
  }

  #draw() {
    this.#frame = undefined;
    const drawn = document.createDocumentFragment();
    for (const line of this.#waiting.slice(-MAX_LINES)) {
      if (this.#isWanted(line)) {
        drawn.append(this.#row(line));
      }
    }
    this.#waiting = [];
    this.#list.append(drawn);
    this.#lines.splice(0, this.#lines.length - MAX_LINES);
    while (this.#list.childElementCount > MAX_LINES) {
      this.#list.firstChild.remove();
    }
    if (this.#isFollowing) {
      this.#box.scrollTop = this.#box.scrollHeight;
    }
    this.#say();
  }

  #row(line) {
    const time = new Date(line.at).toLocaleTimeString(undefined, { hour12: false });
    return h(
      "li",
      {
        class: `log-line ${line.level} ${line.stream === "stderr" ? "stderr" : ""}`,
        title: `${line.at}, release ${line.release}`,
      },
      h("time", {}, time),
      h(
        "span",
        { class: "log-text" },
        pieces(line.message).map(({ text, classes }) => h("span", { class: classes || null }, this.#marked(text))),
      ),
    );
  }

  /** Sets apart what is looked for. */
  #marked(text) {
    if (!this.#wanted) {
      return text;
    }
    const found = [];
    const lower = text.toLowerCase();
    let end = 0;
    for (let at = lower.indexOf(this.#wanted); at >= 0; at = lower.indexOf(this.#wanted, end)) {
      found.push(text.slice(end, at), h("mark", {}, text.slice(at, at + this.#wanted.length)));
      end = at + this.#wanted.length;
    }
    return [...found, text.slice(end)];
  }

  #isWanted(line) {
    const isBadEnough = !this.#level || (line.level && LEVELS.indexOf(line.level) <= LEVELS.indexOf(this.#level));
    return isBadEnough && line.text.includes(this.#wanted);
  }

  #filter(wanted, level) {
    this.#wanted = wanted.toLowerCase();
    this.#level = level;
    this.#list.replaceChildren();
    this.#waiting = [...this.#lines];
    this.#draw();
  }

  #scrolled() {
    const isAtEnd = this.#box.scrollHeight - this.#box.scrollTop - this.#box.clientHeight < NEAR_END_PX;
    if (isAtEnd !== this.#isFollowing) {
      this.#setFollowing(isAtEnd);
    }
  }

  #setFollowing(isFollowing) {
    this.#isFollowing = isFollowing;
    this.#follow.setAttribute("aria-pressed", String(isFollowing));
    if (isFollowing) {
      this.#box.scrollTop = this.#box.scrollHeight;
    }
  }

  #say(text) {
    const shown = this.#list.childElementCount;
    const all = this.#lines.length;
    this.#news.textContent =
      text ??
      (all === 0
        ? "Nothing was printed yet."
        : shown < all
          ? `${plural(shown, "line")} of ${all}`
          : plural(all, "line"));
  }
}
