// The last health checks, oldest first.

import { h, s } from "/assets/dom.js";
import { clock } from "/assets/format.js";

/** Draws a bar for each probe: full for a good one, half for a bad one. */
export function probeBar(probes) {
  const all = [...probes].reverse();
  const numBad = all.filter(({ is_well }) => !is_well).length;
  const bar = ({ is_well, at, reason }, index) =>
    s(
      "rect",
      {
        class: `fill ${is_well ? "good" : "bad"}`,
        x: index * 7,
        y: is_well ? 0 : 8,
        width: 5,
        height: is_well ? 16 : 8,
        rx: 1.5,
      },
      s("title", {}, `${clock(at)} ${is_well ? "well" : (reason ?? "not well")}`),
    );
  return h(
    "span",
    { class: "row" },
    s(
      "svg",
      {
        class: "probes",
        width: all.length * 7,
        height: 16,
        role: "img",
        "aria-label": `${all.length} probes, ${numBad} bad`,
      },
      all.map(bar),
    ),
    h("span", { class: "soft small" }, numBad > 0 ? `${numBad} of ${all.length} failed` : "all well"),
  );
}
