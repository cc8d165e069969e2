//! One attempt: the agent at work, within its time, and to its end.

use std::{panic::AssertUnwindSafe, pin::pin, time::Duration};

use futures_util::FutureExt;
use tokio::{
    sync::{mpsc, watch},
    time::{sleep, timeout},
};

use super::{
    Agents, Attempt, Control, Failure, Output, Project, Stop,
    agents::{Entry, Limits},
    leftovers,
};
use crate::{
    Error,
    store::{
        Store, projects,
        tasks::{Fence, Outcome, Owner, Progress, Task},
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
    pub(super) task: Task,
    pub(super) owner: Owner,
    pub(super) store: Store,
    pub(super) agents: Agents,
    pub(super) reports: mpsc::Sender<(Fence, Progress)>,
    pub(super) stop: watch::Sender<Option<Stop>>,
}

impl Runner {
    /// Carries out the attempt and says how it ended.
    pub(super) async fn run(self) -> Outcome {
        let result = match self.agents.entry(&self.task.agent_type) {
            Ok(entry) => self.attend(entry).await,
            Err(error) => Err(Failure::lasting("not_configured", error.to_string())),
        };
        outcome(result, *self.stop.borrow(), &self.task, rand::random())
    }

    async fn attend(&self, entry: &Entry) -> Result<Output, Failure> {
        let limit = self.limit(entry.limits);
        let fence = Fence {
            task: self.task.id,
            attempt: self.task.attempt,
        };
        let control = Control::new(fence, self.reports.clone(), self.stop.subscribe());
        let attempt = self.attempt().await?;
        let key = attempt.key.clone();
        let mut work = pin!(AssertUnwindSafe(entry.agent.run(attempt, control.clone())).catch_unwind());
        let ended = tokio::select! {
            result = &mut work => return result.unwrap_or_else(|_| Err(panicked())),
            _ = control.stopped() => timeout_of_grace(&control, &mut work).await,
            () = sleep(limit) => {
                stop_for(&self.stop, Stop::TimedOut);
                timeout_of_grace(&control, &mut work).await
            }
        };
        match ended {
            Some(result) => result.unwrap_or_else(|_| Err(panicked())),
            None => {
                leftovers::end_all(key).await;
                Err(Failure::stopped())
            }
        }
    }

    fn limit(&self, limits: Limits) -> Duration {
        let own = self.task.timeout_s.and_then(|seconds| u64::try_from(seconds).ok());
        own.map_or(limits.timeout, Duration::from_secs)
    }

    async fn attempt(&self) -> Result<Attempt, Failure> {
        let project = match self.task.project_id {
            None => None,
            Some(id) => match timeout(PROJECT_PATIENCE, projects::project(&self.store, id)).await {
                Ok(Ok(project)) => Some(Project {
                    id,
                    directory: project.path.to_path_buf(),
                }),
                Ok(Err(error @ Error::NotFound { .. })) => {
                    return Err(Failure::lasting("no_project", error.to_string()));
                }
                Ok(Err(error)) => return Err(Failure::passing("database", error.to_string())),
                Err(_) => {
                    return Err(Failure::passing(
                        "database",
                        "the database did not name the project in time",
                    ));
                }
            },
        };
        Ok(Attempt {
            key: leftovers::key(&self.owner, self.task.id, self.task.attempt),
            task: self.task.id,
            number: self.task.attempt,
            project,
            task_type: self.task.task_type.clone(),
            description: self.task.description.clone(),
            input_data: self.task.input_data.clone(),
        })
    }
}

/// Tells an attempt to stop. The first reason counts, except that the end of BorgOS leaves less time than any other.
pub(super) fn stop_for(stop: &watch::Sender<Option<Stop>>, reason: Stop) {
    stop.send_if_modified(|known| {
        let is_news = known.is_none() || (reason == Stop::Interrupted && *known != Some(reason));
        if is_news {
            *known = Some(reason);
        }
        is_news
    });
}

/// Lets the work end by itself, unless that takes too long.
async fn timeout_of_grace<T>(control: &Control, work: impl Future<Output = T>) -> Option<T> {
    let is_over = async {
        tokio::select! {
            () = sleep(control.grace()) => {}
            () = control.interrupted() => sleep(control.grace()).await,
        }
    };
    tokio::select! {
        ended = work => Some(ended),
        () = is_over => None,
    }
}

fn panicked() -> Failure {
    Failure::passing("panic", "the agent failed unexpectedly, see the log")
}

/// Says what an attempt came to. What was done counts, whatever was asked meanwhile.
fn outcome(result: Result<Output, Failure>, stop: Option<Stop>, task: &Task, spread: f64) -> Outcome {
    let num_failures = u32::try_from(task.failed_attempts).unwrap_or(0);
    let pause = back_off(num_failures, RETRY_BASE, RETRY_CAP, spread);
    let failed = |failure: Failure| Outcome::Failed {
        kind: failure.kind.to_owned(),
        retry_in: (!failure.is_final).then_some(pause.max(failure.min_pause)),
        error: failure.message,
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
