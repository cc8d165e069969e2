// A table that can be sorted by its heads.

import { h } from "/assets/dom.js";

/** So many rows are drawn; the rest is drawn when somebody asks for it. */
const STEP = 200;

/**
 * A table. A column has a `name`, a `cell(row)`, and where it can be sorted by a `by(row)`; `isNumber` sets it to the right and
 * begins with the largest. `isMinor` columns are left out on narrow screens.
 */
export class Table {
  #context;
  #label;
  #columns;
  #sorted;
  #isDown;
  #num_drawn = STEP;

  constructor(context, label, columns, sorted = columns.findIndex((column) => column.by)) {
    this.#context = context;
    this.#label = label;
    this.#columns = columns;
    this.#sorted = sorted;
    this.#isDown = columns[sorted]?.isNumber ?? false;
  }

  view(rows, key = (row) => row.id) {
    const sorted = this.#sort(rows);
    const drawn = sorted.slice(0, this.#num_drawn);
    const heads = this.#columns.map((column, index) => this.#head(column, index));
    const line = (row) =>
      h(
        "tr",
        { key: key(row), "data-row": key(row) },
        this.#columns.map((column) => h("td", { class: classes(column) }, column.cell(row))),
      );
    return h(
      "div",
      { class: "table-box", tabindex: "0", role: "region", "aria-label": this.#label },
      h(
        "table",
        {},
        h("caption", { class: "unseen" }, this.#label),
        h("thead", {}, h("tr", {}, heads)),
        h("tbody", {}, drawn.map(line)),
      ),
      drawn.length < sorted.length && this.#more(sorted.length - drawn.length),
    );
  }

  #head(column, index) {
    const isSorted = index === this.#sorted;
    const order = isSorted ? (this.#isDown ? "descending" : "ascending") : null;
    const sort = () => {
      this.#isDown = isSorted ? !this.#isDown : (column.isNumber ?? false);
      this.#sorted = index;
      this.#context.redraw();
    };
    const arrow = isSorted && h("span", { class: "arrow", "aria-hidden": "true" }, this.#isDown ? "↓" : "↑");
    const name = column.by ? h("button", { class: "sort", onclick: sort }, column.name, arrow) : column.name;
    return h("th", { scope: "col", class: classes(column), "aria-sort": order }, name);
  }

  #sort(rows) {
    const by = this.#columns[this.#sorted]?.by;
    if (!by) {
      return rows;
    }
    const sign = this.#isDown ? -1 : 1;
    return [...rows].sort((one, other) => sign * compare(by(one), by(other)));
  }

  #more(number) {
    const draw = () => {
      this.#num_drawn += STEP;
      this.#context.redraw();
    };
    return h("button", { class: "quiet more", onclick: draw }, `Show more (${number})`);
  }
}

function classes(column) {
  return (
    [column.isNumber && "number", column.isMinor && "minor", column.isWide && "wide"].filter(Boolean).join(" ") || null
  );
}

function compare(one, other) {
  if (typeof one === "string" && typeof other === "string") {
    return one.localeCompare(other, undefined, { numeric: true });
  }
  return (one ?? -1) - (other ?? -1);
}
