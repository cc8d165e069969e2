// Finds lines of code in all projects.

import { ask, list } from "/assets/api.js";
import { command } from "/assets/command.js";
import { h } from "/assets/dom.js";
import { count, plural } from "/assets/format.js";
import { commandLine } from "/assets/parts/command_line.js";
import { Filters } from "/assets/parts/filters.js";
import { pageHead } from "/assets/parts/page_head.js";
import { empty } from "/assets/parts/states.js";

const CASES = ["sensitive", "insensitive"];
const LIMIT = 100;
/** Typing comes to rest before anything is asked. */
const SETTLE_MS = 250;
const TRUNCATIONS = {
  lines: "There are too many lines to look at them all.",
  deadline: "It took too long to look everywhere.",
  cancelled: "The search was called off.",
  rebuilding: "Some projects are being read anew.",
};

export function open(context) {
  let hits = null;
  let total = 0;
  let truncated = null;
  let projects = [];
  let complaint = "";
  let timer;
  let asking = new AbortController();
  const filters = new Filters(context.query, changed);

  function changed(name) {
    clearTimeout(timer);
    timer = setTimeout(find, ["query", "lang", "path"].includes(name) ? SETTLE_MS : 0);
    context.redraw();
  }

  async function load(signal) {
    projects = (await list("projects?limit=1000&fields=id,name,path", { signal })).rows;
    if (hits === null) {
      await find();
    }
  }

  async function find() {
    asking.abort();
    asking = new AbortController();
    const { signal } = asking;
    const query = new URLSearchParams({ limit: LIMIT });
    for (const name of ["query", "project_id", "lang", "path", "case", "regex"]) {
      if (filters.of(name)) {
        query.set(name, filters.of(name));
      }
    }
    if (!query.get("query")) {
      hits = null;
      context.redraw();
      return;
    }
    try {
      const response = await ask("GET", `search/code?${query}`, { signal });
      hits = await response.json();
      total = Number(response.headers.get("X-Total-Count"));
      truncated = response.headers.get("X-Truncated");
      complaint = "";
    } catch (error) {
      if (signal.aborted) {
        return;
      }
      hits = [];
      complaint = error.message;
    }
    context.redraw();
  }

  function view() {
    const project = h(
      "select",
      {
        "aria-label": "Project",
        value: filters.of("project_id"),
        onchange: (event) => filters.set("project_id", event.target.value),
      },
      h("option", { value: "" }, "All projects"),
      projects.map(({ id, name }) => h("option", { value: id }, name)),
    );
    const regex = h(
      "button",
      {
        "aria-pressed": String(filters.of("regex") === "true"),
        title: "Regular expression",
        onclick: () => filters.set("regex", filters.of("regex") ? "" : "true"),
      },
      ".*",
    );
    return h(
      "div",
      { class: "stack" },
      pageHead({
        title: "Search",
        lead: "Finds every line of code in the projects that were scanned, definitions first.",
      }),
      h(
        "div",
        { class: "toolbar" },
        filters.search("query", "Words, “a phrase”, symbol:name"),
        regex,
        filters.choice("case", "Smart case", CASES),
        project,
        field("lang", "Language"),
        field("path", "Path: src/**"),
      ),
      filters.of("query") && commandLine(line()),
      result(),
    );
  }

  function field(name, label) {
    return h("input", {
      class: "short",
      placeholder: label,
      "aria-label": label,
      value: filters.of(name),
      oninput: (event) => filters.set(name, event.target.value),
    });
  }

  function line() {
    const options = [
      filters.of("regex") && "--regex",
      filters.of("lang") && ["--lang", filters.of("lang")],
      filters.of("path") && ["--path", filters.of("path")],
      filters.of("project_id") && ["--project", filters.of("project_id")],
      filters.of("case") && ["--case", filters.of("case")],
    ];
    return command("search", ...options.filter(Boolean).flat(), filters.of("query"));
  }

  function result() {
    if (complaint) {
      return h("p", { class: "notice bad", role: "alert", key: "complaint" }, complaint);
    }
    if (hits === null) {
      return h(
        "div",
        { class: "card", key: "start" },
        empty(
          "What are you looking for?",
          "Type a word; press / to get back here. Nothing is found in projects that were not scanned:",
          command("scan"),
        ),
      );
    }
    if (hits.length === 0) {
      return h(
        "div",
        { class: "card", key: "none" },
        empty("No line matches", "Try fewer words or another case. Only projects that were scanned are searched."),
      );
    }
    const shown = hits.length < total ? `${hits.length} of ${count(total)} lines` : plural(total, "line");
    return h(
      "div",
      { class: "stack", key: "hits" },
      h("p", { class: "soft small", role: "status" }, shown, truncated && ` ${TRUNCATIONS[truncated] ?? ""}`),
      files(hits).map(([path, lines]) => file(path, lines)),
    );
  }

  function file(path, lines) {
    const project = projects.find(({ id }) => id === lines[0].project_id);
    const short = project && path.startsWith(`${project.path}/`) ? path.slice(project.path.length + 1) : path;
    const copies = lines[0].num_copies;
    return h(
      "section",
      { class: "card flush hit-file", key: path },
      h(
        "header",
        {},
        h(
          "h2",
          { class: "wrap" },
          project && h("a", { href: `#/projects/${project.id}` }, project.name),
          project && " / ",
          h("span", { class: "mono" }, short),
        ),
        h("span", { class: "soft small" }, lines[0].language, copies > 0 && `, ${plural(copies, "copy", "copies")}`),
      ),
      h("ol", { class: "hits" }, lines.map(hit)),
    );
  }

  return { title: "Search", load, view, leave: () => asking.abort() };
}

function hit(found) {
  return h(
    "li",
    { class: "hit", key: `${found.line}`, "data-row": found.line, tabindex: "-1" },
    h("span", { class: "line-number number" }, found.line),
    h("code", {}, marked(found)),
    found.symbol && h("span", { class: "tag" }, found.symbol),
  );
}

/** Sets the matches apart; they count characters, and the browser's texts count halves of some. */
function marked({ content, matches }) {
  const characters = [...content];
  const found = [];
  let end = 0;
  for (const [from, to] of matches) {
    found.push(characters.slice(end, from).join(""), h("mark", {}, characters.slice(from, to).join("")));
    end = to;
  }
  return [...found, characters.slice(end).join("")];
}

function files(hits) {
  const byFile = new Map();
  for (const found of hits) {
    byFile.set(found.file, [...(byFile.get(found.file) ?? []), found]);
  }
  return [...byFile];
}
