//! How the service and its machine are.

use chrono::{SecondsFormat, Utc};
use serde::Serialize;
use warp::{Filter, Reply as _, filters::BoxedFilter, http::StatusCode, reply::Response};

use crate::{
    app::{App, Health},
    problem::Problem,
    query,
    reply::{self, Reply},
};

#[derive(Serialize)]
struct HealthBody {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    timestamp: String,
}

/// Returns the filters of this resource.
pub fn routes(app: &App) -> BoxedFilter<(Response,)> {
    let with_app = {
        let app = app.clone();
        warp::any().map(move || app.clone())
    };
    let health = warp::path!("health")
        .and(warp::get())
        .and(with_app.clone())
        .map(|app| health(&app).into_response());
    let status = warp::path!("api" / "v1" / "status")
        .and(warp::get())
        .and(query::strict(&[]))
        .and(with_app)
        .map(|_, app| status(&app).into_response());
    health.or(status).unify().boxed()
}

/// GET /health
///
/// Takes any query, as some probes add one against caches.
fn health(app: &App) -> Reply {
    let timestamp = Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true);
    match app.health() {
        Health::Well => reply::ok(&HealthBody {
            status: "healthy",
            reason: None,
            timestamp,
        }),
        Health::Unwell(reason) => {
            let body = HealthBody {
                status: "unhealthy",
                reason: Some(reason),
                timestamp,
            };
            reply::with_status(StatusCode::SERVICE_UNAVAILABLE, &body)
        }
    }
}

/// GET /api/v1/status
fn status(app: &App) -> Result<Reply, Problem> {
    match app.status() {
        Some(status) => Ok(reply::ok(&status)),
        None => Err(Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "STARTING",
            "the machine has not been sampled yet, try again",
        )
        .with_retry_after(1)),
    }
}
