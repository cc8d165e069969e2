//! Changing a deployment, and calling off what is under way.

use std::sync::Arc;

use borgos_actors::{
    id::DeploymentId,
    store::deployments::Patch,
    value::{CpuLimit, DeploymentName, Environment, HealthPath, MemoryLimit, Retries, Seconds},
};
use schemars::{JsonSchema, Schema};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use warp::{Filter, filters::BoxedFilter, reply::Response};

use super::{below, tell};
use crate::{
    app::App,
    body::{self, field},
    problem::Problem,
    query,
    reply::{self, Reply},
    routes::{answer, body::DeploymentBody, id, with},
};

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "UpdateDeployment")]
pub(crate) struct Update {
    #[serde(default, deserialize_with = "field::not_null")]
    #[schemars(with = "DeploymentName")]
    name: Option<DeploymentName>,
    #[serde(default, deserialize_with = "field::not_null")]
    #[schemars(with = "Environment", transform = takes_nulls)]
    environment: Option<Map<String, Value>>,
    #[serde(default, deserialize_with = "field::nullable")]
    cpu_limit: Option<Option<CpuLimit>>,
    #[serde(default, deserialize_with = "field::nullable")]
    memory_limit: Option<Option<MemoryLimit>>,
    #[serde(default, deserialize_with = "field::nullable")]
    health_check_path: Option<Option<HealthPath>>,
    #[serde(default, deserialize_with = "field::not_null")]
    #[schemars(with = "Seconds")]
    health_timeout_s: Option<Seconds>,
    #[serde(default, deserialize_with = "field::not_null")]
    #[schemars(with = "Seconds")]
    health_interval_s: Option<Seconds>,
    #[serde(default, deserialize_with = "field::not_null")]
    #[schemars(with = "Retries")]
    health_retries: Option<Retries>,
}

/// A variable that is `null` is taken away.
fn takes_nulls(schema: &mut Schema) {
    let kinds = schema.pointer_mut("/additionalProperties/anyOf");
    if let Some(kinds) = kinds.and_then(Value::as_array_mut) {
        kinds.push(json!({"type": "null"}));
    }
}

/// Returns the filters of this resource.
pub(super) fn routes(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    let update = warp::path!("api" / "v1" / "deployments" / String)
        .and_then(id)
        .and(warp::patch())
        .and(query::none())
        .and(body::json())
        .and(with(app))
        .then(update);
    let cancel = below("cancel")
        .and(warp::post())
        .and(query::none())
        .and(with(app))
        .then(cancel);
    update.or(cancel).unify().map(answer).boxed()
}

/// PATCH /api/v1/deployments/{id}
///
/// 202 when a new release is rolled out because of it, 200 when the change counts already.
async fn update(id: i64, request: Update, app: Arc<App>) -> Result<Reply, Problem> {
    let patch = Patch {
        name: request.name,
        environment: request.environment,
        cpu_limit: request.cpu_limit,
        memory_limit: request.memory_limit,
        health_check_path: request.health_check_path,
        health_timeout_s: request.health_timeout_s,
        health_interval_s: request.health_interval_s,
        health_retries: request.health_retries,
    };
    let (row, release) = app.system.deployments.change(DeploymentId(id), &patch).await?;
    let body = DeploymentBody::new(row, &app.system.store)?;
    Ok(match release {
        Some(_) => reply::accepted(&body),
        None => reply::ok(&body),
    })
}

/// POST /api/v1/deployments/{id}/cancel
async fn cancel(id: i64, app: Arc<App>) -> Result<Reply, Problem> {
    let progress = app.system.deployments.cancel(DeploymentId(id)).await?;
    Ok(tell(
        progress,
        format!("What was under way of deployment {id} is cancelled"),
        format!("What is under way of deployment {id} is being cancelled"),
    ))
}
