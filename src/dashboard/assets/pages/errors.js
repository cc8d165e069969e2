// What went wrong.

import { list } from "/assets/api.js";
import { request } from "/assets/command.js";
import { h } from "/assets/dom.js";
import { ago, clock, plural } from "/assets/format.js";
import { badge } from "/assets/parts/badge.js";
import { commandLine } from "/assets/parts/command_line.js";
import { Filters } from "/assets/parts/filters.js";
import { pageHead } from "/assets/parts/page_head.js";
import { empty } from "/assets/parts/states.js";

const SEVERITIES = ["critical", "error", "warning", "info", "debug"];
const FIELDS = "id,project_id,project_name,deployment_id,error_type,severity,message,occurred_at";
const STEP = 50;

export function open(context) {
  let rows = [];
  let total = 0;
  let limit = STEP;
  /** What is unfolded, by id; traces are long and only fetched then. */
  const details = new Map();
  const filters = new Filters(context.query, (name) => (name === "q" ? context.redraw() : context.reload()));
  if (filters.of("id")) {
    details.set(Number(filters.of("id")), null);
  }

  async function load(signal) {
    const query = new URLSearchParams({ limit, fields: FIELDS });
    for (const name of ["severity", "project_id", "deployment_id"]) {
      if (filters.of(name)) {
        query.set(name, filters.of(name));
      }
    }
    ({ rows, total } = await list(`errors?${query}`, { signal }));
    const missing = rows.filter(({ id }) => details.get(id) === null);
    await Promise.all(missing.map((row) => fetchDetail(row, signal)));
  }

  /** The error log has no address for one entry, so it is asked for by its time. */
  async function fetchDetail(row, signal) {
    const query = new URLSearchParams({
      since: row.occurred_at,
      until: new Date(Date.parse(row.occurred_at) + 1).toISOString(),
      fields: "id,stack_trace,context",
      limit: 100,
    });
    const found = await list(`errors?${query}`, { signal });
    details.set(row.id, found.rows.find(({ id }) => id === row.id) ?? {});
    context.redraw();
  }

  function toggle(row) {
    if (!details.delete(row.id)) {
      details.set(row.id, null);
      fetchDetail(row).catch(() => details.delete(row.id));
    }
    context.redraw();
  }

  function view() {
    const wanted = filters.of("q").trim().toLowerCase();
    const found = rows.filter((row) =>
      `${row.message} ${row.error_type} ${row.project_name ?? ""}`.toLowerCase().includes(wanted),
    );
    const isFiltered = wanted || filters.of("severity");
    const more = () => {
      limit += STEP;
      context.reload();
    };
    return h(
      "div",
      {},
      pageHead({ title: "Errors", lead: plural(total, "entry", "entries") }),
      h(
        "div",
        { class: "toolbar" },
        filters.search("q", "Message, type or project"),
        filters.choice("severity", "Any severity", SEVERITIES),
      ),
      h(
        "div",
        { class: "card flush" },
        found.length === 0
          ? isFiltered
            ? empty("No error is like that", "Try fewer words, or any severity.")
            : none()
          : h("ul", { class: "errors" }, found.map(entry)),
        rows.length < total &&
          h("button", { class: "quiet more", onclick: more }, `Show more (${total - rows.length})`),
      ),
    );
  }

  function entry(row) {
    const isOpen = details.has(row.id);
    const [first, ...rest] = row.message.split("\n");
    return h(
      "li",
      { key: row.id, "data-row": row.id, class: isOpen ? "open" : null },
      h(
        "button",
        { class: "error-head", "aria-expanded": String(isOpen), onclick: () => toggle(row) },
        badge(row.severity),
        h("span", { class: "error-message wrap" }, first),
        h("span", { class: "soft small when", title: clock(row.occurred_at) }, ago(row.occurred_at)),
      ),
      h(
        "div",
        { class: "error-about soft small" },
        row.error_type,
        row.project_id && h("a", { href: `#/projects/${row.project_id}` }, row.project_name),
        row.deployment_id && h("a", { href: `#/deployments/${row.deployment_id}` }, `deployment ${row.deployment_id}`),
      ),
      isOpen && detail(rest, details.get(row.id)),
    );
  }

  return { title: "Errors", load, view, concerns: ({ channel }) => channel === "errors", every: 60_000 };
}

function detail(rest, found) {
  if (!found) {
    return h("p", { class: "soft error-more" }, "Loading…");
  }
  const context = Object.keys(found.context ?? {}).length > 0 ? JSON.stringify(found.context, null, 2) : "";
  const parts = [rest.join("\n"), found.stack_trace, context].filter(Boolean);
  return h(
    "div",
    { class: "error-more" },
    parts.length > 0
      ? parts.map((part) => h("pre", { class: "excerpt" }, part))
      : h("p", { class: "soft" }, "Nothing more is known."),
  );
}

function none() {
  return h(
    "div",
    { class: "empty" },
    h("strong", {}, "No errors"),
    "Programs can report theirs:",
    commandLine(request("POST", "errors")),
  );
}
