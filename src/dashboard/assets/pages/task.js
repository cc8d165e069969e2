// One task: what is to be done, each attempt at it, and what came of it.

import { get } from "/assets/api.js";
import { command } from "/assets/command.js";
import { h } from "/assets/dom.js";
import { ago, clock, duration } from "/assets/format.js";
import { Actions } from "/assets/parts/actions.js";
import { badge } from "/assets/parts/badge.js";
import { card, facts, pageHead } from "/assets/parts/page_head.js";
import { empty } from "/assets/parts/states.js";
import { timeline } from "/assets/parts/timeline.js";
import { taskTone } from "/assets/status.js";

const FINISHED = ["completed", "failed", "cancelled"];

export function open(context, id) {
  let task;
  const actions = new Actions(context);

  async function load(signal) {
    task = await get(`agent/tasks/${id}`, { signal });
  }

  function take({ type, channel, data }) {
    if (channel === "tasks" && type === "task_progress" && data.id === id && task) {
      task.progress = data.progress;
      return true;
    }
    return false;
  }

  function view() {
    const isOver = FINISHED.includes(task.state);
    const cancel = {
      label: "Cancel",
      path: `agent/tasks/${id}/cancel`,
      line: command("tasks", "cancel", id),
      isDanger: true,
      isOff: isOver,
      ask: `Task ${id} is called off; what runs for it is ended.`,
    };
    const retry = {
      label: "Retry",
      path: `agent/tasks/${id}/retry`,
      line: command("tasks", "retry", id),
      isOff: !isOver || task.state === "completed",
    };
    return h(
      "div",
      { class: "stack" },
      pageHead({
        crumb: h("a", { href: "#/tasks" }, "Tasks"),
        title: `Task ${id}`,
        beside: badge(task.state, taskTone(task.state)),
        lead: `${task.agent_type}, ${task.task_type}`,
        actions: actions.view([retry, cancel]),
      }),
      task.error && h("p", { class: "notice bad", key: "error" }, task.error),
      task.progress &&
        task.state === "running" &&
        h("p", { class: "notice busy", key: "progress" }, text(task.progress)),
      card("To be done", {}, h("p", { class: "wrap prose" }, task.description)),
      card("Attempts", {}, task.attempts.length > 0 ? timeline(task.attempts) : empty("No attempt yet", waits(task))),
      h(
        "div",
        { class: "grid wide" },
        about(task),
        card(
          "Output",
          {},
          task.output === null
            ? empty("Nothing yet", "What the agent gives back is shown here.")
            : h("pre", { class: "excerpt" }, text(task.output)),
        ),
      ),
    );
  }

  const concerns = ({ channel, type, data }) => channel === "tasks" && data.id === id && type !== "task_progress";
  return { title: `Task ${id}`, load, view, take, concerns, every: 15_000 };
}

function about(task) {
  const input = Object.keys(task.input_data ?? {}).length > 0;
  return card(
    "About it",
    {},
    facts([
      ["Project", task.project_id && h("a", { href: `#/projects/${task.project_id}` }, `Project ${task.project_id}`)],
      ["Priority", task.priority],
      ["Tries", `${task.attempt} of ${task.max_attempts}`],
      ["Created", `${clock(task.created_at)}, ${ago(task.created_at)}`],
      ["Not before", task.started_at ? null : clock(task.run_at)],
      [
        "Took",
        task.started_at && task.finished_at
          ? duration((Date.parse(task.finished_at) - Date.parse(task.started_at)) / 1000)
          : null,
      ],
      ["Key", task.unique_key],
    ]),
    input && h("details", {}, h("summary", {}, "Input"), h("pre", { class: "excerpt" }, text(task.input_data))),
  );
}

function waits({ state, run_at }) {
  return state === "scheduled" ? `It is begun ${ago(run_at)}.` : "It is begun as soon as its agent has room.";
}

function text(value) {
  return typeof value === "string"
    ? value
    : typeof value?.message === "string"
      ? value.message
      : JSON.stringify(value, null, 2);
}
