// Shows the description of the API: operations by tag, searchable, each with what it takes and answers.
"use strict";

const METHODS = ["get", "post", "put", "patch", "delete"];

start().catch((error) => {
  document.getElementById("operations").replaceChildren(element("p", {}, `The description could not be read: ${error.message}`));
});

async function start() {
  const response = await fetch("/api/v1/openapi.json");
  if (!response.ok) throw new Error(`status ${response.status}`);
  const description = await response.json();
  document.getElementById("version").textContent = description.info.version;
  document.getElementById("about").textContent = description.info.description;
  const sections = description.tags.map((tag) => section(description, tag));
  document.getElementById("operations").replaceChildren(...sections.map((one) => one.node));
  const search = document.getElementById("search");
  search.addEventListener("input", () => filter(sections, search.value));
  filter(sections, search.value);
  document.getElementById(decodeURIComponent(location.hash.slice(1)))?.setAttribute("open", "");
}

function section(description, tag) {
  const entries = [];
  for (const [path, item] of Object.entries(description.paths)) {
    for (const method of METHODS.filter((name) => item[name]?.tags.includes(tag.name))) {
      entries.push(entry(description, path, method, item[method]));
    }
  }
  const node = element("section", {}, element("h2", {}, tag.name), element("p", { class: "quiet" }, tag.description));
  node.append(...entries.map((one) => one.node));
  return { node, entries };
}

// What is inside is made when it is opened: most never are.
function entry(description, path, method, operation) {
  const node = element(
    "details",
    { id: operation.operationId },
    element(
      "summary",
      {},
      element("span", { class: `method ${method}` }, method.toUpperCase()),
      element("code", {}, path),
      element("span", {}, operation.summary),
      element("small", {}, operation["x-scope"]),
    ),
  );
  node.addEventListener("toggle", () => {
    if (node.open && node.children.length === 1) node.append(inside(description, operation));
  });
  const text = [method, path, JSON.stringify(operation)].join(" ").toLowerCase();
  return { node, text };
}

function filter(sections, wanted) {
  const words = wanted.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const { node, entries } of sections) {
    const visible = entries.filter((one) => words.every((word) => one.text.includes(word)));
    entries.forEach((one) => (one.node.hidden = !visible.includes(one)));
    node.hidden = visible.length === 0;
    shown += visible.length;
  }
  document.getElementById("count").textContent = `${shown} operations`;
}

function inside(description, operation) {
  const node = element("div", { class: "inside" });
  if (operation.description) node.append(element("p", {}, operation.description));
  if (operation.parameters.length > 0) {
    node.append(element("h3", {}, "Parameters"), table(operation.parameters.map(parameter)));
  }
  const body = operation.requestBody?.content["application/json"];
  if (body) node.append(element("h3", {}, "Body"), ...content(description, body));
  node.append(element("h3", {}, "Answers"));
  for (const [status, answer] of Object.entries(operation.responses)) node.append(response(description, status, answer));
  return node;
}

function parameter({ name, in: place, required, description, schema }) {
  return [element("code", {}, name), `${place}${required ? ", required" : ""}`, description, element("code", {}, brief(schema))];
}

function response(description, status, answer) {
  const codes = answer.content?.["application/json"]?.schema?.allOf?.[1]?.properties?.code?.enum;
  const node = element("div", {}, element("p", {}, element("strong", {}, status), ` ${answer.description}`));
  if (codes) {
    node.append(element("p", {}, element("code", {}, codes.join(" "))));
    return node;
  }
  const headers = Object.keys(answer.headers ?? {});
  if (headers.length > 0) node.append(element("p", { class: "quiet" }, headers.join(", ")));
  for (const [kind, media] of Object.entries(answer.content ?? {})) {
    node.append(element("p", { class: "quiet" }, kind), ...content(description, media));
  }
  return node;
}

function content(description, media) {
  const nodes = [element("pre", {}, shape(description, media.schema, 0, []))];
  if (media.example !== undefined) nodes.push(element("pre", {}, JSON.stringify(media.example, null, 2)));
  return nodes;
}

// Writes a schema as one would write it for a colleague.
function shape(description, schema, depth, seen) {
  const indent = "  ".repeat(depth + 1);
  if (schema === true) return "anything";
  if (schema.$ref) {
    const name = schema.$ref.split("/").pop();
    if (seen.includes(name)) return name;
    return shape(description, description.components.schemas[name], depth, [...seen, name]);
  }
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices && choices.every((one) => one.const !== undefined)) return choices.map((one) => JSON.stringify(one.const)).join(" | ");
  if (choices) return choices.map((one) => shape(description, one, depth, seen)).join(" | ");
  if (schema.properties) {
    const lines = Object.entries(schema.properties).map(([name, inner]) => {
      const mark = schema.required?.includes(name) ? "" : "?";
      const note = inner.description ? `  // ${inner.description}` : "";
      return `${indent}${name}${mark}: ${shape(description, inner, depth + 1, seen)}${note}`;
    });
    return `{\n${lines.join("\n")}\n${"  ".repeat(depth)}}`;
  }
  if (schema.items) return `[ ${shape(description, schema.items, depth, seen)} ]`;
  return brief(schema);
}

function brief(schema) {
  if (schema.enum) return schema.enum.map((one) => JSON.stringify(one)).join(" | ");
  const bounds = ["format", "minimum", "maximum", "minLength", "maxLength", "pattern", "default"];
  const told = bounds.filter((name) => schema[name] !== undefined).map((name) => `${name} ${written(schema[name])}`);
  const type = [schema.type ?? "anything"].flat().join(" | ");
  return told.length > 0 ? `${type} (${told.join(", ")})` : type;
}

function written(value) {
  return typeof value === "object" ? JSON.stringify(value) : value;
}

function table(rows) {
  const node = element("table", {});
  for (const cells of rows) node.append(element("tr", {}, ...cells.map((cell) => element("td", {}, cell))));
  return node;
}

function element(name, attributes, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}
