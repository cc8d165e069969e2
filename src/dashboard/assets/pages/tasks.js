// Work for agents: what waits, what is being done, and who does it.

import { get, list } from "/assets/api.js";
import { command, request } from "/assets/command.js";
import { h } from "/assets/dom.js";
import { ago, count, plural, words } from "/assets/format.js";
import { Actions } from "/assets/parts/actions.js";
import { badge } from "/assets/parts/badge.js";
import { Filters } from "/assets/parts/filters.js";
import { pageHead } from "/assets/parts/page_head.js";
import { empty } from "/assets/parts/states.js";
import { Table } from "/assets/parts/table.js";
import { taskTone } from "/assets/status.js";

const STATUSES = ["pending", "running", "completed", "failed"];
const MAX_ROWS = 100;

export function open(context) {
  let rows = [];
  let total = 0;
  let totals = {};
  let agents = [];
  const bars = new Map();
  const filters = new Filters(context.query, context.reload);
  const table = new Table(
    context,
    "Tasks",
    [
      {
        name: "Task",
        by: (row) => row.id,
        isWide: true,
        cell: (row) => h("a", { class: "clip", href: `#/tasks/${row.id}` }, `${row.id} ${row.description}`),
      },
      { name: "State", by: (row) => row.state, cell: (row) => badge(row.state, taskTone(row.state)) },
      { name: "Agent", by: (row) => row.agent_type, isMinor: true, cell: (row) => row.agent_type },
      {
        name: "Tries",
        by: (row) => row.attempt,
        isNumber: true,
        isMinor: true,
        cell: (row) => `${row.attempt} of ${row.max_attempts}`,
      },
      { name: "Priority", by: (row) => row.priority, isNumber: true, isMinor: true, cell: (row) => row.priority },
      {
        name: "Created",
        by: (row) => Date.parse(row.created_at),
        isNumber: true,
        isMinor: true,
        cell: (row) => h("span", { class: "soft" }, ago(row.created_at)),
      },
    ],
    -1,
  );

  async function load(signal) {
    const query = new URLSearchParams({ limit: MAX_ROWS });
    for (const name of ["status", "agent_type"]) {
      if (filters.of(name)) {
        query.set(name, filters.of(name));
      }
    }
    const counted = (status) =>
      list(`agent/tasks?status=${status}&limit=1`, { signal }).then((page) => [status, page.total]);
    const [page, all, ...numbers] = await Promise.all([
      list(`agent/tasks?${query}`, { signal }),
      get("agent/agents", { signal }),
      ...STATUSES.map(counted),
    ]);
    ({ rows, total } = page);
    agents = all;
    totals = Object.fromEntries(numbers);
  }

  function view() {
    const tabs = [
      ["", "All", count(Object.values(totals).reduce((sum, number) => sum + number, 0))],
      ...STATUSES.map((status) => [status, status, count(totals[status] ?? 0)]),
    ];
    const isFiltered = filters.of("status") || filters.of("agent_type");
    return h(
      "div",
      { class: "stack" },
      pageHead({
        title: "Tasks",
        lead: plural(total, "task"),
        actions: h("a", { class: "button", href: "#/agent-zero" }, "Agent Zero"),
      }),
      agents.length > 0 && h("div", { class: "grid" }, agents.map(agentCard)),
      h(
        "div",
        { class: "toolbar" },
        filters.tabs("status", "Status", tabs),
        filters.choice(
          "agent_type",
          "Any agent",
          agents.map(({ agent_type }) => agent_type),
        ),
      ),
      h(
        "div",
        { class: "card flush" },
        rows.length > 0
          ? table.view(rows)
          : isFiltered
            ? empty("No task is like that", "Choose another status or agent.")
            : none(agents),
      ),
    );
  }

  function agentCard(agent) {
    const name = agent.agent_type;
    const path = (verb) => `agent/agents/${encodeURIComponent(name)}/${verb}`;
    const bar = bars.get(name) ?? new Actions(context);
    bars.set(name, bar);
    const verb = agent.is_paused ? "resume" : "pause";
    const { status, reason } = agent.health;
    return h(
      "section",
      { class: "card agent", key: name },
      h("header", {}, h("h2", {}, name), badge(agent.is_paused ? "paused" : status)),
      reason && h("p", { class: "soft small wrap" }, reason),
      h(
        "div",
        { class: "row" },
        h(
          "p",
          { class: "soft small" },
          `${words(agent.kind)}, ${agent.running} of ${agent.concurrency} at work, ${count(agent.waiting)} waiting`,
        ),
        bar.view([
          { label: agent.is_paused ? "Resume" : "Pause", path: path(verb), line: request("POST", path(verb)) },
        ]),
      ),
    );
  }

  return {
    title: "Tasks",
    load,
    view,
    concerns: ({ channel, type }) => (channel === "tasks" && type !== "task_progress") || channel === "agent-zero",
    every: 30_000,
    pause: 6_000,
  };
}

function none(agents) {
  if (agents.length === 0) {
    return empty(
      "No agents are configured",
      "An agent is a table in borgos.toml, such as [agents.coder]. The README shows how.",
    );
  }
  return empty(
    "No tasks yet",
    "Give an agent something to do:",
    command("tasks", "create", "--agent", agents[0].agent_type, "fix the failing test"),
  );
}
