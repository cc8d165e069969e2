// Attempts over time, as bars beside each other.

import { h, s } from "/assets/dom.js";
import { clock, duration, words } from "/assets/format.js";
import { badge } from "/assets/parts/badge.js";

const WIDTH = 1000;
/** The shortest attempt is seen, too. */
const LEAST = 6;

/** Draws attempts, each on a line of its own within the time of them all. */
export function timeline(attempts) {
  const start = Date.parse(attempts[0].started_at);
  const end = Math.max(...attempts.map((attempt) => endOf(attempt)), start + 1);
  const x = (time) => ((time - start) / (end - start)) * WIDTH;
  const row = (attempt) => {
    const [from, to] = [Date.parse(attempt.started_at), endOf(attempt)];
    const tone = toneOf(attempt);
    return h(
      "li",
      { key: attempt.number },
      h("span", { class: "number soft" }, attempt.number),
      s(
        "svg",
        {
          viewBox: `0 0 ${WIDTH} 14`,
          preserveAspectRatio: "none",
          role: "img",
          "aria-label": `${clock(attempt.started_at)} for ${duration((to - from) / 1000)}`,
        },
        s("rect", { class: "track", y: 6, width: WIDTH, height: 2 }),
        s("rect", {
          class: `fill ${tone}`,
          x: Math.min(x(from), WIDTH - LEAST),
          width: Math.max(x(to) - x(from), LEAST),
          height: 14,
          rx: 3,
        }),
      ),
      h("span", { class: "number small" }, duration((to - from) / 1000)),
      badge(attempt.outcome ?? "running", tone),
      attempt.error &&
        h(
          "span",
          { class: "reason soft small wrap" },
          attempt.error_kind && `${words(attempt.error_kind)}: `,
          attempt.error,
        ),
    );
  };
  return h("ol", { class: "timeline" }, attempts.map(row));
}

function endOf({ ended_at }) {
  return ended_at ? Date.parse(ended_at) : Date.now();
}

function toneOf({ outcome }) {
  return { completed: "good", failed: "bad", lost: "warn", interrupted: "warn", cancelled: "idle" }[outcome] ?? "busy";
}
