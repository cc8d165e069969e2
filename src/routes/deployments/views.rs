//! What happened to a deployment, what it uses and how it answers.

use std::sync::Arc;

use borgos_actors::{
    deployment::{Probe, Status},
    id::{DeploymentId, EventId},
    store::{
        deployments,
        events::{self, Event},
    },
    value::{CpuLimit, MemoryLimit},
};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use warp::{Filter, filters::BoxedFilter, reply::Response};

use super::below;
use crate::{
    app::App,
    problem::Problem,
    query::{self, Query},
    reply::{self, Reply},
    routes::{answer, with},
};

/// An event as the live stream shows it.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Event")]
pub(crate) struct EventBody {
    id: EventId,
    #[serde(rename = "type")]
    kind: String,
    data: Value,
    at: DateTime<Utc>,
    /// Its place in the channel `deployments:{id}`.
    offset: Option<i64>,
}

/// What a deployment uses. Everything that is measured is `null` while nothing serves, or where the runtime cannot tell.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "DeploymentStats")]
pub(crate) struct StatsBody {
    status: Status,
    /// 100 is one CPU.
    cpu_percent: Option<f64>,
    cpu_limit: Option<CpuLimit>,
    memory_bytes: Option<u64>,
    memory_limit: Option<MemoryLimit>,
    network_rx_bytes: Option<u64>,
    network_tx_bytes: Option<u64>,
    num_processes: Option<u64>,
    restarts: i64,
    uptime_seconds: Option<i64>,
    /// The last ones, newest first.
    probes: Vec<Probe>,
}

/// Returns the filters of this resource.
pub(super) fn routes(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    let events = below("events")
        .and(warp::get())
        .and(query::strict(&["limit", "offset"]))
        .and(with(app))
        .then(events);
    let stats = below("stats")
        .and(warp::get())
        .and(query::none())
        .and(with(app))
        .then(stats);
    events.or(stats).unify().map(answer).boxed()
}

/// GET /api/v1/deployments/{id}/events
async fn events(id: i64, query: Query, app: Arc<App>) -> Result<Reply, Problem> {
    let (page, store) = (query.page()?, &app.system.store);
    deployments::deployment(store, DeploymentId(id)).await?;
    let listed = events::of_subject(store, events::DEPLOYMENTS, id, page.rows()).await?;
    let rows: Vec<EventBody> = listed.rows.into_iter().map(EventBody::from).collect();
    Ok(reply::list(&rows, listed.total, &page))
}

/// GET /api/v1/deployments/{id}/stats
async fn stats(id: i64, app: Arc<App>) -> Result<Reply, Problem> {
    let stats = app.system.deployments.stats(DeploymentId(id)).await?;
    let (row, usage) = (stats.deployment, stats.usage);
    let started_at = row.started_at.filter(|_| row.instance.is_some());
    Ok(reply::ok(&StatsBody {
        status: row.status,
        cpu_percent: usage.as_ref().and_then(|usage| usage.cpu_percent),
        cpu_limit: row.cpu_limit,
        memory_bytes: usage.as_ref().map(|usage| usage.memory_bytes),
        memory_limit: row.memory_limit,
        network_rx_bytes: usage.as_ref().and_then(|usage| usage.network_rx_bytes),
        network_tx_bytes: usage.as_ref().and_then(|usage| usage.network_tx_bytes),
        num_processes: usage.as_ref().and_then(|usage| usage.num_processes),
        restarts: row.restarts,
        uptime_seconds: started_at.map(|started_at| (Utc::now() - started_at).num_seconds()),
        probes: stats.probes,
    }))
}

impl From<Event> for EventBody {
    fn from(event: Event) -> Self {
        Self {
            id: event.id,
            kind: event.kind,
            data: event.data,
            at: event.at,
            offset: event.subject_offset,
        }
    }
}
