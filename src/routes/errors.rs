//! The error log: what went wrong in projects and deployments.

use std::sync::Arc;

use borgos_actors::{
    id::{DeploymentId, ProjectId},
    store::error_log::{self, Entry, Filter as ErrorFilter, NewEntry, Severity},
    value::ShortText,
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};
use warp::{Filter, filters::BoxedFilter, reply::Response};

use super::{answer, outcome::Made, with};
use crate::{
    app::App,
    body::{self, field::Id},
    problem::Problem,
    query::{self, Names, Query},
    reply::{self, Reply},
};

/// A message goes to everybody who follows the errors; what is longer belongs into the stack trace.
const MAX_MESSAGE_CHARS: usize = 10_000;
const MAX_TRACE_CHARS: usize = 200_000;

pub(crate) const SEVERITIES: [(&str, Severity); 5] = [
    ("debug", Severity::Debug),
    ("info", Severity::Info),
    ("warning", Severity::Warning),
    ("error", Severity::Error),
    ("critical", Severity::Critical),
];

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "LogError")]
pub(crate) struct Log {
    project_id: Option<Id>,
    deployment_id: Option<Id>,
    error_type: ShortText,
    severity: Severity,
    #[schemars(regex(pattern = r"\S"), length(max = MAX_MESSAGE_CHARS))]
    message: String,
    #[schemars(length(max = MAX_TRACE_CHARS))]
    stack_trace: Option<String>,
    #[serde(default)]
    context: Map<String, Value>,
}

/// Returns the filters of this resource.
pub(super) fn routes(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    let all = || warp::path!("api" / "v1" / "errors");
    let filters = query::strict(&[
        "severity",
        "project_id",
        "deployment_id",
        "error_type",
        "since",
        "until",
        "fields",
        "limit",
        "offset",
    ]);
    let list = all()
        .and(warp::get())
        .and(filters)
        .and(Names::filter::<Entry>())
        .and(with(app))
        .then(list);
    let log = all()
        .and(warp::post())
        .and(query::none())
        .and(body::json())
        .and(with(app))
        .then(log);
    list.or(log).unify().map(answer).boxed()
}

/// GET /api/v1/errors
async fn list(query: Query, names: Names, app: Arc<App>) -> Result<Reply, Problem> {
    let (page, fields) = (query.page()?, query.fields(&names)?);
    let filter = ErrorFilter {
        severity: query.choice("severity", &SEVERITIES)?,
        project_id: query.id("project_id")?.map(ProjectId),
        deployment_id: query.id("deployment_id")?.map(DeploymentId),
        error_type: query.text("error_type")?.map(str::to_owned),
        since: query.time("since")?,
        until: query.time("until")?,
    };
    let listed = error_log::list(&app.system.store, &filter, page.rows()).await?;
    reply::list_fields(&listed.rows, fields.as_ref(), listed.total, &page)
}

/// POST /api/v1/errors
async fn log(request: Log, app: Arc<App>) -> Result<Reply, Problem> {
    if request.message.trim().is_empty() {
        return Err(Problem::invalid_field("message", "must not be empty"));
    }
    check_length("message", &request.message, MAX_MESSAGE_CHARS)?;
    check_length(
        "stack_trace",
        request.stack_trace.as_deref().unwrap_or_default(),
        MAX_TRACE_CHARS,
    )?;
    let entry = NewEntry {
        project_id: request.project_id.map(|id| ProjectId(id.get())),
        deployment_id: request.deployment_id.map(|id| DeploymentId(id.get())),
        error_type: request.error_type.into(),
        severity: request.severity,
        message: request.message,
        stack_trace: request.stack_trace,
        context: Value::Object(request.context),
    };
    let entry = error_log::record(&app.system.store, &entry).await?;
    app.nudge_events();
    let body = Made::new("Error logged successfully", entry.id.0);
    Ok(reply::created(&format!("/api/v1/errors?limit=1#{}", entry.id), &body))
}

fn check_length(field: &str, text: &str, max_chars: usize) -> Result<(), Problem> {
    match text.chars().count() > max_chars {
        true => Err(Problem::invalid_field(
            field,
            format!("must have at most {max_chars} characters"),
        )),
        false => Ok(()),
    }
}
