// Shows one page at a time: loads what it needs, draws it, and loads it anew when something has happened that concerns it.
//
// A page is what `open(context)` returns:
//
//     title      what the tab is called
//     load       asks the API, with a signal that says when nobody waits any more
//     view       makes the tree that is to be shown from what was loaded
//     concerns   says whether an event means that it must be loaded anew
//     take       takes an event in by itself, and says whether it did
//     every      how often it is loaded without an event, in milliseconds
//     pause      how long it waits at least from one time it is loaded to the next
//     leave      ends what goes on by itself
//
// `context` lets it `redraw()` what it has, `reload()`, and read the `query` of its address.

import { h, morph } from "/assets/dom.js";
import { failure, loading } from "/assets/parts/states.js";

/** The service answers 60 questions a minute for ever; a page that asks many at once waits longer. */
const PAUSE_MS = 2_000;
/** Events come in bunches. */
const SETTLE_MS = 150;
/** Times are shown as how long ago they were. */
const REDRAW_MS = 10_000;

export class Stage {
  #element;
  #page;
  #leaving = new AbortController();
  #state = "loading";
  #error;
  #drawing;
  #loading;
  #loadedAt = 0;
  #interval;
  #isBusy = false;

  constructor(element) {
    this.#element = element;
    setInterval(() => this.redraw(), REDRAW_MS);
    document.addEventListener("visibilitychange", () => this.#wake());
  }

  /** Shows another page. */
  show(open, query = new URLSearchParams()) {
    this.#leave();
    const context = { query, redraw: () => this.redraw(), reload: () => this.reload() };
    this.#page = open(context);
    this.#state = this.#page.load ? "loading" : "shown";
    this.#element.replaceChildren();
    this.#draw();
    scrollTo(0, 0);
    this.reload();
    if (this.#page.every) {
      this.#interval = setInterval(() => this.#wake(), this.#page.every);
    }
  }

  /** Tells the page of an event. */
  tell(event) {
    if (this.#page?.take?.(event)) {
      this.redraw();
    } else if (event.type === "missed" || this.#page?.concerns?.(event)) {
      this.#schedule();
    }
  }

  /** Draws the page once more, soon. */
  redraw() {
    this.#drawing ??= requestAnimationFrame(() => {
      this.#drawing = undefined;
      this.#draw();
    });
  }

  /** Loads the page anew, now. */
  async reload() {
    const page = this.#page;
    if (!page?.load) {
      return;
    }
    if (this.#isBusy) {
      this.#schedule();
      return;
    }
    this.#isBusy = true;
    this.#loadedAt = Date.now();
    const { signal } = this.#leaving;
    try {
      await page.load(signal);
      this.#settle(page, "shown");
    } catch (error) {
      if (!signal.aborted) {
        this.#settle(page, this.#state === "shown" && error.status !== 404 ? "stale" : "failed", error);
      }
    } finally {
      if (page === this.#page) {
        this.#isBusy = false;
      }
    }
  }

  #settle(page, state, error) {
    if (page === this.#page) {
      if (this.#state === "loading") {
        // For those who measure how long a page takes.
        performance.mark("shown");
      }
      this.#state = state === "stale" ? "shown" : state;
      this.#error = error;
      this.redraw();
      if (error?.status === 0) {
        this.#schedule();
      }
    }
  }

  #schedule() {
    const wait = Math.max(SETTLE_MS, this.#loadedAt + (this.#page.pause ?? PAUSE_MS) - Date.now());
    this.#loading ??= setTimeout(() => {
      this.#loading = undefined;
      this.reload();
    }, wait);
  }

  #wake() {
    if (document.visibilityState === "visible" && this.#page?.every) {
      this.#schedule();
    }
  }

  #leave() {
    this.#leaving.abort();
    this.#leaving = new AbortController();
    clearTimeout(this.#loading);
    clearInterval(this.#interval);
    this.#loading = undefined;
    this.#isBusy = false;
    this.#error = undefined;
    this.#page?.leave?.();
  }

  #draw() {
    if (!this.#page) {
      return;
    }
    document.title = this.#page.title ? `${this.#page.title} – BorgOS` : "BorgOS";
    this.#element.setAttribute("aria-busy", String(this.#state === "loading"));
    morph(this.#element, this.#tree());
  }

  #tree() {
    const root = h(this.#element.tagName, attributes(this.#element));
    if (this.#state === "loading") {
      root.append(loading());
    } else if (this.#state === "failed") {
      root.append(failure(this.#error, () => this.reload()));
    } else {
      if (this.#error) {
        root.append(failure(this.#error, () => this.reload()));
      }
      root.append(this.#page.view());
    }
    return root;
  }
}

/** What the element of the stage itself has is not the page's. */
function attributes(element) {
  return Object.fromEntries([...element.attributes].map(({ name, value }) => [name, value]));
}
