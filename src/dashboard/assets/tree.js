// The supervision tree, put together from its list, with the trouble of each branch.

import { tone as toneOf, worse } from "/assets/status.js";

/** A failure is shown for so long after the actor runs again: nobody would see it otherwise. */
const AFTERGLOW_MS = 10_000;

/** Returns the root, with `children`, its own `tone`, and the worst tone `below` it. */
export function plant(actors, deployments) {
  const statuses = new Map(deployments.map((deployment) => [deployment.id, deployment]));
  const nodes = new Map(
    actors.map((actor) => [actor.path, { ...actor, ...health(actor, statuses), children: [], below: "good" }]),
  );
  let root;
  for (const node of nodes.values()) {
    const parent = nodes.get(node.parent);
    if (parent) {
      parent.children.push(node);
    } else {
      root ??= node;
    }
  }
  if (root) {
    sum(root);
  }
  return root;
}

function health(actor, statuses) {
  const own = actor.state === "stopped" ? "idle" : actor.state === "running" ? "good" : toneOf(actor.state);
  const deployment = actor.kind === "deployment" ? statuses.get(actor.subject) : undefined;
  const app = deployment ? toneOf(deployment.status) : "good";
  const hasFailed = actor.last_exit?.is_abnormal && Date.now() - Date.parse(actor.last_exit.at) < AFTERGLOW_MS;
  const isTrouble = ["bad", "warn"].includes(app);
  return { deployment, tone: worse(hasFailed ? "bad" : own, isTrouble ? "bad" : "good") };
}

/** Carries trouble upwards; what is only busy or at rest is nobody else's business. */
function sum(node) {
  for (const child of node.children) {
    sum(child);
    node.below = worse(node.below, isTrouble(child.tone) ? child.tone : "good");
    node.below = worse(node.below, child.below);
  }
}

/** Whether somebody should look. */
export function isTrouble(tone) {
  return tone === "bad" || tone === "warn";
}
