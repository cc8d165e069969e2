// Events in words.

import { plural, words } from "/assets/format.js";
import { taskTone, tone } from "/assets/status.js";

/** Says what an event tells, how good that is, and where more is to be seen. */
export function describe({ type, channel, data }) {
  const known = { deployments: ofDeployment, projects: ofProject, errors: ofError, tasks: ofTask, actors: ofActor }[
    channel
  ];
  return known
    ? known(type, data)
    : {
        text: `${words(type)}${data.state ? `: ${words(data.state)}` : ""}`,
        tone: tone(data.state),
        href: channel === "agent-zero" ? "#/agent-zero" : null,
      };
}

function ofDeployment(type, data) {
  const href = data.id ? `#/deployments/${Number(data.id)}` : null;
  const name = data.name ?? `deployment ${data.id}`;
  if (type === "deployment_status") {
    return { text: `${name} is ${words(data.status)}`, tone: tone(data.status), href };
  }
  return { text: `${name}: ${words(type.replace("deployment_", ""))}`, tone: tone(data.status), href };
}

function ofProject(type, data) {
  const href = data.id ? `#/projects/${Number(data.id)}` : null;
  if (type === "project_scanned") {
    return {
      text: `${data.name} was scanned: health ${data.health_score}, ${plural(data.num_errors ?? 0, "error")}`,
      tone: "good",
      href,
    };
  }
  if (type === "project_scan_failed") {
    return { text: `${data.name} could not be scanned: ${data.reason}`, tone: "bad", href };
  }
  return { text: `${data.name ?? "a project"}: ${words(type.replace("project_", ""))}`, tone: "idle", href };
}

function ofError(type, data) {
  return {
    text: String(data.message ?? words(type)).split("\n")[0],
    tone: tone(data.severity),
    href: data.id ? `#/errors?id=${Number(data.id)}` : "#/errors",
  };
}

function ofTask(type, data) {
  return {
    text: `task ${data.id} for ${data.agent_type}: ${words(type.replace("task_", ""))}`,
    tone: taskTone(data.state),
    href: `#/tasks/${Number(data.id)}`,
  };
}

function ofActor(type, data) {
  const mood = type === "actor_started" ? "good" : data.is_abnormal || type !== "actor_exited" ? "bad" : "idle";
  return { text: `${data.path} ${words(type.replace("actor_", ""))}`, tone: mood, href: "#/actors" };
}
