//! What the routes need, in one value that is cheap to clone.

use std::{sync::Arc, time::Instant};

use serde::Serialize;
use tokio::sync::watch;

/// What the routes need.
#[derive(Clone)]
pub struct App {
    health: Arc<dyn Fn() -> Health + Send + Sync>,
    metrics: watch::Receiver<Option<Metrics>>,
    started: Instant,
}

/// How the service is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// Everything that should run does.
    Well,
    /// Something does not, with what a person needs to know about it.
    Unwell(String),
}

/// The last sample of the machine and of what BorgOS runs on it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Metrics {
    /// Used processor time, of all processors together.
    pub cpu_percent: f64,
    /// Used memory.
    pub memory_percent: f64,
    /// Used space of the data directory's file system.
    pub disk_percent: f64,
    /// Deployments that run.
    pub active_deployments: u64,
    /// Active projects.
    pub total_projects: u64,
    /// Errors logged in the last hour.
    pub recent_errors: u64,
    /// How long the machine has been up.
    pub uptime_seconds: u64,
}

/// What `GET /api/v1/status` answers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SystemStatus {
    #[serde(flatten)]
    metrics: Metrics,
    service_uptime_seconds: u64,
    version: &'static str,
}

impl App {
    /// Brings together where health is asked for and where samples arrive; `None` stands for no sample yet.
    pub fn new(health: impl Fn() -> Health + Send + Sync + 'static, metrics: watch::Receiver<Option<Metrics>>) -> Self {
        Self {
            health: Arc::new(health),
            metrics,
            started: Instant::now(),
        }
    }

    /// Returns how the service is just now.
    pub fn health(&self) -> Health {
        (self.health)()
    }

    /// Returns the last sample, if there is one already.
    pub fn status(&self) -> Option<SystemStatus> {
        let metrics = self.metrics.borrow().clone()?;
        Some(SystemStatus {
            metrics,
            service_uptime_seconds: self.started.elapsed().as_secs(),
            version: env!("CARGO_PKG_VERSION"),
        })
    }
}
