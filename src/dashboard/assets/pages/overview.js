// The machine and everything on it, at a glance.

import { get, list } from "/assets/api.js";
import { command } from "/assets/command.js";
import { FIELDS, change } from "/assets/deployments.js";
import { h } from "/assets/dom.js";
import { ago, clock, count, duration, percent, plural, words } from "/assets/format.js";
import * as machine from "/assets/machine.js";
import { badge, mark } from "/assets/parts/badge.js";
import { line, parts } from "/assets/parts/chart.js";
import { card, pageHead } from "/assets/parts/page_head.js";
import { empty } from "/assets/parts/states.js";
import { describe } from "/assets/happened.js";
import { taskTone, tone } from "/assets/status.js";

const MAX_TICKS = 30;
const MAX_ERRORS = 6;
const TASK_STATES = ["pending", "running", "completed", "failed"];
/** What happened, newest first: the last events of before, and all since. It outlives the page. */
const ticker = [];

export function open({ redraw }) {
  let deployments = [];
  let tasks = [];
  let errors = { rows: [], total: 0 };
  const unwatch = machine.watch(redraw);

  async function load(signal) {
    const since = new Date(Date.now() - 3_600_000).toISOString();
    const counted = (status) => list(`agent/tasks?status=${status}&limit=1`, { signal }).then(({ total }) => total);
    const [running, recent, ...totals] = await Promise.all([
      list(`deployments?limit=1000&fields=${FIELDS}`, { signal }),
      list(
        `errors?since=${encodeURIComponent(since)}&limit=${MAX_ERRORS}&fields=id,severity,message,project_name,project_id,deployment_id,occurred_at`,
        { signal },
      ),
      ...TASK_STATES.map(counted),
    ]);
    deployments = running.rows;
    errors = recent;
    if (ticker.length === 0) {
      await lookBack(signal);
    }
    tasks = TASK_STATES.map((name, index) => ({ name, value: totals[index], tone: taskTone(name) }));
  }

  function take(event) {
    const { type, channel, data } = event;
    if (!isWorthATick(event)) {
      return type !== "missed";
    }
    ticker.unshift(event);
    ticker.length = Math.min(ticker.length, MAX_TICKS);
    if (type === "deployment_status") {
      change(deployments, data);
    } else if (type === "error_logged") {
      const rows = [{ ...data, occurred_at: event.at }, ...errors.rows].slice(0, MAX_ERRORS);
      errors = { rows, total: errors.total + 1 };
    }
    redraw();
    return channel === "actors" || channel === "projects";
  }

  function view() {
    return h(
      "div",
      { class: "stack" },
      pageHead({ title: "Overview", lead: lead() }),
      troubles(deployments),
      h(
        "div",
        { class: "grid" },
        gauge("CPU", "cpu_percent"),
        gauge("Memory", "memory_percent"),
        gauge("Disk", "disk_percent"),
      ),
      h("div", { class: "grid wide" }, deploymentCard(deployments), taskCard(tasks)),
      h("div", { class: "grid wide" }, errorCard(errors), tickerCard()),
    );
  }

  return {
    title: "Overview",
    load,
    view,
    take,
    concerns: (event) => event.channel !== "system",
    every: 30_000,
    pause: 10_000,
    leave: unwatch,
  };
}

/** Shows what happened before the dashboard was opened. */
async function lookBack(signal) {
  const { events } = await get(`events?limit=${MAX_TICKS}`, { signal });
  const known = new Set(ticker.map(({ id }) => id));
  ticker.push(...events.reverse().filter((event) => isWorthATick(event) && !known.has(event.id)));
}

function isWorthATick({ type }) {
  return type !== "missed" && type !== "project_scan_progress";
}

function lead() {
  const { status } = machine;
  if (!status) {
    return null;
  }
  return `${plural(status.total_projects, "project")}, ${count(status.active_deployments)} running. BorgOS ${status.version} has been up for ${duration(status.service_uptime_seconds)}, the machine for ${duration(status.uptime_seconds)}.`;
}

/** What needs somebody's eyes comes first. */
function troubles(deployments) {
  const bad = deployments.filter((deployment) => ["bad", "warn"].includes(tone(deployment.status)));
  if (bad.length === 0) {
    return null;
  }
  const entry = (deployment) =>
    h(
      "li",
      { class: "trouble", "data-row": deployment.id },
      badge(deployment.status),
      h("a", { href: `#/deployments/${deployment.id}` }, deployment.name),
      h("span", { class: "soft wrap" }, deployment.reason),
    );
  return h(
    "section",
    { class: "card attention", key: "troubles" },
    h("h2", {}, `${plural(bad.length, "deployment needs", "deployments need")} attention`),
    h("ul", {}, bad.slice(0, 5).map(entry)),
  );
}

function gauge(name, field) {
  const value = machine.status?.[field];
  return h(
    "section",
    { class: "card gauge", key: name },
    h("header", {}, h("h2", {}, name), h("span", { class: "figure number" }, percent(value))),
    line(machine.history(field), `${name}: ${percent(value)}`),
  );
}

function deploymentCard(deployments) {
  const counts = new Map();
  for (const { status } of deployments) {
    counts.set(status, (counts.get(status) ?? 0) + 1);
  }
  const states = [...counts]
    .map(([name, value]) => ({ name: words(name), value, tone: tone(name) }))
    .sort((one, other) => other.value - one.value);
  const nothing = empty(
    "Nothing is deployed yet",
    "Choose a project, or deploy it from a terminal:",
    command("deploy", 1, "--port", 8090),
  );
  return card(
    "Deployments",
    { beside: h("a", { href: "#/deployments" }, "All") },
    deployments.length ? parts(states, "Deployments by state") : nothing,
  );
}

function taskCard(tasks) {
  const isIdle = tasks.every((part) => part.value === 0);
  const nothing = empty(
    "No tasks yet",
    "Agents work on what they are given:",
    command("tasks", "create", "--agent", "coder", "fix the failing test"),
  );
  return card(
    "Tasks",
    { beside: h("a", { href: "#/tasks" }, "All") },
    isIdle ? nothing : parts(tasks, "Tasks by status"),
  );
}

function errorCard({ rows, total }) {
  const entry = (error) =>
    h(
      "li",
      { key: error.id, "data-row": error.id },
      mark(tone(error.severity)),
      h("a", { class: "message", href: `#/errors?id=${error.id}` }, error.message.split("\n")[0]),
      h(
        "span",
        { class: "soft small when" },
        error.project_name ? `${error.project_name}, ` : "",
        ago(error.occurred_at),
      ),
    );
  return card(
    "Errors of the last hour",
    { beside: h("a", { href: "#/errors" }, total > rows.length ? `All ${total}` : "All") },
    rows.length
      ? h("ul", { class: "feed" }, rows.map(entry))
      : empty("No errors", "Nothing went wrong in the last hour."),
  );
}

function tickerCard() {
  const entry = (event) => {
    const { text, tone: mood, href } = describe(event);
    return h(
      "li",
      { key: event.id ?? event.offset },
      mark(mood),
      h(href ? "a" : "span", { class: "message", href }, text),
      h("span", { class: "soft small when number" }, clock(event.at)),
    );
  };
  return card(
    "What happens",
    {},
    ticker.length
      ? h("ul", { class: "feed ticker" }, ticker.map(entry))
      : empty("Quiet so far", "Events show up here as they happen. In a terminal:", command("events")),
  );
}
