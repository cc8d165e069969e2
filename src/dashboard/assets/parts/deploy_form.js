// Asks for what a deployment needs.

import { act } from "/assets/api.js";
import { command } from "/assets/command.js";
import { h, morph } from "/assets/dom.js";
import { openDialog } from "/assets/parts/dialog.js";
import { commandLine } from "/assets/parts/command_line.js";

const FIRST_PORT = 8090;

/** Asks on which port a project is to run, and deploys it. The answer is null when it is not deployed. */
export function deployForm(project, go) {
  return new Promise((resolve, reject) => {
    let answer = Promise.resolve(null);
    const line = h("div", {});
    const form = h(
      "form",
      { class: "stack", oninput: () => show(), onsubmit: (event) => submit(event) },
      h("h2", {}, `Deploy ${project.name}`),
      field("Port", {
        name: "port",
        type: "number",
        min: 1,
        max: 65_535,
        required: true,
        value: FIRST_PORT + project.deployments.length,
        autofocus: true,
      }),
      field("Name", { name: "name", placeholder: "made from project and port", pattern: "[a-z0-9][a-z0-9-]*" }),
      field("Memory", { name: "memory_limit", placeholder: "no limit, or such as 256m" }),
      line,
      h(
        "div",
        { class: "dialog-end" },
        h("button", { type: "button", onclick: () => close() }, "Leave it"),
        h("button", { class: "primary" }, "Deploy"),
      ),
    );
    const body = () => {
      const { port, ...rest } = Object.fromEntries(new FormData(form));
      const given = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== ""));
      return { project_id: project.id, port: Number(port), ...given };
    };
    const show = () => {
      const { port, name, memory_limit } = body();
      const options = [
        ["--port", port || FIRST_PORT],
        name && ["--name", name],
        memory_limit && ["--memory", memory_limit],
      ]
        .filter(Boolean)
        .flat();
      morph(line, h("div", {}, commandLine(command("deploy", project.id, ...options))));
    };
    const submit = (event) => {
      event.preventDefault();
      answer = act("POST", "deploy", body()).then((created) => {
        go(`/deployments/${created.id}`);
        return created;
      });
      close();
    };
    const close = openDialog("Deploy", form);
    show();
    form.closest("dialog").addEventListener("close", () => answer.then(resolve, reject));
  });
}

function field(label, properties) {
  return h("label", { class: "field" }, h("span", {}, label), h("input", properties));
}
