// Releases of a deployment: how long each phase took, how a failed one ended, and the way back to an older one.

import { command } from "/assets/command.js";
import { h } from "/assets/dom.js";
import { ago, duration } from "/assets/format.js";
import { badge } from "/assets/parts/badge.js";
import { parts } from "/assets/parts/chart.js";
import { empty } from "/assets/parts/states.js";

const HUES = { build: 1, start: 2, health: 3, switch: 4 };

/** Shows releases, newest first. */
export function releaseList(id, releases, actions) {
  const candidates = releases.filter(({ status, is_serving }) => status === "ready" && !is_serving);
  const back = candidates.map(({ release }) => ({
    label: `Roll back to ${release}`,
    path: `deployments/${id}/rollback`,
    body: { release },
    line: command("rollback", id, release),
    ask: `Release ${release} is started again and serves once it is healthy. Nothing is built.`,
  }));
  if (releases.length === 0) {
    return empty("No release yet", "A release is what was built and runs.");
  }
  return h(
    "div",
    { class: "stack" },
    h("ol", { class: "releases" }, releases.map(entry)),
    back.length > 0 && actions.view(back.slice(0, 4)),
  );
}

function entry(release) {
  const phases = release.phases.map(({ phase, duration_ms }) => ({
    name: phase,
    value: Math.max(duration_ms, 1),
    shown: duration(duration_ms / 1000),
    hue: HUES[phase] ?? 0,
  }));
  return h(
    "li",
    { key: release.release },
    h(
      "div",
      { class: "row" },
      h("strong", {}, `Release ${release.release}`),
      release.is_serving
        ? badge("serving", "good")
        : badge(release.status, release.status === "ready" ? "idle" : undefined),
      h("span", { class: "soft small" }, `${ago(release.created_at)}, by ${release.created_by}`),
    ),
    release.reason &&
      h(
        "p",
        { class: "soft wrap" },
        release.reason,
        typeof release.exit_code === "number" && ` (exit code ${release.exit_code})`,
        release.is_oom && " out of memory",
      ),
    phases.length > 0 && parts(phases, `Phases of release ${release.release}`),
    excerpt("What it said last", release.last_lines),
    excerpt("What the build said", release.build_log),
  );
}

function excerpt(title, lines) {
  return (
    lines.length > 0 && h("details", {}, h("summary", {}, title), h("pre", { class: "excerpt" }, lines.join("\n")))
  );
}
