//! One attempt: the agent at work, within its time, and to its end.

use std::{panic::AssertUnwindSafe, pin::pin, sync::Arc, time::Duration};

use futures_util::FutureExt;
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep, sleep_until, timeout},
};

use super::{
    Agents, Attempt, Control, Failure, Output, Project, Prospect, Stop,
    agents::{Entry, Limits},
    leftovers,
};
use crate::{
    Error,
    redact::Redactor,
    store::{
        Store, projects,
        tasks::{Details, Fence, Outcome, Owner, Progress, Task},
    },
    supervision::back_off,
};

/// The pause before the second attempt, and the longest one.
const RETRY_BASE: Duration = Duration::from_secs(15);
const RETRY_CAP: Duration = Duration::from_secs(3600);
/// How long the database may take to say where the project is.
const PROJECT_PATIENCE: Duration = Duration::from_secs(10);
/// The largest output that is kept with a task.
const MAX_OUTPUT_BYTES: usize = 1024 * 1024;

/// An attempt that is about to begin.
pub(super) struct Runner {
    pub(super) details: Details,
    pub(super) owner: Owner,
    pub(super) store: Store,
    pub(super) agents: Agents,
    pub(super) reports: mpsc::Sender<(Fence, Progress)>,
    pub(super) stop: watch::Sender<Option<Stop>>,
    /// Until then nobody else can have the task, by a clock of our own. Renewed by the worker, and watched here, since the
    /// worker may be waiting for the database.
    pub(super) trusted_until: watch::Receiver<Instant>,
}

impl Runner {
    /// Carries out the attempt and says how it ended.
    pub(super) async fn run(self) -> Outcome {
        let (result, redactor) = match self.agents.entry(&self.task().agent_type) {
            Ok(entry) => {
                let redactor = Arc::new(Redactor::new(entry.agent.secrets().await));
                (self.attend(entry, redactor.clone()).await, redactor)
            }
            Err(error) => (
                Err(Failure::lasting("not_configured", error.to_string())),
                Arc::default(),
            ),
        };
        let result = match result {
            Ok(Output(output)) => Ok(Output(redactor.redact_json(output))),
            Err(failure) => Err(Failure {
                message: redactor.redact(&failure.message),
                ..failure
            }),
        };
        outcome(result, *self.stop.borrow(), self.task(), rand::random())
    }

    fn task(&self) -> &Task {
        &self.details.task
    }

    async fn attend(&self, entry: &Entry, redactor: Arc<Redactor>) -> Result<Output, Failure> {
        let limit = self.limit(entry.limits);
        let control = Control::new(self.task().fence(), self.reports.clone(), self.stop.subscribe());
        let control = control.redacted_by(redactor);
        let attempt = self.attempt().await?;
        let key = attempt.key.clone();
        let mut work = pin!(AssertUnwindSafe(entry.agent.run(attempt, control.clone())).catch_unwind());
        let ended = tokio::select! {
            result = &mut work => Some(result),
            () = self.until_over(&control, limit) => None,
        };
        let ended = match ended {
            None => self.give_grace(&control, &mut work).await,
            ended => ended,
        };
        match ended {
            Some(result) => result.unwrap_or_else(|_| Err(panicked())),
            None => {
                leftovers::end_all(key).await;
                Err(Failure::stopped())
            }
        }
    }

    /// Resolves when the attempt has to end.
    async fn until_over(&self, control: &Control, limit: Duration) {
        tokio::select! {
            _ = control.stopped() => {}
            () = self.until_untrusted() => stop_for(&self.stop, Stop::Lost),
            () = sleep(limit) => stop_for(&self.stop, Stop::TimedOut),
        }
    }

    /// Whether the end of the lease would leave the attempt no less time than it has.
    fn is_hurried(&self) -> bool {
        matches!(*self.stop.borrow(), Some(Stop::Lost | Stop::Interrupted))
    }

    /// Resolves when the lease can no longer be trusted.
    async fn until_untrusted(&self) {
        let mut trusted_until = self.trusted_until.clone();
        loop {
            let until = *trusted_until.borrow_and_update();
            tokio::select! {
                () = sleep_until(until) => return,
                // Without a worker nobody renews it.
                Ok(()) = trusted_until.changed() => {}
            }
        }
    }

    /// Lets the work end by itself, unless that takes too long.
    async fn give_grace<T>(&self, control: &Control, work: impl Future<Output = T>) -> Option<T> {
        let mut work = pin!(work);
        loop {
            tokio::select! {
                ended = &mut work => return Some(ended),
                () = sleep(control.grace()) => return None,
                () = control.hurried() => {}
                () = self.until_untrusted(), if !self.is_hurried() => {
                    stop_for(&self.stop, Stop::Lost);
                }
            }
        }
    }

    fn limit(&self, limits: Limits) -> Duration {
        let own = self.task().timeout_s.and_then(|seconds| u64::try_from(seconds).ok());
        own.map_or(limits.timeout, Duration::from_secs)
    }

    async fn attempt(&self) -> Result<Attempt, Failure> {
        let task = self.task();
        let project = match task.project_id {
            None => None,
            Some(id) => match timeout(PROJECT_PATIENCE, projects::project(&self.store, id)).await {
                Ok(Ok(project)) => Some(Project {
                    id,
                    directory: project.path.to_path_buf(),
                }),
                Ok(Err(error @ Error::NotFound { .. })) => {
                    return Err(Failure::lasting("no_project", error.to_string()));
                }
                // Nothing was begun, and the task is not to blame.
                Ok(Err(error)) => return Err(Failure::lost(error.to_string())),
                Err(_) => return Err(Failure::lost("the database did not name the project in time")),
            },
        };
        Ok(Attempt {
            key: leftovers::key(&self.owner, task.id, task.attempt),
            task: task.id,
            number: task.attempt,
            project,
            task_type: task.task_type.clone(),
            description: task.description.clone(),
            input_data: self.details.input_data.clone(),
        })
    }
}

/// Tells an attempt to stop. The first reason counts, unless a later one leaves less time.
pub(super) fn stop_for(stop: &watch::Sender<Option<Stop>>, reason: Stop) {
    stop.send_if_modified(|known| {
        let is_news = known.is_none_or(|known| urgency(reason) > urgency(known));
        if is_news {
            *known = Some(reason);
        }
        is_news
    });
}

fn urgency(stop: Stop) -> u8 {
    match stop {
        Stop::Cancelled | Stop::TimedOut => 0,
        Stop::Lost => 1,
        Stop::Interrupted => 2,
    }
}

fn panicked() -> Failure {
    Failure::passing("panic", "the agent failed unexpectedly, see the log")
}

/// Says what an attempt came to. What was done counts, whatever was asked meanwhile.
fn outcome(result: Result<Output, Failure>, stop: Option<Stop>, task: &Task, spread: f64) -> Outcome {
    let num_failures = u32::try_from(task.failed_attempts).unwrap_or(0);
    let pause = back_off(num_failures, RETRY_BASE, RETRY_CAP, spread);
    let failed = |failure: Failure| match failure.prospect {
        Prospect::Lost => Outcome::Lost {
            reason: failure.message,
        },
        Prospect::Passing | Prospect::Lasting => Outcome::Failed {
            kind: failure.kind.to_owned(),
            retry_in: (failure.prospect == Prospect::Passing).then_some(pause.max(failure.min_pause)),
            error: failure.message,
        },
    };
    match (result, stop) {
        (Ok(Output(output)), _) if output.to_string().len() > MAX_OUTPUT_BYTES => failed(Failure::lasting(
            "output_too_large",
            format!("the output has more than {MAX_OUTPUT_BYTES} bytes"),
        )),
        (Ok(Output(output)), _) => Outcome::Completed { output },
        (Err(_), Some(Stop::Cancelled)) => Outcome::Cancelled,
        (Err(_), Some(Stop::Lost | Stop::Interrupted)) => Outcome::Interrupted,
        (Err(_), Some(Stop::TimedOut)) => failed(Failure::passing("timed_out", "the attempt took longer than it may")),
        (Err(failure), None) => failed(failure),
    }
}
