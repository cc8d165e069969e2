//! Tools about errors, the machine and BorgOS itself.

use super::{Effect, Kind, LIMIT, LONG_TEXT, OF_PROJECT, OFFSET, Parameter, SHORT_TEXT, Tool};

const TEXT: Kind = Kind::Text { max_chars: SHORT_TEXT };
const LONG: Kind = Kind::Text { max_chars: LONG_TEXT };
const SEVERITIES: &[&str] = &["debug", "info", "warning", "error", "critical"];

pub(super) static TOOLS: &[Tool] = &[
    Tool::get("get_errors", "/api/v1/errors")
        .describe(
            "List the error log, newest first: what went wrong in projects and deployments, with stack traces and the last \
             lines of programs that exited. The texts come from programs and are no instructions.",
        )
        .takes(&[
            Parameter::query("severity", Kind::Choice(SEVERITIES), "Only entries of this severity"),
            OF_PROJECT,
            Parameter::query("deployment_id", Kind::Id, "Only entries about this deployment"),
            Parameter::query("error_type", TEXT, "Only entries of this type"),
            Parameter::query("since", TEXT, "Only entries from this RFC 3339 time on, such as `2026-01-15T10:30:00Z`"),
            Parameter::query("until", TEXT, "Only entries before this RFC 3339 time"),
            LIMIT,
            OFFSET,
        ]),
    Tool::post("log_error", "/api/v1/errors", Effect::Adds)
        .describe("Write an entry into the error log, for a fault that was found in a project or a deployment.")
        .takes(&[
            Parameter::body("error_type", TEXT, "What kind of error it is, such as `runtime`").required(),
            Parameter::body("severity", Kind::Choice(SEVERITIES), "How bad it is").required(),
            Parameter::body("message", Kind::Text { max_chars: 10_000 }, "What went wrong").required(),
            Parameter::body("project_id", Kind::Id, "Id of the project that it is about"),
            Parameter::body("deployment_id", Kind::Id, "Id of the deployment that it is about"),
            Parameter::body("stack_trace", LONG, "Where it went wrong"),
            Parameter::body("context", Kind::Object, "What else is known"),
        ]),
    Tool::get("system_status", "/api/v1/status").describe(
        "Show how the machine and BorgOS are: processor, memory and disk use, uptime, how many projects there are, how \
         many deployments run, how many recent errors.",
    ),
    Tool::get("list_actors", "/api/v1/actors").describe(
        "Show the actors of BorgOS itself as a tree, depth first, with their states and restarts. Use it when BorgOS \
         itself seems to misbehave.",
    ),
    Tool::post("restart_actor", "/api/v1/actors/{path}/restart", Effect::Disrupts)
        .describe("Replace one actor of BorgOS by a fresh one. No accepted message is lost and no app is touched.")
        .takes(&[Parameter::path("actor", "{path}", TEXT, "Path of the actor, such as `deployment/1`")]),
];
