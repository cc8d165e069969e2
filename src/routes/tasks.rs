//! Tasks of agents: work that is accepted and gets done.

use std::sync::Arc;

use borgos_actors::{
    id::{ProjectId, TaskId},
    store::tasks::{self, Filter as TaskFilter, State},
    tasks::{TaskRequest, USUAL_PRIORITY},
    value::ShortText,
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};
use warp::{Filter, Rejection, filters::BoxedFilter, http::HeaderMap, reply::Response};

use super::{
    answer, id,
    outcome::{AcceptedTask, AcceptedTasks, Told},
    with,
};
use crate::{
    app::App,
    body::{
        self,
        field::{Bounded, Id, Time},
    },
    problem::Problem,
    query::{self, Query},
    reply::{self, Reply},
};

mod agents;
pub(crate) mod task_body;

use task_body::{TaskBody, TaskDetails};

/// Fits into the arguments of a program, however many bytes its characters have.
const MAX_DESCRIPTION_CHARS: usize = 20_000;
/// One transaction takes as many tasks at once.
const MAX_BULK: usize = 1000;
pub(crate) const MAX_KEY_CHARS: usize = 255;
const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// The documented words, and what each stands for.
pub(crate) const STATUSES: [(&str, &[State]); 4] = [
    ("pending", &State::WAITING),
    ("running", &[State::Running]),
    ("completed", &[State::Completed]),
    ("failed", &[State::Failed, State::Cancelled]),
];

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "CreateTask")]
pub(crate) struct Create {
    project_id: Option<Id>,
    agent_type: ShortText,
    task_type: ShortText,
    #[schemars(regex(pattern = r"\S"), length(max = MAX_DESCRIPTION_CHARS))]
    description: String,
    priority: Option<Bounded<-1000, 1000>>,
    #[serde(default)]
    input_data: Map<String, Value>,
    run_at: Option<Time>,
    max_attempts: Option<Bounded<1, 100>>,
    timeout_s: Option<Bounded<1, 86_400>>,
    unique_key: Option<ShortText>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "CreateTasks")]
pub(crate) struct CreateAll {
    #[schemars(length(min = 1, max = MAX_BULK))]
    tasks: Vec<Create>,
}

/// Returns the filters of this resource.
pub(super) fn routes(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    let all = || warp::path!("api" / "v1" / "agent" / "tasks");
    let filters = query::strict(&["status", "agent_type", "project_id", "limit", "offset"]);

    let create = warp::path!("api" / "v1" / "agent" / "task")
        .and(warp::post())
        .and(query::none())
        .and(warp::header::headers_cloned())
        .and(body::json())
        .and(with(app))
        .then(create);
    let create_all = all()
        .and(warp::post())
        .and(query::none())
        .and(body::json())
        .and(with(app))
        .then(create_all);
    let list = all().and(warp::get()).and(filters).and(with(app)).then(list);
    let show = warp::path!("api" / "v1" / "agent" / "tasks" / String)
        .and_then(id)
        .and(warp::get())
        .and(query::none())
        .and(with(app))
        .then(show);
    let cancel = below("cancel").and(query::none()).and(with(app)).then(cancel);
    let retry = below("retry").and(query::none()).and(with(app)).then(retry);
    let tasks = create
        .or(create_all)
        .unify()
        .or(list)
        .unify()
        .or(show)
        .unify()
        .or(cancel)
        .unify()
        .or(retry)
        .unify()
        .map(answer);
    tasks.or(agents::routes(app)).unify().boxed()
}

/// Matches what can be asked of one task, by name.
fn below(name: &'static str) -> impl Filter<Extract = (i64,), Error = Rejection> + Clone {
    warp::path!("api" / "v1" / "agent" / "tasks" / String / ..)
        .and(warp::path(name))
        .and(warp::path::end())
        .and(warp::post())
        .and_then(id)
}

impl Create {
    /// Checks what the types of the fields do not; `place` is where the task is in the body.
    fn into_request(self, place: &str, idempotency_key: Option<String>) -> Result<TaskRequest, Problem> {
        if self.description.trim().is_empty() || self.description.chars().count() > MAX_DESCRIPTION_CHARS {
            let reason = format!("must have 1 to {MAX_DESCRIPTION_CHARS} characters");
            return Err(Problem::invalid_field(format!("{place}description"), reason));
        }
        Ok(TaskRequest {
            project_id: self.project_id.map(|id| ProjectId(id.get())),
            agent_type: self.agent_type.into(),
            task_type: self.task_type.into(),
            description: self.description,
            priority: self.priority.map_or(USUAL_PRIORITY, Bounded::get),
            input_data: Value::Object(self.input_data),
            run_at: self.run_at.map(Time::get),
            max_attempts: self.max_attempts.map(Bounded::get),
            timeout_s: self.timeout_s.map(|seconds| i64::from(seconds.get())),
            unique_key: self.unique_key.map(String::from),
            idempotency_key,
        })
    }
}

/// POST /api/v1/agent/task
async fn create(headers: HeaderMap, request: Create, app: Arc<App>) -> Result<Reply, Problem> {
    let request = request.into_request("", idempotency_key(&headers)?)?;
    let created = app.system.tasks.create(request).await?;
    let id = created.task.id;
    Ok(reply::accepted(&match created.is_duplicate {
        false => AcceptedTask::new("Task created and queued", id),
        true => AcceptedTask::again("Task was created and queued before", id),
    }))
}

/// POST /api/v1/agent/tasks
async fn create_all(request: CreateAll, app: Arc<App>) -> Result<Reply, Problem> {
    if !(1..=MAX_BULK).contains(&request.tasks.len()) {
        return Err(Problem::invalid_field(
            "tasks",
            format!("must be 1 to {MAX_BULK} tasks"),
        ));
    }
    if let Some(index) = request.tasks.iter().position(|task| task.unique_key.is_some()) {
        let field = format!("tasks[{index}].unique_key");
        return Err(Problem::invalid_field(field, "is taken with a single task only"));
    }
    let tasks = request.tasks.into_iter().enumerate();
    let requests = tasks.map(|(index, task)| task.into_request(&format!("tasks[{index}]."), None));
    let ids = app.system.tasks.create_all(requests.collect::<Result<_, _>>()?).await?;
    Ok(reply::accepted(&AcceptedTasks::new(ids)))
}

pub(super) fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(value) = headers.get(IDEMPOTENCY_KEY) else {
        return Ok(None);
    };
    let is_single = headers.get_all(IDEMPOTENCY_KEY).iter().count() == 1;
    match value.to_str() {
        Ok(key) if is_single && is_key(key.trim()) => Ok(Some(key.trim().to_owned())),
        _ => Err(Problem::invalid_field(
            "Idempotency-Key",
            format!("must be one header of 1 to {MAX_KEY_CHARS} printable ASCII characters"),
        )),
    }
}

/// A header's value may also have tabs.
fn is_key(text: &str) -> bool {
    (1..=MAX_KEY_CHARS).contains(&text.len()) && text.chars().all(|c| matches!(c, ' '..='~'))
}

/// GET /api/v1/agent/tasks
async fn list(query: Query, app: Arc<App>) -> Result<Reply, Problem> {
    let page = query.page()?;
    let filter = TaskFilter {
        states: query.choice("status", &STATUSES)?.unwrap_or_default().to_vec(),
        agent_type: query.text("agent_type")?.map(str::to_owned),
        project_id: query.id("project_id")?.map(ProjectId),
    };
    let listed = tasks::list(&app.system.store, &filter, page.rows()).await?;
    let rows: Vec<TaskBody> = listed.rows.into_iter().map(TaskBody::from).collect();
    Ok(reply::list(&rows, listed.total, &page))
}

/// GET /api/v1/agent/tasks/{id}
async fn show(id: i64, app: Arc<App>) -> Result<Reply, Problem> {
    let id = TaskId(id);
    let details = tasks::details(&app.system.store, id).await?;
    let attempts = tasks::attempts(&app.system.store, id).await?;
    let reason = app.system.tasks.obstacle(&details.task).await?;
    Ok(reply::ok(&TaskDetails::new(details, reason, attempts)))
}

/// POST /api/v1/agent/tasks/{id}/cancel
async fn cancel(id: i64, app: Arc<App>) -> Result<Reply, Problem> {
    let task = app.system.tasks.cancel(TaskId(id)).await?;
    Ok(match task.state {
        State::Cancelled => reply::ok(&Told::new(format!("Task {id} cancelled"))),
        _ => reply::accepted(&Told::new(format!("Task {id} is being cancelled"))),
    })
}

/// POST /api/v1/agent/tasks/{id}/retry
async fn retry(id: i64, app: Arc<App>) -> Result<Reply, Problem> {
    app.system.tasks.retry(TaskId(id)).await?;
    Ok(reply::accepted(&Told::new(format!("Task {id} queued again"))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_printable() {
        for (text, is_good) in [
            ("a b~", true),
            ("", false),
            ("a\tb", false),
            ("\u{7f}", false),
            ("ä", false),
        ] {
            assert_eq!(is_key(text), is_good, "{text:?}");
        }
        assert!(is_key(&"x".repeat(MAX_KEY_CHARS)) && !is_key(&"x".repeat(MAX_KEY_CHARS + 1)));
    }
}
