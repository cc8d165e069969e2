// Agent Zero: whether it runs, what it can do, and what it prints.

import { act, get } from "/assets/api.js";
import { command } from "/assets/command.js";
import { h } from "/assets/dom.js";
import { ago, words } from "/assets/format.js";
import { icon } from "/assets/icons.js";
import { Actions } from "/assets/parts/actions.js";
import { badge, mark } from "/assets/parts/badge.js";
import { card, facts, pageHead } from "/assets/parts/page_head.js";
import { empty } from "/assets/parts/states.js";

export function open(context) {
  let status;
  let capabilities = [];
  let lines = [];
  const actions = new Actions(context);
  const asking = new Actions(context);
  let prompt = "";

  async function load(signal) {
    const [now, able, logs] = await Promise.all([
      get("agent-zero/status", { signal }),
      get("agent-zero/capabilities?detail=true", { signal }).catch(() => []),
      get("agent-zero/logs?tail=200", { signal }).catch(() => ({ lines: [] })),
    ]);
    status = now;
    capabilities = able;
    lines = logs.lines;
  }

  function view() {
    const isDown = ["stopped", "failed", "unknown"].includes(status.state);
    const verb = (label, name, more) => ({
      label,
      path: `agent-zero/${name}`,
      line: command("agent-zero", name),
      ...more,
    });
    const all = [
      verb("Start", "start", { isPrimary: isDown, isOff: !isDown || !status.directory }),
      verb("Stop", "stop", {
        isDanger: true,
        isOff: isDown,
        ask: "Agent Zero and everything that it has started is stopped. Its tasks wait until it runs again.",
      }),
      {
        label: "Restart",
        path: "agent-zero/restart",
        isOff: isDown,
        ask: "Agent Zero is stopped and started. Its tasks begin again.",
      },
    ];
    return h(
      "div",
      { class: "stack" },
      pageHead({
        crumb: h("a", { href: "#/tasks" }, "Tasks"),
        title: "Agent Zero",
        beside: badge(status.state),
        lead: `since ${ago(status.since)}`,
        actions: actions.view(all),
      }),
      !status.directory &&
        h(
          "div",
          { class: "card", key: "none" },
          empty(
            "Agent Zero is not set up",
            "Start BorgOS with the directory that has its run_ui.py:",
            command("serve", "--agent-zero-dir", "~/agent-zero"),
          ),
        ),
      status.reason &&
        h("p", { class: `notice ${status.state === "failed" ? "bad" : "idle"}`, key: "reason" }, status.reason),
      h("div", { class: "grid wide" }, status.directory && aboutCard(status), abilityCard(capabilities)),
      status.directory && askCard(),
      card(
        "Output",
        { beside: h("code", { class: "soft" }, command("agent-zero", "logs", "--follow")) },
        lines.length > 0
          ? h("pre", { class: "excerpt tall" }, lines.map(text).join("\n"))
          : empty("Nothing was printed yet", "What Agent Zero prints is shown here, without secrets."),
      ),
    );
  }

  function askCard() {
    const send = {
      label: "Hand over",
      isPrimary: true,
      isOff: prompt.trim() === "",
      line: command("tasks", "create", "--agent", "agent-zero", prompt || "…"),
      run: handOver,
    };
    const type = (event) => {
      prompt = event.target.value;
      context.redraw();
    };
    return card(
      "A task for it",
      {},
      h(
        "label",
        { class: "field" },
        h("span", {}, "What is to be done"),
        h("textarea", { rows: 3, value: prompt, oninput: type }),
      ),
      asking.view([send]),
    );
  }

  async function handOver() {
    const created = await act("POST", "agent-zero/execute", {
      type: "prompt",
      description: prompt.slice(0, 200),
      prompt,
      context: {},
    });
    prompt = "";
    return { message: `${created.message}: task ${created.task_id}` };
  }

  return { title: "Agent Zero", load, view, concerns: ({ channel }) => channel === "agent-zero", every: 10_000 };
}

function aboutCard(status) {
  const page = `http://${location.hostname}:${Number(status.port)}`;
  return card(
    "About it",
    {},
    facts([
      [
        "Page",
        status.running
          ? h("a", { class: "row", href: page, target: "_blank", rel: "noreferrer noopener" }, page, icon("external"))
          : null,
      ],
      ["Version", status.version],
      ["Directory", status.directory && h("code", { class: "wrap" }, status.directory)],
      ["Process", status.process_id],
      ["Restarts", status.restarts],
      ["Next start", status.next_start_at && ago(status.next_start_at)],
    ]),
  );
}

function abilityCard(capabilities) {
  const entry = ({ name, available, verified, evidence }) =>
    h(
      "li",
      { key: name, title: evidence },
      mark(available ? "good" : "idle"),
      h("span", {}, words(name)),
      h("span", { class: "soft small" }, available ? (verified ? "seen" : "supposed") : "no"),
    );
  return card(
    "What it can do",
    {},
    capabilities.length > 0
      ? h("ul", { class: "abilities" }, capabilities.map(entry))
      : empty("Nothing is known yet", "That is found out when it runs."),
  );
}

function text(line) {
  return typeof line === "string" ? line : (line.text ?? line.message ?? JSON.stringify(line));
}
