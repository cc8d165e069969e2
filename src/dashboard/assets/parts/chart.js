// Charts, drawn as SVG: lines over time, rings of shares, bars of parts.

import { h, s } from "/assets/dom.js";

const WIDTH = 300;
const HEIGHT = 72;
/** A longer pause between two points is a gap in the line. */
const GAP_MS = 20_000;

/** Draws how a number between 0 and 100 has been in the last minutes; points are pairs of time and value. */
export function line(points, label) {
  const end = points.at(-1)?.[0] ?? 0;
  const span = Math.max(end - (points[0]?.[0] ?? 0), 60_000);
  const x = (at) => WIDTH - ((end - at) / span) * WIDTH;
  const y = (value) => HEIGHT - 2 - (Math.min(Math.max(value, 0), 100) / 100) * (HEIGHT - 4);
  const runs = split(points);
  const path = (run) =>
    run.map(([at, value], index) => `${index ? "L" : "M"}${x(at).toFixed(1)} ${y(value).toFixed(1)}`).join("");
  const area = (run) => `${path(run)}L${x(run.at(-1)[0]).toFixed(1)} ${HEIGHT}L${x(run[0][0]).toFixed(1)} ${HEIGHT}Z`;
  return s(
    "svg",
    {
      class: "line-chart",
      viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
      preserveAspectRatio: "none",
      role: "img",
      "aria-label": label,
    },
    [25, 50, 75].map((value) => s("path", { class: "rule", d: `M0 ${y(value)}H${WIDTH}` })),
    runs.map((run) => s("path", { class: "area", d: area(run) })),
    runs.map((run) => s("path", { class: "stroke", d: path(run) })),
  );
}

/** Draws a score from 0 to 100 as a ring with the number in it. */
export function ring(value, label) {
  const length = 2 * Math.PI * 26;
  const part = value === null || value === undefined ? 0 : (value / 100) * length;
  return s(
    "svg",
    {
      class: `ring ${scoreTone(value)}`,
      viewBox: "0 0 64 64",
      role: "img",
      "aria-label": `${label}: ${value ?? "unknown"}`,
    },
    s("circle", { class: "track", cx: 32, cy: 32, r: 26 }),
    part > 0 &&
      s("circle", {
        class: "part",
        cx: 32,
        cy: 32,
        r: 26,
        "stroke-dasharray": `${part} ${length}`,
        transform: "rotate(-90 32 32)",
      }),
    s("text", { x: 32, y: 38, "text-anchor": "middle" }, value ?? "–"),
  );
}

/** Draws a score as a number with a short bar. */
export function score(value) {
  return h(
    "span",
    { class: `score ${scoreTone(value)}` },
    h("span", {}, value ?? "–"),
    s(
      "svg",
      { viewBox: "0 0 40 4", "aria-hidden": "true" },
      s("rect", { class: "track", width: 40, height: 4, rx: 2 }),
      s("rect", { class: "part", width: ((value ?? 0) / 100) * 40, height: 4, rx: 2 }),
    ),
  );
}

/** Draws parts of a whole beside each other, with a legend; each has a `name`, a `value` and a `tone` or a `hue`. */
export function parts(all, label) {
  const whole = all.reduce((sum, part) => sum + part.value, 0);
  let at = 0;
  const block = (part) => {
    const width = (part.value / whole) * 400;
    const drawn = s("rect", { class: dress(part), x: at, width: Math.max(width - 1.5, 1), height: 10, rx: 2 });
    at += width;
    return drawn;
  };
  return h(
    "div",
    { class: "parts" },
    s(
      "svg",
      { viewBox: "0 0 400 10", preserveAspectRatio: "none", role: "img", "aria-label": label },
      whole > 0
        ? all.filter((part) => part.value > 0).map(block)
        : s("rect", { class: "track", width: 400, height: 10, rx: 3 }),
    ),
    h(
      "ul",
      {},
      all.map((part) =>
        h(
          "li",
          {},
          s(
            "svg",
            { class: "key", viewBox: "0 0 10 10", "aria-hidden": "true" },
            s("rect", { class: dress(part), width: 10, height: 10, rx: 2 }),
          ),
          part.name,
          h("span", { class: "number" }, part.shown ?? part.value),
        ),
      ),
    ),
  );
}

/** Returns how good a score is. */
export function scoreTone(value) {
  if (value === null || value === undefined) {
    return "idle";
  }
  return value >= 75 ? "good" : value >= 50 ? "warn" : "bad";
}

function dress(part) {
  return part.tone ? `fill ${part.tone}` : `fill hue-${part.hue}`;
}

function split(points) {
  const runs = [];
  for (const point of points) {
    const run = runs.at(-1);
    if (run && point[0] - run.at(-1)[0] <= GAP_MS) {
      run.push(point);
    } else {
      runs.push([point]);
    }
  }
  return runs;
}
