// All deployments.

import { list } from "/assets/api.js";
import { command } from "/assets/command.js";
import { FIELDS, change, portLink } from "/assets/deployments.js";
import { h } from "/assets/dom.js";
import { ago, plural, words } from "/assets/format.js";
import { badge } from "/assets/parts/badge.js";
import { Filters } from "/assets/parts/filters.js";
import { pageHead } from "/assets/parts/page_head.js";
import { empty } from "/assets/parts/states.js";
import { Table } from "/assets/parts/table.js";
import { tone, worse } from "/assets/status.js";

const BADNESS = ["good", "idle", "busy", "warn", "bad"];

export function open(context) {
  let rows = [];
  let total = 0;
  const filters = new Filters(context.query, context.redraw);
  const table = new Table(
    context,
    "Deployments",
    [
      {
        name: "Name",
        by: (row) => row.name,
        isWide: true,
        cell: (row) => h("a", { href: `#/deployments/${row.id}` }, row.name),
      },
      { name: "State", by: (row) => BADNESS.indexOf(tone(row.status)), cell: state },
      { name: "Port", by: (row) => row.port, isNumber: true, cell: portLink },
      { name: "Restarts", by: (row) => row.restarts, isNumber: true, isMinor: true, cell: (row) => row.restarts },
      { name: "Runs as", by: (row) => row.runtime, isMinor: true, cell: (row) => row.runtime },
      {
        name: "Since",
        by: (row) => Date.parse(row.observed_at),
        isNumber: true,
        isMinor: true,
        cell: (row) => h("span", { class: "soft" }, ago(row.status === "running" ? row.started_at : row.observed_at)),
      },
    ],
    0,
  );

  async function load(signal) {
    ({ rows, total } = await list(`deployments?limit=1000&fields=${FIELDS}`, { signal }));
  }

  function view() {
    const wanted = filters.of("q").trim().toLowerCase();
    const status = filters.of("status");
    const isFound = (row) =>
      (!status || row.status === status) &&
      `${row.name} ${row.port} ${row.status} ${row.reason ?? ""}`.toLowerCase().includes(wanted);
    const found = rows.filter(isFound);
    return h(
      "div",
      {},
      pageHead({ title: "Deployments", lead: plural(total, "deployment"), beside: rows.length > 0 && whole(rows) }),
      h(
        "div",
        { class: "toolbar" },
        filters.search("q", "Name, port, state or reason"),
        filters.tabs("status", "State", tabs(rows)),
      ),
      h(
        "div",
        { class: "card flush" },
        rows.length === 0
          ? none()
          : found.length === 0
            ? empty("No deployment matches", "Try fewer words, or another state.")
            : table.view(found),
      ),
    );
  }

  const take = ({ type, data }) => {
    if (type === "deployment_status") {
      change(rows, data);
      context.redraw();
    }
    return false;
  };
  return {
    title: "Deployments",
    load,
    view,
    take,
    concerns: ({ channel }) => channel === "deployments",
    every: 60_000,
  };
}

function state(row) {
  const reason = row.status === "running" ? null : row.reason;
  return h(
    "div",
    { class: "state" },
    badge(row.status),
    reason && h("span", { class: "soft small clip", title: reason }, reason),
  );
}

/** Whether all is well, in one badge. */
function whole(rows) {
  const worst = rows.map(({ status }) => tone(status)).reduce(worse, "good");
  const isBad = worst === "bad" || worst === "warn";
  return badge(isBad ? "needs attention" : "all is well", isBad ? worst : "good");
}

function tabs(rows) {
  const states = [...new Set(rows.map(({ status }) => status))].sort();
  return [
    ["", "All", rows.length],
    ...states.map((status) => [status, words(status), rows.filter((row) => row.status === status).length]),
  ];
}

function none() {
  return empty(
    "Nothing is deployed yet",
    h("span", {}, "Open a ", h("a", { href: "#/projects" }, "project"), " and deploy it, or from a terminal:"),
    command("deploy", 1, "--port", 8090),
  );
}
