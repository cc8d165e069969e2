// Scores, with the parts that made them and what would raise them.

import { h, s } from "/assets/dom.js";
import { words } from "/assets/format.js";
import { ring, scoreTone } from "/assets/parts/chart.js";

const MEANINGS = { health: "Is it in order?", vibe: "Is it a joy to work in?", eco: "Is it sparing?" };

/** Shows the three scores of a project. */
export function scoreCards(scores) {
  return h(
    "div",
    { class: "grid" },
    Object.entries(MEANINGS).map(([name, meaning]) => scoreCard(name, meaning, scores?.[name])),
  );
}

function scoreCard(name, meaning, score) {
  const parts = [...(score?.parts ?? [])].sort((one, other) => loss(other) - loss(one));
  return h(
    "section",
    { class: "card score-card", key: name },
    h(
      "header",
      {},
      h(
        "div",
        {},
        h(
          "h2",
          {},
          words(name).replace(/^./, (letter) => letter.toUpperCase()),
        ),
        h("p", { class: "soft small" }, meaning),
      ),
      ring(score?.value, name),
    ),
    h("ul", {}, parts.map(part)),
    score &&
      score.confidence < 1 &&
      h("p", { class: "soft small" }, `${Math.round(score.confidence * 100)} % of what counts is known.`),
  );
}

function part({ name, score, reason, advice, weight }) {
  const points = score === null ? null : Math.round(score * 100);
  return h(
    "li",
    { class: scoreTone(points), title: `counts ${weight}` },
    h("span", { class: "part-name" }, words(name)),
    s(
      "svg",
      { viewBox: "0 0 60 4", "aria-hidden": "true" },
      s("rect", { class: "track", width: 60, height: 4, rx: 2 }),
      s("rect", { class: "part", width: ((points ?? 0) / 100) * 60, height: 4, rx: 2 }),
    ),
    h("span", { class: "number soft small" }, points ?? "?"),
    h("span", { class: "reason small wrap" }, reason, advice && h("span", { class: "advice" }, advice)),
  );
}

/** What a part costs: those that cost most come first, those that are unknown last. */
function loss({ score, weight }) {
  return score === null ? -1 : (1 - score) * weight;
}
