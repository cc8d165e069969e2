//! Scans of projects, and the search for projects on the disk.

use std::sync::Arc;

use borgos_actors::id::ProjectId;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use warp::{Filter, filters::BoxedFilter, reply::Response};

use super::{DIRECTORY, resolve};
use crate::{
    app::App,
    body,
    problem::Problem,
    query,
    reply::{self, Reply},
    routes::{answer, id, outcome::Told, with},
};

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Discover {
    /// The directory to look in.
    #[schemars(length(min = 1, max = 4096), regex(pattern = "^/"), extend("format" = DIRECTORY))]
    path: String,
}

/// How many projects were found.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Synced {
    message: String,
    count: usize,
}

/// The projects that were found.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Discovered {
    #[serde(flatten)]
    synced: Synced,
    projects: Vec<ProjectId>,
}

/// Returns the filters of this resource.
pub(super) fn routes(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    let scan = warp::path!("api" / "v1" / "projects" / String / "scan")
        .and(warp::post())
        .and_then(id)
        .and(query::none())
        .and(with(app))
        .then(scan);
    let scan_zenith = warp::path!("api" / "v1" / "projects" / "scan-zenith")
        .and(warp::post())
        .and(query::none())
        .and(with(app))
        .then(scan_zenith);
    let discover = warp::path!("api" / "v1" / "projects" / "discover")
        .and(warp::post())
        .and(query::none())
        .and(body::json())
        .and(with(app))
        .then(discover);
    scan.or(scan_zenith).unify().or(discover).unify().map(answer).boxed()
}

/// POST /api/v1/projects/{id}/scan
async fn scan(id: i64, app: Arc<App>) -> Result<Reply, Problem> {
    app.system.scans.request(ProjectId(id)).await?;
    Ok(reply::accepted(&Told::new(format!("Scan initiated for project {id}"))))
}

/// POST /api/v1/projects/scan-zenith
async fn scan_zenith(app: Arc<App>) -> Result<Reply, Problem> {
    let count = app.system.scans.sync_zenith().await?.len();
    let message = format!("Scanned and synced {count} Zenith projects");
    Ok(reply::ok(&Synced { message, count }))
}

/// POST /api/v1/projects/discover
async fn discover(request: Discover, app: Arc<App>) -> Result<Reply, Problem> {
    let directory = resolve(request.path).await?;
    let projects = app.system.scans.discover(&directory).await?;
    let count = projects.len();
    let message = format!("Scanned and synced {count} projects");
    let synced = Synced { message, count };
    Ok(reply::ok(&Discovered { synced, projects }))
}
