// The palette: goes to any place, project or deployment that a few letters name.

import { list } from "/assets/api.js";
import { h, morph } from "/assets/dom.js";
import { PLACES } from "/assets/pages.js";
import { openDialog } from "/assets/parts/dialog.js";
import * as router from "/assets/router.js";
import * as theme from "/assets/theme.js";

const MAX_SHOWN = 12;

/** Opens the palette. */
export function openPalette() {
  if (document.querySelector("dialog[open]")) {
    return;
  }
  new Palette();
}

class Palette {
  #entries = fixed();
  #chosen = 0;
  #close;
  #input = h("input", {
    type: "search",
    placeholder: "Go to a page, a project, a deployment…",
    "aria-label": "Go to",
    role: "combobox",
    "aria-expanded": "true",
    "aria-controls": "palette-list",
    autocomplete: "off",
    oninput: () => this.#change(),
    onkeydown: (event) => this.#press(event),
  });
  #list = h("ul", { class: "palette-list", id: "palette-list", role: "listbox", "aria-label": "Places" });

  constructor() {
    this.#close = openDialog("Go to", h("div", { class: "palette" }, this.#input, this.#list));
    this.#input.focus();
    this.#draw();
    this.#load();
  }

  async #load() {
    const [projects, deployments] = await Promise.all([
      list("projects?limit=1000&fields=id,name").catch(() => ({ rows: [] })),
      list("deployments?limit=1000&fields=id,name,port").catch(() => ({ rows: [] })),
    ]);
    const go = (kind, path) => (row) => ({ kind, name: row.name, run: () => router.go(`/${path}/${row.id}`) });
    this.#entries.push(
      ...deployments.rows.map(go("deployment", "deployments")),
      ...projects.rows.map(go("project", "projects")),
    );
    this.#draw();
  }

  #change() {
    this.#chosen = 0;
    this.#draw();
  }

  #press(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const found = this.#found();
    if (step) {
      event.preventDefault();
      this.#chosen = (this.#chosen + step + found.length) % Math.max(found.length, 1);
      this.#draw();
    } else if (event.key === "Enter" && found[this.#chosen]) {
      event.preventDefault();
      this.#run(found[this.#chosen]);
    }
  }

  #run(entry) {
    this.#close();
    entry.run();
  }

  #found() {
    const wanted = this.#input.value.trim().toLowerCase();
    const scored = this.#entries.map((entry) => [score(entry.name.toLowerCase(), wanted), entry]);
    const found = scored.filter(([points]) => points > 0).sort(([one], [other]) => other - one);
    return found.slice(0, MAX_SHOWN).map(([, entry]) => entry);
  }

  #draw() {
    const option = (entry, index) =>
      h(
        "li",
        {
          role: "option",
          id: `option-${index}`,
          "aria-selected": String(index === this.#chosen),
          onclick: () => this.#run(entry),
        },
        h("span", { class: "wrap" }, entry.name),
        h("span", { class: "soft small" }, entry.kind),
      );
    const found = this.#found();
    const options =
      found.length > 0
        ? found.map(option)
        : h("li", { class: "soft", role: "option", "aria-selected": "false" }, "Nothing has that name");
    morph(
      this.#list,
      h("ul", { class: "palette-list", id: "palette-list", role: "listbox", "aria-label": "Places" }, options),
    );
    this.#input.setAttribute("aria-activedescendant", `option-${this.#chosen}`);
  }
}

function fixed() {
  const places = PLACES.map(({ name, path }) => ({ kind: "page", name, run: () => router.go(`/${path}`) }));
  return [
    ...places,
    { kind: "page", name: "Agent Zero", run: () => router.go("/agent-zero") },
    { kind: "action", name: "Change between dark and light", run: theme.toggle },
  ];
}

/** Tells how well a name fits: at its beginning, somewhere in it, or its letters in this order. */
function score(name, wanted) {
  if (name.startsWith(wanted)) {
    return 3;
  }
  if (name.includes(wanted)) {
    return 2;
  }
  let at = 0;
  for (const letter of wanted) {
    at = name.indexOf(letter, at) + 1;
    if (at === 0) {
      return 0;
    }
  }
  return 1;
}
