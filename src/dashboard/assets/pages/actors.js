// What runs inside BorgOS: the supervision tree.

import { get, list } from "/assets/api.js";
import { command } from "/assets/command.js";
import { change } from "/assets/deployments.js";
import { h, s } from "/assets/dom.js";
import { ago, count, duration, plural, words } from "/assets/format.js";
import { Actions } from "/assets/parts/actions.js";
import { badge, mark } from "/assets/parts/badge.js";
import { facts, pageHead } from "/assets/parts/page_head.js";
import { isTrouble, plant } from "/assets/tree.js";

/** An actor that has been at one message for so long is shown to be busy. */
const BUSY_MS = 250;

export function open(context) {
  let actors = [];
  let deployments = [];
  let chosen = context.query.get("path");
  const folded = new Set();
  const actions = new Actions(context);

  async function load(signal) {
    const [all, running] = await Promise.all([
      get("actors", { signal }),
      list("deployments?limit=1000&fields=id,name,status,reason", { signal }),
    ]);
    actors = all;
    deployments = running.rows;
  }

  function take({ type, data }) {
    if (type === "deployment_status") {
      change(deployments, data);
      context.redraw();
    }
    return false;
  }

  function view() {
    const root = plant(actors, deployments);
    const all = actors.length;
    const bad = numBad(root);
    const state = bad > 0 ? badge(`${plural(bad, "actor")} in trouble`, "bad") : badge("all is well", "good");
    return h(
      "div",
      { class: "stack" },
      pageHead({
        title: "Actors",
        beside: state,
        lead: `${plural(all, "actor")}, each with a supervisor that starts it again. In a terminal: borgos actors`,
      }),
      h(
        "div",
        { class: "actors" },
        h(
          "section",
          { class: "card flush", key: "tree" },
          h("ul", { class: "tree", "aria-label": "Supervision tree" }, branch(root, 0)),
        ),
        detail(root),
      ),
    );
  }

  function branch(node, depth) {
    const isFolded = folded.has(node.path);
    const trouble = isTrouble(node.tone) ? "bad" : isTrouble(node.below) ? "bad-below" : "well";
    return h(
      "li",
      { key: node.path },
      h(
        "div",
        {
          class: `actor ${trouble}`,
          "data-actor": node.path,
          "data-tone": isTrouble(node.tone) || isTrouble(node.below) ? "bad" : "good",
          "data-row": node.path,
        },
        h(
          "span",
          { class: "actor-name", "data-depth": Math.min(depth, 6) },
          fold(node, isFolded),
          trouble === "bad-below" ? mark("bad", "warn") : mark(node.tone),
          choose(node),
        ),
        h("span", { class: "soft small clip" }, says(node, trouble)),
        h(
          "span",
          { class: "number soft small minor" },
          node.restarts_total > 0 ? plural(node.restarts_total, "restart") : "",
        ),
        queue(node),
      ),
      node.children.length > 0 &&
        !isFolded &&
        h(
          "ul",
          {},
          node.children.map((child) => branch(child, depth + 1)),
        ),
    );
  }

  function fold(node, isFolded) {
    if (node.children.length === 0) {
      return h("span", { class: "fold" });
    }
    const toggle = () => {
      if (!folded.delete(node.path)) {
        folded.add(node.path);
      }
      context.redraw();
    };
    return h(
      "button",
      {
        class: "quiet fold",
        "aria-expanded": String(!isFolded),
        "aria-label": `Children of ${node.path}`,
        onclick: toggle,
      },
      isFolded ? "+" : "–",
    );
  }

  function choose(node) {
    const pick = () => {
      chosen = node.path === chosen ? null : node.path;
      context.redraw();
    };
    return h(
      "button",
      { class: "actor-link", "aria-pressed": String(node.path === chosen), onclick: pick },
      node.path,
      node.deployment && h("span", { class: "soft" }, ` ${node.deployment.name}`),
    );
  }

  function detail(root) {
    const node = chosen && find(root, chosen);
    if (!node) {
      return h(
        "aside",
        { class: "card soft", key: "detail", "aria-label": "Chosen actor" },
        "Choose an actor to see more of it, and to have it replaced.",
      );
    }
    const restart = {
      label: "Restart",
      path: `actors/${node.path}/restart`,
      line: command("actors", "restart", node.path),
      ask: `${node.path} is replaced by a fresh actor. Messages that it has accepted are kept; containers and processes keep running.`,
    };
    return h(
      "aside",
      { class: "card", key: "detail", "aria-label": "Chosen actor" },
      h("header", {}, h("h2", { class: "wrap" }, node.path), badge(node.state)),
      facts([
        ["Kind", words(node.kind)],
        ["Takes care of", node.deployment && h("a", { href: `#/deployments/${node.subject}` }, node.deployment.name)],
        ["App", node.deployment && badge(node.deployment.status)],
        ["Running for", node.uptime_seconds === null ? null : duration(node.uptime_seconds)],
        ["Starts", node.generation],
        [
          "Restarts",
          node.restart_budget === null
            ? count(node.restarts_total)
            : `${node.restarts_in_window} of ${node.restart_budget} within ${duration(node.restart_window_seconds)}`,
        ],
        ["Next start", node.next_restart_at && ago(node.next_restart_at)],
        ["Queue", `${count(node.queue_depth)} of ${count(node.queue_limit)}`],
        [
          "Busy with",
          node.current_message && `${words(node.current_message)} for ${duration((node.busy_for_ms ?? 0) / 1000)}`,
        ],
        ["Handled", plural(node.handled, "message")],
        ["Last exit", node.last_exit && `${node.last_exit.reason}, ${ago(node.last_exit.at)}`],
      ]),
      node.parent && actions.view([restart]),
    );
  }

  return {
    title: "Actors",
    load,
    view,
    take,
    concerns: ({ channel }) => channel === "actors" || channel === "deployments",
    every: 5_000,
  };
}

function says(node, trouble) {
  if (node.deployment && isTrouble(node.tone)) {
    return `${words(node.deployment.status)}: ${node.deployment.reason ?? ""}`;
  }
  if (trouble === "bad" && node.last_exit) {
    return node.last_exit.reason;
  }
  if (trouble === "bad-below") {
    return "trouble below";
  }
  return node.busy_for_ms > BUSY_MS
    ? `${words(node.current_message)} for ${duration(node.busy_for_ms / 1000)}`
    : words(node.state);
}

/** How full the queue is. */
function queue({ queue_depth, queue_limit }) {
  const share = queue_limit > 0 ? queue_depth / queue_limit : 0;
  const tone = share > 0.8 ? "bad" : share > 0.3 ? "warn" : "good";
  return h(
    "span",
    { class: "queue minor", title: `${queue_depth} of ${queue_limit} messages wait` },
    s(
      "svg",
      { viewBox: "0 0 40 4", "aria-hidden": "true" },
      s("rect", { class: "track", width: 40, height: 4, rx: 2 }),
      queue_depth > 0 && s("rect", { class: `fill ${tone}`, width: Math.max(share * 40, 2), height: 4, rx: 2 }),
    ),
    h("span", { class: "number soft small" }, queue_depth),
  );
}

function numBad(node) {
  return node ? (isTrouble(node.tone) ? 1 : 0) + node.children.reduce((sum, child) => sum + numBad(child), 0) : 0;
}

function find(node, path) {
  if (!node || node.path === path) {
    return node;
  }
  for (const child of node.children) {
    const found = find(child, path);
    if (found) {
      return found;
    }
  }
  return null;
}
