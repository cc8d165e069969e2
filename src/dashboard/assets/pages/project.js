// One project: why its scores are what they are, what is broken in it, what it is made of, and where it runs.

import { act, get, list } from "/assets/api.js";
import { command, request } from "/assets/command.js";
import { h } from "/assets/dom.js";
import { ago, count, duration, percent, plural, words } from "/assets/format.js";
import * as router from "/assets/router.js";
import { Actions } from "/assets/parts/actions.js";
import { badge, tags } from "/assets/parts/badge.js";
import { parts } from "/assets/parts/chart.js";
import { deployForm } from "/assets/parts/deploy_form.js";
import { card, facts, pageHead } from "/assets/parts/page_head.js";
import { scoreCards } from "/assets/parts/scores.js";
import { empty } from "/assets/parts/states.js";
import { Table } from "/assets/parts/table.js";

const MAX_HUES = 7;

export function open(context, id) {
  let project;
  let languages = [];
  let dependencies = { rows: [], total: 0 };
  /** How far the scan is that is under way. */
  let progress = null;
  const actions = new Actions(context);
  const packages = new Table(context, "Dependencies", [
    { name: "Package", by: (row) => row.name, isWide: true, cell: (row) => row.name },
    { name: "Version", cell: (row) => h("span", { class: "mono wrap" }, row.version ?? row.requirement ?? "any") },
    { name: "For", by: (row) => row.kind, cell: (row) => words(row.kind) },
    { name: "From", by: (row) => row.ecosystem, isMinor: true, cell: (row) => row.ecosystem },
  ]);

  async function load(signal) {
    project = await get(`projects/${id}`, { signal });
    if (project.metadata.scan) {
      const nothing = { rows: [], total: 0 };
      const [spoken, needed] = await Promise.all([
        list(`projects/${id}/languages?limit=30`, { signal }).catch(() => nothing),
        list(`projects/${id}/dependencies?direct=true&limit=200`, { signal }).catch(() => nothing),
      ]);
      languages = spoken.rows;
      dependencies = needed;
    }
  }

  function take({ type, channel, data }) {
    if (channel !== "projects" || data.id !== id) {
      return false;
    }
    if (type === "project_scan_progress") {
      progress = data;
      return true;
    }
    progress = null;
    return false;
  }

  function view() {
    const { metadata } = project;
    return h(
      "div",
      { class: "stack" },
      head(),
      progress && scanning(progress),
      metadata.scan
        ? scoreCards(metadata.scores)
        : card(
            "Not scanned yet",
            {},
            empty(
              "Nothing is known of this project yet",
              "A scan finds its languages, dependencies and what is broken in it.",
              command("scan", id),
            ),
          ),
      findings(project),
      h("div", { class: "grid wide" }, languageCard(languages), factCard(project)),
      deploymentCard(),
      dependencies.rows.length > 0 &&
        card(
          `Dependencies (${count(dependencies.total)})`,
          { isFlush: true },
          packages.view(dependencies.rows, (row) => `${row.ecosystem} ${row.name} ${row.manifest} ${row.kind}`),
        ),
    );
  }

  function head() {
    const scan = { label: "Scan", run: startScan, line: command("scan", id), isPrimary: !project.metadata.scan };
    const deploy = {
      label: "Deploy",
      run: () => deployForm(project, router.go),
      line: command("deploy", id, "--port", 8090),
    };
    const remove = {
      label: "Forget",
      method: "DELETE",
      path: `projects/${id}`,
      line: request("DELETE", `projects/${id}`),
      isDanger: true,
      isOff: project.deployments.length > 0,
      ask: `BorgOS forgets ${project.name} and what it knows of it. The directory stays as it is.`,
    };
    return pageHead({
      crumb: h("a", { href: "#/projects" }, "Projects"),
      title: project.name,
      beside: tags([project.project_type, ...project.tech_stack].filter(Boolean)),
      lead: h("span", { class: "mono wrap" }, project.path),
      actions: actions.view([deploy, scan, remove]),
    });
  }

  async function startScan() {
    progress ??= { num_done: 0, num_files: 0 };
    context.redraw();
    return act("POST", `projects/${id}/scan`);
  }

  function deploymentCard() {
    const entry = ({ id: number, name, status, port }) =>
      h(
        "li",
        { key: number, "data-row": number },
        badge(status),
        h("a", { class: "message", href: `#/deployments/${number}` }, name),
        h("span", { class: "soft number" }, `:${port}`),
      );
    const nothing = empty(
      "It is not deployed",
      "Deploy it on a port of this machine:",
      command("deploy", id, "--port", 8090),
    );
    return card(
      "Deployments",
      {},
      project.deployments.length ? h("ul", { class: "feed" }, project.deployments.map(entry)) : nothing,
    );
  }

  const concerns = ({ type, channel, data }) =>
    (channel === "projects" && data.id === id && type !== "project_scan_progress") ||
    (channel === "deployments" && data.project_id === id);
  return {
    get title() {
      return project?.name ?? "Project";
    },
    load,
    view,
    take,
    concerns,
  };
}

function scanning({ num_done, num_files }) {
  const share = num_files > 0 ? `${count(num_done)} of ${plural(num_files, "file")}` : "";
  return h(
    "section",
    { class: "card", key: "progress", role: "status" },
    h("div", { class: "row" }, badge("scanning"), h("span", { class: "soft number" }, share)),
    h("progress", { max: num_files || 1, value: num_files > 0 ? num_done : null, "aria-label": "Scan" }),
  );
}

function findings({ errors, metadata }) {
  if (!metadata.scan) {
    return null;
  }
  const total = metadata.num_errors ?? errors.length;
  const entry = (error) =>
    h(
      "li",
      { class: "finding", "data-row": true },
      badge(error.type, error.is_fixture ? "idle" : "bad"),
      h("span", { class: "mono wrap" }, place(error)),
      h("span", { class: "wrap" }, error.message, error.is_fixture && h("span", { class: "soft" }, " (test data)")),
    );
  const beside = total > errors.length && h("span", { class: "soft" }, `the first ${errors.length}`);
  return card(
    total > 0 ? `Broken (${count(total)})` : "Broken",
    { beside },
    errors.length
      ? h("ul", { class: "findings" }, errors.map(entry))
      : empty("Nothing is broken", "Every file could be read by its own language's parser."),
  );
}

/** The project as a whole is written as `.`; no line is to blame where it is 0. */
function place({ file, line }) {
  if (file === ".") {
    return "the whole project";
  }
  return line > 0 ? `${file}:${line}` : file;
}

function languageCard(languages) {
  const known = languages.filter(({ code }) => code > 0);
  const shown = known.slice(0, MAX_HUES).map(({ language, code }, index) => ({
    name: language,
    value: code,
    shown: `${count(code)} lines`,
    hue: index + 1,
  }));
  const rest = known.slice(MAX_HUES).reduce((sum, { code }) => sum + code, 0);
  const all = rest > 0 ? [...shown, { name: "others", value: rest, shown: `${count(rest)} lines`, hue: 0 }] : shown;
  return card(
    "Languages",
    {},
    all.length
      ? parts(all, "Lines of code by language")
      : empty("No code was found", "Languages are counted by a scan."),
  );
}

function factCard({ metadata, updated_at, zenith_id }) {
  const { git, scan } = metadata;
  const when =
    scan && `${ago(scan.started_at)}, in ${duration(scan.duration_ms / 1000)}, ${plural(scan.files, "file")}`;
  return card(
    "About it",
    {},
    metadata.description && h("p", { class: "soft wrap about" }, metadata.description),
    facts([
      ["Code", metadata.lines_of_code === undefined ? null : plural(metadata.lines_of_code, "line")],
      ["Tests", metadata.tests && plural(metadata.tests.files, "file")],
      ["Coverage", typeof metadata.test_coverage === "number" ? percent(metadata.test_coverage) : null],
      ["Licence", typeof metadata.licence === "string" ? metadata.licence : metadata.licence?.name],
      ["Branch", git?.branch],
      ["To do", metadata.todos ? plural(metadata.todos + (metadata.fixmes ?? 0), "note") : null],
      [
        "Entry points",
        metadata.entry_points?.length
          ? metadata.entry_points
              .map((point) => point.name ?? point)
              .filter((point) => typeof point === "string")
              .join(", ")
          : null,
      ],
      ["Zenith", zenith_id],
      ["Scanned", when],
      ["Changed", ago(updated_at)],
    ]),
  );
}
