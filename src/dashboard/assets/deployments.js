// What several pages do with deployments.

import { command } from "/assets/command.js";
import { h } from "/assets/dom.js";
import { icon } from "/assets/icons.js";

/** What a table of deployments shows. */
export const FIELDS = "id,project_id,name,port,status,reason,observed_at,desired,runtime,restarts,started_at";

const STOPPED = ["stopped", "failed", "cancelled"];
const UNDER_WAY = ["pending", "building", "starting"];

/** A link to what a deployment serves. */
export function portLink(deployment) {
  const address = `http://${location.hostname}:${Number(deployment.port)}`;
  return h(
    "a",
    { class: "row port", href: address, target: "_blank", rel: "noreferrer noopener" },
    `:${deployment.port}`,
    icon("external"),
  );
}

/** Brings the row that an event tells of up to date. */
export function change(rows, { id, name, status, reason }) {
  const row = rows.find((known) => known.id === id);
  if (row) {
    Object.assign(row, { name, status, reason, observed_at: new Date().toISOString() });
  }
}

/** Whether nothing of it runs. */
export function isStopped(deployment) {
  return STOPPED.includes(deployment.status);
}

/** What can be done with a deployment. */
export function actionsOf(deployment) {
  const path = (verb) => `deployments/${deployment.id}/${verb}`;
  const verb = (label, name, more) => ({ label, path: path(name), line: command(name, deployment.id), ...more });
  const isUnderWay = UNDER_WAY.includes(deployment.status) || deployment.next_release_id;
  return [
    isUnderWay &&
      verb("Cancel", "cancel", {
        isDanger: true,
        ask: `Calls off what is under way for ${deployment.name}. What served before serves on.`,
      }),
    isStopped(deployment)
      ? verb("Start", "start", { isPrimary: true })
      : verb("Stop", "stop", {
          isDanger: true,
          ask: `${deployment.name} will not answer on port ${deployment.port} until it is started again.`,
        }),
    !isStopped(deployment) && verb("Restart", "restart"),
    verb("Redeploy", "redeploy", { isPrimary: !isStopped(deployment) }),
  ].filter(Boolean);
}
