// Which path is which page.

import { open as actors } from "/assets/pages/actors.js";
import { open as agentZero } from "/assets/pages/agent_zero.js";
import { open as deployment } from "/assets/pages/deployment.js";
import { open as deployments } from "/assets/pages/deployments.js";
import { open as errors } from "/assets/pages/errors.js";
import { open as nothing } from "/assets/pages/nothing.js";
import { open as overview } from "/assets/pages/overview.js";
import { open as project } from "/assets/pages/project.js";
import { open as projects } from "/assets/pages/projects.js";
import { open as search } from "/assets/pages/search.js";
import { open as task } from "/assets/pages/task.js";
import { open as tasks } from "/assets/pages/tasks.js";

/** The places of the bar at the side, in its order. */
export const PLACES = [
  { path: "", name: "Overview", icon: "overview", keys: "g o" },
  { path: "projects", name: "Projects", icon: "projects", keys: "g p" },
  { path: "deployments", name: "Deployments", icon: "deployments", keys: "g d" },
  { path: "actors", name: "Actors", icon: "actors", keys: "g a" },
  { path: "tasks", name: "Tasks", icon: "tasks", keys: "g t" },
  { path: "errors", name: "Errors", icon: "errors", keys: "g e" },
  { path: "search", name: "Search", icon: "search", keys: "g s" },
];

const PAGES = [
  ["", overview],
  ["projects", projects],
  ["projects/:id", project],
  ["deployments", deployments],
  ["deployments/:id", deployment],
  ["actors", actors],
  ["tasks", tasks],
  ["tasks/:id", task],
  ["agent-zero", agentZero],
  ["errors", errors],
  ["search", search],
];

/** Finds the page of a path, taken apart: how it is opened, with which parameters, and in which place it is. */
export function find(parts) {
  for (const [pattern, open] of PAGES) {
    const parameters = match(pattern.split("/").filter(Boolean), parts);
    if (parameters) {
      return { open, parameters, place: parts[0] === "agent-zero" ? "tasks" : (parts[0] ?? "") };
    }
  }
  return { open: nothing, parameters: [], place: undefined };
}

function match(pattern, parts) {
  if (pattern.length !== parts.length) {
    return null;
  }
  const parameters = [];
  for (const [index, expected] of pattern.entries()) {
    if (expected === ":id" && /^[1-9]\d*$/.test(parts[index])) {
      parameters.push(Number(parts[index]));
    } else if (expected !== parts[index]) {
      return null;
    }
  }
  return parameters;
}
