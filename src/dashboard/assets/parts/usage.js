// What a deployment uses.

import { h } from "/assets/dom.js";
import { bytes, percent } from "/assets/format.js";
import { line } from "/assets/parts/chart.js";
import { card, facts } from "/assets/parts/page_head.js";

const MAX_POINTS = 120;
/** What was seen of each deployment while the dashboard was open. */
const seen = new Map();

/** Shows CPU and memory now and in the last minutes. */
export function usage(deployment, stats) {
  const points = seen.get(deployment.id) ?? [];
  const limits = {
    cpu: deployment.cpu_limit ? `of ${deployment.cpu_limit} CPU` : null,
    memory: deployment.memory_limit ? `of ${deployment.memory_limit}` : null,
  };
  return card(
    "Uses",
    {},
    h(
      "div",
      { class: "grid uses" },
      figure(
        "CPU",
        percent(stats?.cpu_percent),
        limits.cpu,
        points.map(([at, cpu]) => [at, cpu]),
      ),
      figure("Memory", bytes(stats?.memory_bytes), limits.memory, scaled(points)),
    ),
    facts([
      [
        "Network",
        stats?.network_rx_bytes !== null && stats
          ? `${bytes(stats.network_rx_bytes)} in, ${bytes(stats.network_tx_bytes)} out`
          : null,
      ],
      ["Processes", stats?.num_processes],
    ]),
  );
}

function figure(name, value, limit, points) {
  return h(
    "div",
    { class: "gauge" },
    h(
      "div",
      { class: "row between" },
      h("span", { class: "soft" }, name),
      h("span", { class: "figure number" }, value, limit && h("span", { class: "soft small" }, ` ${limit}`)),
    ),
    line(points, `${name}: ${value}`),
  );
}

/** Memory has no hundred: the line shows it beside the most that was seen. */
function scaled(points) {
  const most = Math.max(1, ...points.map(([, , memory]) => memory)) * 1.25;
  return points.map(([at, , memory]) => [at, (memory / most) * 100]);
}

/** Notes what a deployment uses now. */
export function remember(id, stats) {
  if (typeof stats?.cpu_percent !== "number") {
    return;
  }
  const points = seen.get(id) ?? [];
  points.push([Date.now(), stats.cpu_percent, stats.memory_bytes]);
  points.splice(0, points.length - MAX_POINTS);
  seen.set(id, points);
}
