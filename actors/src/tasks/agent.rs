//! What an agent is to the queue: something that is given an attempt at a task and comes back with what came of it.
//!
//! An agent keeps no books. Whose turn it is, how often it is tried again and what is written down is the queue's; so
//! [`Agent::run`] may be dropped at any await, and the same task may come again with a higher attempt number. What an
//! agent does outside can therefore happen twice; [`Attempt`]'s key tells one attempt from another.

use std::{path::PathBuf, sync::Arc, time::Duration};

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use tokio::sync::{mpsc, watch};

use crate::{
    id::{ProjectId, TaskId},
    redact::Redactor,
    store::tasks::{Fence, Progress},
    value::Secrets,
};

/// Carries out tasks of one type.
#[async_trait]
pub trait Agent: Send + Sync {
    /// Names the sort of agent as the configuration does: `command`, `llm`, `agent-zero`.
    fn kind(&self) -> &'static str;

    /// Whether a task without a project makes no sense to it.
    fn needs_project(&self) -> bool {
        false
    }

    /// The longest prompt that it can be given, where there is a limit.
    fn max_prompt_bytes(&self) -> Option<usize> {
        None
    }

    /// Returns what must not be shown of what it says, beside what looks like a secret anyway.
    async fn secrets(&self) -> Secrets {
        Secrets::default()
    }

    /// Whether it is given tasks now. Until it is they wait, which costs them no attempt. Asked often, so it only looks at
    /// what is known.
    fn is_ready(&self) -> bool {
        true
    }

    /// Says whether a task could be carried out now. Takes at most a moment: what needs a look at another machine is
    /// looked at elsewhere and told here.
    async fn health(&self) -> Health;

    /// Carries out one attempt at a task. Once [`Control::stopped`] resolves the agent ends what it does, all of it, and
    /// returns [`Failure::stopped`]; after [`Control::grace`] the future is dropped, and whatever it has started must end
    /// with that.
    ///
    /// # Errors
    /// Says why the task was not done, and whether another attempt could help.
    async fn run(&self, attempt: Attempt, control: Control) -> Result<Output, Failure>;
}

/// Whether an agent can work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "status", content = "reason", rename_all = "snake_case")]
#[schemars(rename = "AgentHealth")]
pub enum Health {
    /// As far as is known it can.
    Available,
    /// It cannot, and why.
    Unavailable(String),
}

/// One attempt at a task.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// A text that no other attempt anywhere has: for services that refuse to do a thing twice, and for the environment of
    /// programs, so that none is left when the attempt is over.
    pub key: String,
    /// The task.
    pub task: TaskId,
    /// Which attempt at it, from 1.
    pub number: i32,
    /// The project that it is about.
    pub project: Option<Project>,
    /// What kind of task it is.
    pub task_type: String,
    /// What is to be done.
    pub description: String,
    /// What the agent is given.
    pub input_data: Value,
}

/// The project that a task is about.
#[derive(Debug, Clone)]
pub struct Project {
    /// Its id.
    pub id: ProjectId,
    /// Its directory.
    pub directory: PathBuf,
}

impl Attempt {
    /// Returns the task as a text for those who read: what is to be done, and what is given where something is.
    pub fn prompt(&self) -> String {
        prompt(&self.description, &self.input_data)
    }
}

/// Writes a task as a text, see [`Attempt::prompt`].
pub(super) fn prompt(description: &str, input_data: &Value) -> String {
    match input_data.as_object() {
        Some(fields) if !fields.is_empty() => format!("{description}\n\nInput data:\n{input_data:#}\n"),
        _ => description.to_owned(),
    }
}

/// Why an attempt has to end before it is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// Somebody called the task off.
    Cancelled,
    /// It took longer than it may.
    TimedOut,
    /// Another worker may have it: its lease could not be renewed.
    Lost,
    /// BorgOS ends; the task is handed back.
    Interrupted,
}

/// How an attempt tells what it does, and is told to stop.
#[derive(Debug, Clone)]
pub struct Control {
    fence: Fence,
    reports: mpsc::Sender<(Fence, Progress)>,
    stop: watch::Receiver<Option<Stop>>,
    redactor: Arc<Redactor>,
}

impl Control {
    /// How long an attempt that was called off may take to end.
    pub const GRACE: Duration = Duration::from_secs(10);
    /// How long one may take when BorgOS ends, which has ten seconds for everything.
    pub(super) const SHORT_GRACE: Duration = Duration::from_millis(1500);
    /// How long one may take whose lease is over: a little later somebody else can have the task.
    pub(super) const LOST_GRACE: Duration = Duration::from_secs(3);

    pub(super) fn new(
        fence: Fence,
        reports: mpsc::Sender<(Fence, Progress)>,
        stop: watch::Receiver<Option<Stop>>,
    ) -> Self {
        Self {
            fence,
            reports,
            stop,
            redactor: Arc::default(),
        }
    }

    /// Takes secrets out of what is reported.
    pub(super) fn redacted_by(self, redactor: Arc<Redactor>) -> Self {
        Self { redactor, ..self }
    }

    /// Reports how far the attempt has come. Waits when more is reported than can be written down.
    pub async fn report(&self, progress: Progress) {
        // An error means that the queue is gone, and this attempt is about to be dropped.
        let _ = self.reports.send((self.fence, self.redacted(progress))).await;
    }

    /// Reports how far the attempt has come, unless that would mean to wait: for those who must not, such as the readers of
    /// a program's output.
    pub fn offer(&self, progress: Progress) {
        if self.reports.try_send((self.fence, self.redacted(progress))).is_err() {
            tracing::debug!(task.id = %self.fence.task, "a report of a task was left out");
        }
    }

    /// Resolves when the attempt has to end, and never otherwise.
    pub async fn stopped(&self) -> Stop {
        let mut stop = self.stop.clone();
        match stop.wait_for(Option::is_some).await.map(|stop| *stop) {
            Ok(Some(stop)) => stop,
            // Nobody is left to stop it by order.
            Ok(None) | Err(_) => std::future::pending().await,
        }
    }

    fn redacted(&self, progress: Progress) -> Progress {
        Progress {
            message: self.redactor.redact(&progress.message),
            ..progress
        }
    }

    /// Returns how long the attempt may take to end now that it has to.
    pub fn grace(&self) -> Duration {
        match *self.stop.borrow() {
            Some(Stop::Interrupted) => Self::SHORT_GRACE,
            Some(Stop::Lost) => Self::LOST_GRACE,
            Some(Stop::Cancelled | Stop::TimedOut) | None => Self::GRACE,
        }
    }

    /// Resolves when an attempt that has to end has less time for that than [`Control::grace`] has said.
    pub(super) async fn hurried(&self) {
        let grace = self.grace();
        let mut stop = self.stop.clone();
        let is_news = |_: &Option<Stop>| self.grace() < grace;
        if stop.wait_for(is_news).await.is_err() {
            std::future::pending().await
        }
    }
}

/// What came of an attempt that was done.
#[derive(Debug, Clone, PartialEq)]
pub struct Output(pub Value);

/// Why an attempt was not done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// Its class, in snake case: `exit_code`, `llm_auth`, `rate_limited`.
    pub kind: &'static str,
    /// What people are told.
    pub message: String,
    /// Whether another attempt could help.
    pub prospect: Prospect,
    /// Another attempt is made after this pause at the earliest.
    pub min_pause: Duration,
}

/// Whether another attempt could help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prospect {
    /// It may be spared the failure.
    Passing,
    /// It would meet the failure as well.
    Lasting,
    /// The attempt did not fail by itself: what carried it out has ended. That counts as the loss of a worker does.
    Lost,
}

impl Failure {
    /// A failure that another attempt may be spared.
    pub fn passing(kind: &'static str, message: impl Into<String>) -> Self {
        Self::new(Prospect::Passing, kind, message.into())
    }

    /// A failure that any other attempt would meet as well.
    pub fn lasting(kind: &'static str, message: impl Into<String>) -> Self {
        Self::new(Prospect::Lasting, kind, message.into())
    }

    /// The end of what carried out the attempt.
    pub fn lost(message: impl Into<String>) -> Self {
        Self::new(Prospect::Lost, "lost", message.into())
    }

    /// The end of an attempt that was told to stop.
    pub fn stopped() -> Self {
        Self::passing("stopped", "the attempt was stopped")
    }

    /// Leaves at least this pause before another attempt.
    pub fn with_min_pause(self, min_pause: Duration) -> Self {
        Self { min_pause, ..self }
    }

    fn new(prospect: Prospect, kind: &'static str, message: String) -> Self {
        Self {
            kind,
            message,
            prospect,
            min_pause: Duration::ZERO,
        }
    }
}
