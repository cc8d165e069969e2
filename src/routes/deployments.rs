//! Deployments: projects that are to run on a port.

use std::sync::Arc;

use borgos_actors::{
    Error,
    deployment::Status,
    deployments::{DeployRequest, Progress},
    id::{DeploymentId, ProjectId},
    store::deployments::{self, Filter as DeploymentFilter},
    value::{
        Command, CpuLimit, DeploymentName, Environment, GitRef, HealthCheck, HealthPath, ImageRef, MemoryLimit, Port,
        Retries, Seconds, Volumes,
    },
};
use schemars::JsonSchema;
use serde::Deserialize;
use warp::{Filter, Rejection, filters::BoxedFilter, reply::Response};

use super::{
    Scope, answer,
    body::DeploymentBody,
    id,
    outcome::{Made, Told},
    with,
};
use crate::{
    app::App,
    body::{self, field::Id},
    guard::{auth::Caller, check_scope},
    problem::Problem,
    query::{self, Names, Query},
    reply::{self, Reply},
};

pub(crate) mod logs;
pub(crate) mod releases;
pub(crate) mod update;
pub(crate) mod views;

pub(crate) const STATUSES: [(&str, Status); 11] = [
    ("pending", Status::Pending),
    ("building", Status::Building),
    ("starting", Status::Starting),
    ("running", Status::Running),
    ("unhealthy", Status::Unhealthy),
    ("restarting", Status::Restarting),
    ("crash_looping", Status::CrashLooping),
    ("stopping", Status::Stopping),
    ("stopped", Status::Stopped),
    ("failed", Status::Failed),
    ("cancelled", Status::Cancelled),
];

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Deploy {
    project_id: Id,
    name: Option<DeploymentName>,
    port: Port,
    #[serde(default)]
    environment: Environment,
    cpu_limit: Option<CpuLimit>,
    memory_limit: Option<MemoryLimit>,
    image: Option<ImageRef>,
    command: Option<Command>,
    container_port: Option<Port>,
    source_ref: Option<GitRef>,
    #[serde(default)]
    volumes: Volumes,
    health_check_path: Option<HealthPath>,
    health_timeout_s: Option<Seconds>,
    health_interval_s: Option<Seconds>,
    health_retries: Option<Retries>,
}

/// Returns the filters of this resource.
pub(super) fn routes(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    let one = || warp::path!("api" / "v1" / "deployments" / String).and_then(id);
    let filters = query::strict(&["status", "project_id", "name", "port", "fields", "limit", "offset"]);

    let list = warp::path!("api" / "v1" / "deployments")
        .and(warp::get())
        .and(filters)
        .and(Names::filter::<DeploymentBody>())
        .and(with(app))
        .then(list);
    let deploy = warp::path!("api" / "v1" / "deploy")
        .and(warp::post())
        .and(query::none())
        .and(body::json())
        .and(warp::ext::optional::<Caller>())
        .and(with(app))
        .then(deploy);
    let show = one().and(warp::get()).and(query::none()).and(with(app)).then(show);
    let delete = one().and(warp::delete()).and(query::none()).and(with(app)).then(delete);
    let stop = below("stop")
        .and(warp::post())
        .and(query::none())
        .and(with(app))
        .then(stop);
    let restart = below("restart")
        .and(warp::post())
        .and(query::none())
        .and(with(app))
        .then(restart);
    let start = below("start")
        .and(warp::post())
        .and(query::none())
        .and(with(app))
        .then(start);
    let reading = list.or(show).unify();
    let acting = deploy
        .or(delete)
        .unify()
        .or(stop)
        .unify()
        .or(restart)
        .unify()
        .or(start)
        .unify();
    let all = reading.or(acting).unify().map(answer).boxed();
    all.or(releases::routes(app))
        .unify()
        .or(logs::routes(app))
        .unify()
        .or(update::routes(app))
        .unify()
        .or(views::routes(app))
        .unify()
        .boxed()
}

/// Matches what a deployment has below its own path, by name.
fn below(name: &'static str) -> impl Filter<Extract = (i64,), Error = Rejection> + Clone {
    warp::path!("api" / "v1" / "deployments" / String / ..)
        .and(warp::path(name))
        .and(warp::path::end())
        .and_then(id)
}

/// GET /api/v1/deployments
async fn list(query: Query, names: Names, app: Arc<App>) -> Result<Reply, Problem> {
    let (page, fields) = (query.page()?, query.fields(&names)?);
    let filter = DeploymentFilter {
        status: query.choice("status", &STATUSES)?,
        project_id: query.id("project_id")?.map(ProjectId),
        name: query.parsed("name", DeploymentName::try_from)?,
        port: query.parsed("port", Port::try_from)?,
    };
    let listed = deployments::list(&app.system.store, &filter, page.rows()).await?;
    let shown = |row| DeploymentBody::new(row, &app.system.store);
    let rows: Result<Vec<DeploymentBody>, Error> = listed.rows.into_iter().map(shown).collect();
    reply::list_fields(&rows?, fields.as_ref(), listed.total, &page)
}

/// POST /api/v1/deploy
async fn deploy(request: Deploy, caller: Option<Caller>, app: Arc<App>) -> Result<Reply, Problem> {
    if request.volumes.has_host_directory() {
        // It could be any directory, and so anything on this machine.
        check_scope(Scope::Admin, caller.as_ref())?;
    }
    let unset = HealthCheck::default();
    let health_check = HealthCheck {
        path: request.health_check_path,
        timeout_s: request.health_timeout_s.unwrap_or(unset.timeout_s),
        interval_s: request.health_interval_s.unwrap_or(unset.interval_s),
        retries: request.health_retries.unwrap_or(unset.retries),
    };
    let request = DeployRequest {
        project_id: ProjectId(request.project_id.get()),
        name: request.name,
        port: request.port,
        environment: request.environment,
        cpu_limit: request.cpu_limit,
        memory_limit: request.memory_limit,
        image: request.image,
        command: request.command,
        container_port: request.container_port,
        source_ref: request.source_ref,
        volumes: request.volumes,
        health_check,
    };
    let row = app.system.deployments.deploy(request).await?;
    let body = Made::new(format!("Deployment created on port {}", row.port), row.id.0);
    Ok(reply::created(&format!("/api/v1/deployments/{}", row.id), &body))
}

/// GET /api/v1/deployments/{id}
async fn show(id: i64, app: Arc<App>) -> Result<Reply, Problem> {
    let row = deployments::deployment(&app.system.store, DeploymentId(id)).await?;
    Ok(reply::ok(&DeploymentBody::new(row, &app.system.store)?))
}

/// DELETE /api/v1/deployments/{id}
async fn delete(id: i64, app: Arc<App>) -> Result<Reply, Problem> {
    let progress = app.system.deployments.delete(DeploymentId(id)).await?;
    Ok(tell(
        progress,
        format!("Deployment {id} deleted"),
        format!("Deployment {id} is stopping, delete it again then"),
    ))
}

/// POST /api/v1/deployments/{id}/stop
async fn stop(id: i64, app: Arc<App>) -> Result<Reply, Problem> {
    let progress = app.system.deployments.stop(DeploymentId(id)).await?;
    Ok(tell(
        progress,
        format!("Deployment {id} stopped"),
        format!("Deployment {id} is stopping"),
    ))
}

/// POST /api/v1/deployments/{id}/restart
async fn restart(id: i64, app: Arc<App>) -> Result<Reply, Problem> {
    let progress = app.system.deployments.restart(DeploymentId(id)).await?;
    Ok(tell(
        progress,
        format!("Deployment {id} restarted"),
        format!("Deployment {id} is restarting"),
    ))
}

/// POST /api/v1/deployments/{id}/start
async fn start(id: i64, app: Arc<App>) -> Result<Reply, Problem> {
    let progress = app.system.deployments.start(DeploymentId(id)).await?;
    Ok(tell(
        progress,
        format!("Deployment {id} started"),
        format!("Deployment {id} is starting"),
    ))
}

/// Says so where what serves ends before its successor starts.
async fn gap(id: i64, app: &App) -> Result<&'static str, Problem> {
    let row = deployments::deployment(&app.system.store, DeploymentId(id)).await?;
    Ok(match row.volumes.are_written() {
        true => "; what serves is stopped before it starts, since both write to the same volumes",
        false => "",
    })
}

/// 200 for what has been observed, 202 for what is still under way.
fn tell(progress: Progress, done: String, under_way: String) -> Reply {
    match progress {
        Progress::Done => reply::ok(&Told::new(done)),
        Progress::UnderWay => reply::accepted(&Told::new(under_way)),
    }
}
