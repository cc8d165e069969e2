//! How the service and its machine are.

use std::sync::Arc;

use chrono::{SecondsFormat, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use warp::{Filter, filters::BoxedFilter, http::StatusCode, reply::Response};

use super::{answer, with};
use crate::{
    app::App,
    problem::Problem,
    query,
    reply::{self, Reply},
};

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Health")]
pub(crate) struct HealthBody {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    timestamp: String,
}

/// Returns the filters of this resource.
pub(super) fn routes(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    let show_health = warp::path!("health").and(warp::get()).and(with(app)).then(health);
    let show_status = warp::path!("api" / "v1" / "status")
        .and(warp::get())
        .and(query::none())
        .and(with(app))
        .then(status);
    show_health.or(show_status).unify().map(answer).boxed()
}

/// GET /health
///
/// Takes any query, as some probes add one against caches.
async fn health(app: Arc<App>) -> Result<Reply, Problem> {
    let timestamp = Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true);
    Ok(match app.system.complaint() {
        None => reply::ok(&HealthBody {
            status: "healthy",
            reason: None,
            timestamp,
        }),
        Some(reason) => {
            let body = HealthBody {
                status: "unhealthy",
                reason: Some(reason),
                timestamp,
            };
            reply::with_status(StatusCode::SERVICE_UNAVAILABLE, &body)
        }
    })
}

/// GET /api/v1/status
async fn status(app: Arc<App>) -> Result<Reply, Problem> {
    Ok(reply::ok(&app.status().await?))
}
