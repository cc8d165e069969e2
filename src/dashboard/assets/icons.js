// Small drawings: those of places and buttons, and the shapes that tell states apart without colour.

import { s } from "/assets/dom.js";

const ICONS = {
  overview: ["M3 13h5l2-7 4 13 2-6h5"],
  projects: ["M3 7a2 2 0 0 1 2-2h4l2 2.500h8a2 2 0 0 1 2 2V17a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2z"],
  deployments: ["M12 3l8 4.500v9L12 21l-8-4.500v-9z", "M4 7.500l8 4.500 8-4.500", "M12 12v9"],
  actors: [
    "M12 4.500v5",
    "M6 14.500v-2.500a2 2 0 0 1 2-2h8a2 2 0 0 1 2 2v2.500",
    "M10 2.500h4v3h-4z",
    "M4 15h4v4H4z",
    "M16 15h4v4h-4z",
  ],
  tasks: ["M9 6h11", "M9 12h11", "M9 18h11", "M4 6l.8.8L6.500 5", "M4 12l.8.8L6.500 11", "M4 18l.8.8L6.500 17"],
  errors: ["M12 3.500l9 16H3z", "M12 10v4.500", "M12 17v.01"],
  search: ["M10.500 17.500a7 7 0 1 0 0-14 7 7 0 0 0 0 14z", "M20.500 20.500l-5-5"],
  terminal: ["M5 7l5 5-5 5", "M12.500 17H19"],
  copy: ["M9 9h10v11H9z", "M5 15V4h10"],
  sun: [
    "M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8z",
    "M12 2.500v2M12 19.500v2M2.500 12h2M19.500 12h2M5.300 5.300l1.400 1.400M17.300 17.300l1.400 1.400M5.300 18.700l1.400-1.400M17.300 6.700l1.400-1.400",
  ],
  moon: ["M20 14.500A8.500 8.500 0 0 1 9.500 4a8.500 8.500 0 1 0 10.500 10.500z"],
  help: ["M9 9.200a3 3 0 1 1 4.300 2.700c-.9.500-1.300 1-1.300 2.100", "M12 17.500v.01"],
  leave: ["M14 4H5v16h9", "M10 12h11", "M17.500 8.500L21 12l-3.500 3.500"],
  close: ["M6 6l12 12", "M18 6L6 18"],
  external: ["M14 4h6v6", "M20 4l-9 9", "M18 14v5H5V6h5"],
};

/** A word for each shape is always beside it, so it is hidden from those who listen. */
const SHAPES = {
  good: () => s("circle", { cx: 8, cy: 8, r: 6, fill: "currentColor" }),
  busy: () =>
    s("path", {
      d: "M8 2a6 6 0 1 1-5.600 3.850",
      fill: "none",
      stroke: "currentColor",
      "stroke-width": 2.6,
      "stroke-linecap": "round",
    }),
  warn: () => s("path", { d: "M8 1.500 15.200 14.500H.8z", fill: "currentColor" }),
  bad: () =>
    s("path", {
      d: "M3 3l10 10M13 3L3 13",
      fill: "none",
      stroke: "currentColor",
      "stroke-width": 3.4,
      "stroke-linecap": "round",
    }),
  idle: () => s("circle", { cx: 8, cy: 8, r: 5, fill: "none", stroke: "currentColor", "stroke-width": 2.2 }),
};

/** Draws an icon. */
export function icon(name) {
  const paths = ICONS[name].map((d) => s("path", { d }));
  return s("svg", { class: "icon", viewBox: "0 0 24 24", "aria-hidden": "true" }, paths);
}

/** Draws the shape of a tone. */
export function shape(tone) {
  return s("svg", { class: "shape", viewBox: "0 0 16 16", "aria-hidden": "true" }, SHAPES[tone]());
}
