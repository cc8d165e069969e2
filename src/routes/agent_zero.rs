//! Agent Zero: whether it runs, what it prints, what it can do, and work for it.

use std::sync::Arc;

use borgos_actors::{
    agent_zero::{AgentZero, Execute, Progress, State},
    value::Port,
};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use warp::{Filter, Rejection, filters::BoxedFilter, http::HeaderMap, reply::Response};

use super::{answer, outcome::AcceptedTask, tasks::idempotency_key, with};
use crate::{
    app::App,
    body,
    problem::Problem,
    query::{self, Query},
    reply::{self, Reply},
};

/// How many lines are kept of what it prints.
pub(crate) const MAX_LOG_LINES: u64 = 200;

/// How it is, as clients see it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "AgentZeroStatus")]
pub(crate) struct StatusBody {
    /// Whether it is ready, not only started.
    running: bool,
    port: Port,
    process_id: Option<i32>,
    directory: Option<String>,
    /// Where its page is, while it is ready.
    ui_url: Option<String>,
    state: State,
    reason: Option<String>,
    version: Option<String>,
    restarts: u64,
    next_start_at: Option<DateTime<Utc>>,
    since: DateTime<Utc>,
}

/// What it printed last.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Printed {
    lines: Vec<String>,
}

/// How it is after it was started.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "StartedAgentZero")]
pub(crate) struct Started {
    success: bool,
    status: StatusBody,
}

/// Whether it was stopped.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "StoppedAgentZero")]
pub(crate) struct Stopped {
    success: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'static str>,
}

impl StatusBody {
    fn of(agent_zero: &AgentZero) -> Self {
        let (status, port) = (agent_zero.status(), agent_zero.port());
        Self {
            running: status.is_ready(),
            port,
            process_id: status.process_id,
            directory: agent_zero
                .directory()
                .map(|directory| directory.to_string_lossy().into_owned()),
            ui_url: status.is_ready().then(|| format!("http://localhost:{port}")),
            state: status.state,
            version: status.version().map(str::to_owned),
            restarts: status.restarts,
            next_start_at: status.next_start_at,
            since: status.since,
            reason: status.reason,
        }
    }
}

/// Returns the filters of this resource.
pub(super) fn routes(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    let show = at("status")
        .and(warp::get())
        .and(query::none())
        .and(with(app))
        .then(status);
    let capabilities = at("capabilities")
        .and(warp::get())
        .and(query::strict(&["detail"]))
        .and(with(app))
        .then(capabilities);
    let logs = at("logs")
        .and(warp::get())
        .and(query::strict(&["tail"]))
        .and(with(app))
        .then(logs);
    let execute = at("execute")
        .and(warp::post())
        .and(query::none())
        .and(warp::header::headers_cloned())
        .and(body::json())
        .and(with(app))
        .then(execute);
    let start = at("start")
        .and(warp::post())
        .and(query::none())
        .and(with(app))
        .then(start);
    let stop = at("stop")
        .and(warp::post())
        .and(query::none())
        .and(with(app))
        .then(stop);
    let restart = at("restart")
        .and(warp::post())
        .and(query::none())
        .and(with(app))
        .then(restart);
    let reading = show.or(capabilities).unify().or(logs).unify();
    let acting = execute.or(start).unify().or(stop).unify().or(restart).unify();
    reading.or(acting).unify().map(answer).boxed()
}

/// Matches what is below the resource's own path, by name.
fn at(name: &'static str) -> impl Filter<Extract = (), Error = Rejection> + Clone {
    warp::path!("api" / "v1" / "agent-zero" / ..)
        .and(warp::path(name))
        .and(warp::path::end())
}

/// GET /api/v1/agent-zero/capabilities
async fn capabilities(query: Query, app: Arc<App>) -> Result<Reply, Problem> {
    let found = app.system.agent_zero.capabilities().await?;
    if query.boolean("detail")? == Some(true) {
        return Ok(reply::ok(&found));
    }
    let names: Vec<&str> = found.iter().filter(|one| one.available).map(|one| one.name).collect();
    Ok(reply::ok(&names))
}

/// POST /api/v1/agent-zero/execute
async fn execute(headers: HeaderMap, request: Execute, app: Arc<App>) -> Result<Reply, Problem> {
    let request = request.into_task(idempotency_key(&headers)?)?;
    let created = app.system.tasks.create(request).await?;
    let id = created.task.id;
    Ok(reply::accepted(&match created.is_duplicate {
        false => AcceptedTask::new("Task submitted", id),
        true => AcceptedTask::again("Task was submitted before", id),
    }))
}

/// GET /api/v1/agent-zero/logs
async fn logs(query: Query, app: Arc<App>) -> Result<Reply, Problem> {
    let num_lines = query.number("tail", 1, MAX_LOG_LINES)?.unwrap_or(MAX_LOG_LINES);
    let num_lines = usize::try_from(num_lines).unwrap_or(usize::MAX);
    let lines = app.system.agent_zero.logs(num_lines).await?;
    Ok(reply::ok(&Printed { lines }))
}

/// POST /api/v1/agent-zero/restart
async fn restart(app: Arc<App>) -> Result<Reply, Problem> {
    let agent_zero = &app.system.agent_zero;
    Ok(tell_with_status(agent_zero.restart().await?, agent_zero))
}

/// POST /api/v1/agent-zero/start
async fn start(app: Arc<App>) -> Result<Reply, Problem> {
    let agent_zero = &app.system.agent_zero;
    Ok(tell_with_status(agent_zero.start().await?, agent_zero))
}

/// GET /api/v1/agent-zero/status
async fn status(app: Arc<App>) -> Result<Reply, Problem> {
    Ok(reply::ok(&StatusBody::of(&app.system.agent_zero)))
}

/// POST /api/v1/agent-zero/stop
async fn stop(app: Arc<App>) -> Result<Reply, Problem> {
    match app.system.agent_zero.stop().await? {
        Progress::Done => Ok(reply::ok(&Stopped {
            success: true,
            message: None,
        })),
        Progress::UnderWay => Ok(reply::accepted(&Stopped {
            success: true,
            message: Some("Agent Zero is being stopped"),
        })),
    }
}

/// 200 for what is ready, 202 for what takes longer.
fn tell_with_status(progress: Progress, agent_zero: &AgentZero) -> Reply {
    let body = Started {
        success: true,
        status: StatusBody::of(agent_zero),
    };
    match progress {
        Progress::Done => reply::ok(&body),
        Progress::UnderWay => reply::accepted(&body),
    }
}
