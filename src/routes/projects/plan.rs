//! How a project would be deployed.

use std::sync::Arc;

use borgos_actors::{id::ProjectId, plan::Recipe, runtime::Kind};
use schemars::JsonSchema;
use serde::Serialize;
use warp::{Filter, filters::BoxedFilter, reply::Response};

use crate::{
    app::App,
    problem::Problem,
    query,
    reply::{self, Reply},
    routes::{answer, id, with},
};

/// What a deployment is asked unless it says otherwise.
const HEALTH_PATH: &str = "/health";

/// A plan as clients see it.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Plan")]
pub(crate) struct PlanBody {
    project_id: ProjectId,
    runtime: Kind,
    #[serde(flatten)]
    recipe: Recipe,
    health_path: &'static str,
}

/// Returns the filters of this resource.
pub(super) fn routes(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    warp::path!("api" / "v1" / "projects" / String / "plan")
        .and(warp::get())
        .and_then(id)
        .and(query::none())
        .and(with(app))
        .then(plan)
        .map(answer)
        .boxed()
}

/// GET /api/v1/projects/{id}/plan
async fn plan(id: i64, app: Arc<App>) -> Result<Reply, Problem> {
    let planned = app.system.deployments.plan(ProjectId(id)).await?;
    Ok(reply::ok(&PlanBody {
        project_id: ProjectId(id),
        runtime: planned.runtime,
        recipe: planned.recipe,
        health_path: HEALTH_PATH,
    }))
}
