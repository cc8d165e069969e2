//! Releases of a deployment: what it ran, runs and may run again.

use std::sync::Arc;

use borgos_actors::{
    Error,
    id::DeploymentId,
    store::{
        deployments,
        releases::{self, Status},
    },
    value::GitRef,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use warp::{Filter, filters::BoxedFilter, reply::Response};

use super::{below, gap, tell};
use crate::{
    app::App,
    body::{
        self,
        field::{self, Id},
    },
    problem::Problem,
    query::{self, Page, Query},
    reply::{self, Reply},
    routes::{answer, body::ReleaseBody, with},
};

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rollback {
    /// The number of the release.
    release: Id,
}

/// The release that is being built.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Redeploying {
    message: String,
    release: i64,
}

/// From what the next release is built.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Redeploy {
    /// A commit or a branch; `null` for the project's directory. Left out, it is what it was.
    #[serde(default, deserialize_with = "field::nullable")]
    source_ref: Option<Option<GitRef>>,
}

/// Returns the filters of this resource.
pub(super) fn routes(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    let list = below("releases")
        .and(warp::get())
        .and(query::strict(&["limit", "offset"]))
        .and(with(app))
        .then(list);
    let redeploy = below("redeploy")
        .and(warp::post())
        .and(query::none())
        .and(body::json_opt())
        .and(with(app))
        .then(redeploy);
    let rollback = below("rollback")
        .and(warp::post())
        .and(query::strict(&["limit", "offset"]))
        .and(body::json_opt())
        .and(with(app))
        .then(rollback);
    list.or(redeploy).unify().or(rollback).unify().map(answer).boxed()
}

/// GET /api/v1/deployments/{id}/releases
async fn list(id: i64, query: Query, app: Arc<App>) -> Result<Reply, Problem> {
    let page = query.page()?;
    list_those(id, None, &page, &app).await
}

/// POST /api/v1/deployments/{id}/redeploy
async fn redeploy(id: i64, request: Option<Redeploy>, app: Arc<App>) -> Result<Reply, Problem> {
    let deployments = &app.system.deployments;
    let release = match request.and_then(|request| request.source_ref) {
        None => deployments.redeploy(DeploymentId(id)).await?,
        Some(source_ref) => deployments.redeploy_from(DeploymentId(id), source_ref.as_ref()).await?,
    };
    let gap = gap(id, &app).await?;
    let message = format!("Deployment {id} is building release {}{gap}", release.number);
    Ok(reply::accepted(&Redeploying {
        message,
        release: release.number,
    }))
}

/// POST /api/v1/deployments/{id}/rollback
///
/// Without a body it changes nothing and lists the releases that could serve again.
async fn rollback(id: i64, query: Query, request: Option<Rollback>, app: Arc<App>) -> Result<Reply, Problem> {
    let page = query.page()?;
    let Some(request) = request else {
        return list_those(id, Some(Status::Ready), &page, &app).await;
    };
    let number = request.release.get();
    let (_, progress) = app.system.deployments.rollback(DeploymentId(id), number).await?;
    Ok(tell(
        progress,
        format!("Deployment {id} runs release {number}"),
        format!(
            "Deployment {id} is going back to release {number}{}",
            gap(id, &app).await?
        ),
    ))
}

async fn list_those(id: i64, status: Option<Status>, page: &Page, app: &App) -> Result<Reply, Problem> {
    let store = &app.system.store;
    let deployment = deployments::deployment(store, DeploymentId(id)).await?;
    let listed = releases::list(store, deployment.id, status, page.rows()).await?;
    let serving = deployment.instance.and(deployment.release_id);
    let shown = |release| ReleaseBody::new(release, serving, store);
    let rows: Result<Vec<ReleaseBody>, Error> = listed.rows.into_iter().map(shown).collect();
    Ok(reply::list(&rows?, listed.total, page))
}
