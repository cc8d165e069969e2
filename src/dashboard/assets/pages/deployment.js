// One deployment: how it is, what it uses, what it prints, and what it ran before.

import { get, list } from "/assets/api.js";
import { command, request } from "/assets/command.js";
import { actionsOf, change, isStopped, portLink } from "/assets/deployments.js";
import { h, slot } from "/assets/dom.js";
import { ago, clock, duration } from "/assets/format.js";
import * as router from "/assets/router.js";
import { Actions } from "/assets/parts/actions.js";
import { badge } from "/assets/parts/badge.js";
import { LogView } from "/assets/parts/logs.js";
import { card, facts, pageHead } from "/assets/parts/page_head.js";
import { probeBar } from "/assets/parts/probes.js";
import { releaseList } from "/assets/parts/releases.js";
import { remember, usage } from "/assets/parts/usage.js";

export function open(context, id) {
  let deployment;
  let stats;
  let releases = [];
  const actions = new Actions(context);
  const rollbacks = new Actions(context);
  const logs = new LogView(id);

  async function load(signal) {
    const [row, used, past] = await Promise.all([
      get(`deployments/${id}`, { signal }),
      // What it uses cannot be told while the engine is away; all else can.
      get(`deployments/${id}/stats`, { signal }).catch(() => null),
      list(`deployments/${id}/releases?limit=10`, { signal }),
    ]);
    deployment = row;
    stats = used;
    remember(id, used);
    releases = past.rows;
    logs.start();
  }

  function view() {
    return h(
      "div",
      { class: "stack" },
      head(),
      deployment.reason &&
        h(
          "p",
          {
            class: `notice ${isStopped(deployment) && deployment.desired === "stopped" ? "idle" : reasonTone()}`,
            key: "reason",
          },
          deployment.reason,
        ),
      h("div", { class: "grid wide" }, usage(deployment, stats), aboutCard()),
      card(
        "Output",
        { beside: h("code", { class: "soft" }, command("logs", id, "--follow")) },
        slot("logs", logs.element),
      ),
      card("Releases", {}, releaseList(id, releases, rollbacks)),
      environmentCard(deployment.environment),
    );
  }

  function head() {
    const remove = {
      label: "Delete",
      method: "DELETE",
      path: `deployments/${id}`,
      line: request("DELETE", `deployments/${id}`),
      isDanger: true,
      ask: `${deployment.name} is stopped and deleted, with its output. Its name and port ${deployment.port} are free then.`,
      then: () => router.go("/deployments"),
    };
    const since = deployment.status === "running" ? deployment.started_at : deployment.observed_at;
    return pageHead({
      crumb: h("a", { href: "#/deployments" }, "Deployments"),
      title: deployment.name,
      beside: [badge(deployment.status), portLink(deployment)],
      lead: `since ${clock(since)}, observed ${ago(deployment.observed_at)}`,
      actions: actions.view([...actionsOf(deployment), remove]),
    });
  }

  function reasonTone() {
    return ["failed", "crash_looping", "restarting"].includes(deployment.status)
      ? "bad"
      : deployment.status === "running"
        ? "idle"
        : "warn";
  }

  function aboutCard() {
    return card(
      "About it",
      {},
      facts([
        ["Project", h("a", { href: `#/projects/${deployment.project_id}` }, `Project ${deployment.project_id}`)],
        ["Runs as", [deployment.runtime, deployment.container_id && h("code", {}, ` ${deployment.container_id}`)]],
        ["Image", deployment.image],
        ["Command", deployment.command && h("code", { class: "wrap" }, [deployment.command].flat().join(" "))],
        ["Health check", h("code", { class: "wrap" }, deployment.health_check_url)],
        ["Last probes", stats?.probes.length ? probeBar(stats.probes) : null],
        ["Restarts", deployment.restarts],
        ["Running for", stats?.uptime_seconds ? duration(stats.uptime_seconds) : null],
        ["Created", ago(deployment.created_at)],
      ]),
    );
  }

  function concerns({ channel, type, data }) {
    return (channel === "deployments" && data.id === id) || (type === "error_logged" && data.deployment_id === id);
  }

  function take({ type, data }) {
    if (type === "deployment_status" && deployment) {
      change([deployment], data);
      context.redraw();
    }
    return false;
  }

  return {
    get title() {
      return deployment?.name ?? "Deployment";
    },
    load,
    view,
    take,
    concerns,
    every: 10_000,
    leave: () => logs.stop(),
  };
}

function environmentCard(environment) {
  const pairs = Object.entries(environment);
  const rows = pairs.map(([name, value]) =>
    h("tr", {}, h("th", { scope: "row", class: "mono" }, name), h("td", { class: "mono wrap" }, value)),
  );
  return (
    pairs.length > 0 &&
    card(
      "Environment",
      { beside: h("span", { class: "soft small" }, "What looks secret is not shown") },
      h("table", { class: "pairs" }, h("tbody", {}, rows)),
    )
  );
}
