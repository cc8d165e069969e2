//! What is recorded when a deployment does not run as it should: a reason for its row and an entry of the error log.

use std::time::Duration;

use serde_json::json;

use super::Status;
use crate::{
    Error,
    runtime::{self, Exit},
    store::{
        deployments::{Change, Deployment},
        error_log::{NewEntry, Severity},
        releases::Ending,
    },
    value::{MemoryLimit, Seconds, Secrets},
};

/// Something that went wrong with a deployment.
#[derive(Debug)]
pub(super) struct Failure {
    /// The error log's word for it.
    pub(super) error_type: &'static str,
    /// What happened, to be read after the deployment's name.
    pub(super) reason: String,
    /// What the program or the build said last.
    pub(super) lines: Vec<String>,
    /// How its instance ended, if that is what went wrong.
    pub(super) exit: Option<Exit>,
    /// What follows from it.
    pub(super) consequence: Consequence,
}

/// What follows from a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Consequence {
    /// Trying again without a change would not help.
    GiveUp,
    /// A deployment that has run before is tried again; one that never did was never right.
    GiveUpUnlessItHasRun,
    /// It is tried again.
    TryAgain,
}

impl Failure {
    /// The program ended. A program that exceeds its memory limit right after its start may be killed before the engine
    /// watches for that, so a kill of a limited one is not called anything more precise than it is.
    pub(super) fn exit(exit: &Exit, memory_limit: Option<&MemoryLimit>, lines: Vec<String>) -> Self {
        let reason = match (exit, memory_limit) {
            (Exit { is_oom: true, code, .. }, _) => {
                format!("was killed for exceeding its memory limit (exit code {code})")
            }
            (Exit { code: Exit::UNSEEN, .. }, _) => "ended while nobody watched".to_owned(),
            (Exit { code, .. }, Some(limit)) if *code == Exit::KILLED => {
                format!("was killed from outside or for exceeding its memory limit of {limit} (exit code {code})")
            }
            (Exit { code, .. }, _) => format!("exited with code {code}"),
        };
        Self {
            reason,
            lines,
            exit: Some(exit.clone()),
            ..Self::plain("crash", String::new(), Consequence::TryAgain)
        }
    }

    /// The instance is gone and nobody here removed it.
    pub(super) fn vanished() -> Self {
        Self::plain("vanished", "was removed from outside".to_owned(), Consequence::TryAgain)
    }

    /// It runs and did not become healthy in time.
    pub(super) fn unhealthy(reason: &str, timeout: Seconds, lines: Vec<String>) -> Self {
        let reason = format!("was not healthy within {} s: {reason}", timeout.get());
        Self {
            lines,
            ..Self::plain("unhealthy", reason, Consequence::GiveUpUnlessItHasRun)
        }
    }

    /// It ran, became unhealthy and did not recover.
    pub(super) fn stays_unhealthy(reason: &str, lines: Vec<String>) -> Self {
        Self {
            lines,
            ..Self::plain(
                "unhealthy",
                format!("stayed unhealthy: {reason}"),
                Consequence::TryAgain,
            )
        }
    }

    /// The release could not be built.
    pub(super) fn build(error: runtime::Error) -> Self {
        let reason = format!("could not be built: {error}");
        let lines = match error {
            runtime::Error::BuildFailed { log, .. } => log,
            _ => Vec::new(),
        };
        Self {
            lines,
            ..Self::plain("build", reason, Consequence::GiveUp)
        }
    }

    /// The instance could not be started.
    pub(super) fn start(error: &runtime::Error) -> Self {
        Self::plain(
            "start",
            format!("could not be started: {error}"),
            Consequence::GiveUpUnlessItHasRun,
        )
    }

    /// Connections cannot be led to it, as when the port is held by another program.
    pub(super) fn unrouted(error: &Error) -> Self {
        let error_type = match error {
            Error::PortInUse { .. } => "port_in_use",
            _ => "edge",
        };
        let reason = format!("could not be started: {error}");
        Self::plain(error_type, reason, Consequence::GiveUpUnlessItHasRun)
    }

    fn plain(error_type: &'static str, reason: String, consequence: Consequence) -> Self {
        Self {
            error_type,
            reason,
            lines: Vec::new(),
            exit: None,
            consequence,
        }
    }
}

impl Failure {
    /// Returns what the row becomes: none of its instances counts any more, and those that are still there are retired. Only
    /// a candidate that is already to take over from what failed goes on.
    pub(super) fn change(&self, row: &Deployment, status: Status, pause: Option<Duration>) -> Change {
        let next = pause
            .map(|pause| format!(", next start in {:.1} s", pause.as_secs_f64()))
            .unwrap_or_default();
        Change {
            reason: Some(format!("{}{next}", self.reason)),
            generation: (!row.is_rolling_out()).then(|| row.generation.next()),
            instance: Some(None),
            candidate: Some(None),
            restarts: pause.map(|_| row.restarts + 1),
            ..Change::to(status)
        }
    }

    /// Returns the entry for the error log.
    pub(super) fn entry(&self, row: &Deployment) -> NewEntry {
        NewEntry {
            project_id: Some(row.project_id),
            deployment_id: Some(row.id),
            error_type: self.error_type.to_owned(),
            severity: Severity::Error,
            message: format!("deployment `{}` {}", row.name, self.reason),
            stack_trace: (!self.lines.is_empty()).then(|| self.lines.join("\n")),
            context: match &self.exit {
                Some(exit) => json!({"exit_code": exit.code, "is_oom": exit.is_oom, "exited_at": exit.at}),
                None => json!({}),
            },
        }
    }

    /// Returns what is kept with a release that failed by it.
    pub(super) fn ending(&self) -> Ending {
        Ending {
            reason: self.reason.clone(),
            exit: self.exit.clone(),
            last_lines: self.lines.clone(),
        }
    }

    /// Takes secrets out of what was said.
    pub(super) fn masked(self, secrets: &Secrets) -> Self {
        let mask = |line: String| secrets.mask(&line).into_owned();
        Self {
            reason: mask(self.reason),
            lines: self.lines.into_iter().map(mask).collect(),
            ..self
        }
    }
}
