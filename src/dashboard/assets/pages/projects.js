// All projects.

import { act, list } from "/assets/api.js";
import { command } from "/assets/command.js";
import { h } from "/assets/dom.js";
import { ago, plural } from "/assets/format.js";
import { Actions } from "/assets/parts/actions.js";
import { tags } from "/assets/parts/badge.js";
import { score } from "/assets/parts/chart.js";
import { Filters } from "/assets/parts/filters.js";
import { prompt } from "/assets/parts/dialog.js";
import { pageHead } from "/assets/parts/page_head.js";
import { empty } from "/assets/parts/states.js";
import { Table } from "/assets/parts/table.js";

const FIELDS = "id,name,project_type,tech_stack,health_score,vibe_score,eco_score,updated_at";
/** As many are loaded before anything is shown. */
const FIRST = 100;
const MAX_TAGS = 4;

export function open(context) {
  let rows = [];
  let total = 0;
  const filters = new Filters(context.query, context.redraw);
  const actions = new Actions(context);
  const table = new Table(context, "Projects", [
    {
      name: "Name",
      by: (row) => row.name,
      isWide: true,
      cell: (row) => h("a", { href: `#/projects/${row.id}` }, row.name),
    },
    { name: "Stack", isMinor: true, cell: (row) => stack(row.tech_stack) },
    { name: "Type", by: (row) => row.project_type ?? "", isMinor: true, cell: (row) => row.project_type },
    { name: "Health", by: (row) => row.health_score, isNumber: true, cell: (row) => score(row.health_score) },
    { name: "Vibe", by: (row) => row.vibe_score, isNumber: true, isMinor: true, cell: (row) => score(row.vibe_score) },
    { name: "Eco", by: (row) => row.eco_score, isNumber: true, isMinor: true, cell: (row) => score(row.eco_score) },
    {
      name: "Changed",
      by: (row) => Date.parse(row.updated_at),
      isNumber: true,
      isMinor: true,
      cell: (row) => h("span", { class: "soft" }, ago(row.updated_at)),
    },
  ]);

  async function load(signal) {
    const page = (limit, offset) => list(`projects?fields=${FIELDS}&limit=${limit}&offset=${offset}`, { signal });
    const first = await page(FIRST, 0);
    total = first.total;
    rows = [...first.rows, ...rows.slice(first.rows.length)].slice(0, total);
    if (total > FIRST) {
      context.redraw();
      rest(page, first.rows, signal);
    }
  }

  async function rest(page, first, signal) {
    const all = [...first];
    while (all.length < total && !signal.aborted) {
      const next = await page(1000, all.length).catch(() => ({ rows: [] }));
      if (next.rows.length === 0) {
        return;
      }
      all.push(...next.rows);
    }
    rows = all;
    context.redraw();
  }

  function matching() {
    const wanted = filters.of("q").trim().toLowerCase().split(/\s+/);
    return rows.filter((row) => {
      const text = `${row.name} ${row.project_type ?? ""} ${row.tech_stack.join(" ")}`.toLowerCase();
      return wanted.every((word) => text.includes(word));
    });
  }

  function view() {
    const found = matching();
    const find = {
      label: "Find projects",
      run: discover,
      line: command("scan", "--discover", "~/code"),
      isPrimary: rows.length === 0,
    };
    return h(
      "div",
      {},
      pageHead({ title: "Projects", lead: plural(total, "project"), actions: actions.view([find]) }),
      h("div", { class: "toolbar" }, filters.search("q", "Name, stack or type")),
      h(
        "div",
        { class: "card flush" },
        rows.length === 0
          ? none()
          : found.length === 0
            ? empty("No project matches", "Try fewer words.")
            : table.view(found),
      ),
    );
  }

  const concerns = (event) => event.channel === "projects" && event.type !== "project_scan_progress";
  return { title: "Projects", load, view, concerns, take: (event) => changed(rows, event), every: 60_000 };
}

function stack(names) {
  const shown = names.slice(0, MAX_TAGS);
  return tags(names.length > MAX_TAGS ? [...shown, `+${names.length - MAX_TAGS}`] : shown);
}

/** What an event tells of a project is all that a row shows of it. */
function changed(rows, { type, data }) {
  const row = type === "project_scanned" && rows.find(({ id }) => id === data.id);
  if (!row) {
    return false;
  }
  const { health_score, vibe_score, eco_score } = data;
  Object.assign(row, { health_score, vibe_score, eco_score, updated_at: new Date().toISOString() });
  return true;
}

/** Asks for a directory, and has everything below it found. */
async function discover() {
  const path = await prompt({
    title: "Find projects",
    text: "Every project below this directory of the service's machine is added and scanned.",
    label: "Directory",
    placeholder: "/home/me/code",
    button: "Find",
  });
  return path === null ? null : act("POST", "projects/discover", { path });
}

function none() {
  return empty(
    "No projects yet",
    "Have every project below a directory found and scanned:",
    command("scan", "--discover", "~/code"),
  );
}
