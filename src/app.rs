//! What the routes need, in one value.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use borgos_actors::{
    Error, event_bus,
    metrics::Sample,
    store::{deployments, error_log, projects},
    system::System,
};
use chrono::Utc;
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    guard::{audit::Auditor, tickets::Tickets},
    mcp::model::Model,
    ws::Sessions,
};

/// What the routes need.
pub struct App {
    /// Everything below the front end.
    pub system: System,
    /// The open WebSockets.
    pub sessions: Sessions,
    /// Answers queries in plain words, if there is a language model.
    pub model: Option<Model>,
    /// The tickets that were given out.
    pub tickets: Arc<Tickets>,
    /// Writes down who changes what.
    pub auditor: Auditor,
    started: Instant,
}

/// What `GET /api/v1/status` answers.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "Status")]
pub struct SystemStatus {
    #[serde(flatten)]
    sample: Sample,
    active_deployments: u64,
    total_projects: u64,
    recent_errors: u64,
    service_uptime_seconds: u64,
    version: &'static str,
}

/// Errors of this long ago are recent.
const RECENT: Duration = Duration::from_secs(3600);

impl App {
    /// Brings the parts together; the service counts as started now.
    pub fn new(system: System, sessions: Sessions, model: Option<Model>, tickets: Arc<Tickets>) -> Self {
        Self {
            auditor: Auditor::new(system.store.clone()),
            system,
            sessions,
            model,
            tickets,
            started: Instant::now(),
        }
    }

    /// Tells the event bus that there are new events.
    pub fn nudge_events(&self) {
        event_bus::nudge(&self.system.events);
    }

    /// Returns how the machine and the service are.
    ///
    /// # Errors
    /// Fails when the database does.
    pub async fn status(&self) -> Result<SystemStatus, Error> {
        let store = &self.system.store;
        Ok(SystemStatus {
            sample: self.system.sample(),
            active_deployments: deployments::num_running(store).await?,
            total_projects: projects::num_active(store).await?,
            recent_errors: error_log::num_since(store, Utc::now() - RECENT).await?,
            service_uptime_seconds: self.started.elapsed().as_secs(),
            version: env!("CARGO_PKG_VERSION"),
        })
    }
}
