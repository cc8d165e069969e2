// Buttons that do something, with the command lines that do the same.

import { act } from "/assets/api.js";
import { h } from "/assets/dom.js";
import { icon } from "/assets/icons.js";
import { commandLine } from "/assets/parts/command_line.js";
import { confirm } from "/assets/parts/dialog.js";
import { toast } from "/assets/parts/toast.js";

/**
 * A bar of actions. Each has a `label`, a `line` for the command line, and a `method` and `path` (and `body`) of the API or
 * a function `run`, whose answer is null when nothing was done. With `ask`, a sentence, it is confirmed first;
 * `then` is called once it is done. `isOff` disables it, `isPrimary` and `isDanger` dress it.
 */
export class Actions {
  #context;
  #isOpen = false;
  #running = new Set();

  constructor(context) {
    this.#context = context;
  }

  view(actions) {
    const toggle = () => {
      this.#isOpen = !this.#isOpen;
      this.#context.redraw();
    };
    const lines = actions.filter((action) => !action.isOff && action.line);
    return h(
      "div",
      { class: "actions" },
      h(
        "div",
        { class: "row" },
        actions.map((action) => this.#button(action)),
        h(
          "button",
          {
            class: "quiet",
            key: "lines",
            title: "The same from a terminal",
            "aria-label": "Show command lines",
            "aria-expanded": String(this.#isOpen),
            onclick: toggle,
          },
          icon("terminal"),
        ),
      ),
      this.#isOpen &&
        h(
          "div",
          { class: "commands" },
          lines.map((action) => commandLine(action.line)),
        ),
    );
  }

  #button(action) {
    const dress = (action.isPrimary && "primary") || (action.isDanger && "danger");
    return h(
      "button",
      {
        key: action.label,
        class: dress,
        title: action.line,
        disabled: action.isOff || this.#running.has(action.label),
        onclick: () => this.#run(action),
      },
      action.label,
    );
  }

  async #run(action) {
    if (
      action.ask &&
      !(await confirm({ title: `${action.label}?`, text: action.ask, label: action.label, line: action.line }))
    ) {
      return;
    }
    this.#running.add(action.label);
    this.#context.redraw();
    try {
      const answer = await (action.run ? action.run() : act(action.method ?? "POST", action.path, action.body));
      if (answer !== null) {
        toast("good", answer.message ?? `${action.label}: done.`);
        action.then?.();
      }
    } catch (error) {
      toast("bad", error.message);
    } finally {
      this.#running.delete(action.label);
      this.#context.reload();
      this.#context.redraw();
    }
  }
}
