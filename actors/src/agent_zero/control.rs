//! What others can do with Agent Zero.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::watch,
    time::{Instant, timeout_at},
};

use super::{
    Args, Capability, Failure, Limits, Message, Outcome, Settings, State, Status, Step, capabilities,
    check::{conflict, not_configured},
    client,
    installation::Installation,
    process::secrets,
};
use crate::{
    Error,
    supervision::Handle,
    value::{Port, Secrets},
};

/// How long is waited until it is ready; a start takes 13 to 35 s.
const START_PATIENCE: Duration = Duration::from_secs(45);
/// How long a stop is waited for: five for the chats, ten for itself, and what is left is killed.
const STOP_PATIENCE: Duration = Duration::from_secs(40);
const LOGS_PATIENCE: Duration = Duration::from_secs(5);

/// Agent Zero. Cheap to clone.
#[derive(Debug, Clone)]
pub struct AgentZero {
    settings: Arc<Settings>,
    actor: Handle<Message>,
    status: watch::Receiver<Status>,
    num_in_flight: Arc<AtomicUsize>,
}

/// Whether what was asked for has been seen to be so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// It has.
    Done,
    /// It was begun, and takes longer.
    UnderWay,
}

impl AgentZero {
    /// Leads to the actor of this handle, which will be given these arguments.
    pub(crate) fn new(args: &Args, actor: Handle<Message>) -> Self {
        Self {
            settings: Arc::new(args.settings.clone()),
            actor,
            status: args.status.subscribe(),
            num_in_flight: args.num_in_flight.clone(),
        }
    }

    /// Returns how it is.
    pub fn status(&self) -> Status {
        self.status.borrow().clone()
    }

    /// Says whether it takes work.
    pub fn is_ready(&self) -> bool {
        self.status.borrow().is_ready()
    }

    /// Says why it takes no work, if it takes none.
    pub fn complaint(&self) -> Option<String> {
        let status = self.status.borrow();
        let state = status.state.as_str();
        match &status.reason {
            _ if status.is_ready() => None,
            Some(reason) => Some(format!("Agent Zero is {state}: {reason}")),
            None => Some(format!("Agent Zero is {state}")),
        }
    }

    /// Returns where it is installed.
    pub fn directory(&self) -> Option<&Path> {
        self.settings.directory.as_deref()
    }

    /// Returns what must not be shown of what it says.
    pub(super) async fn secrets(&self) -> Secrets {
        let Some(directory) = self.settings.directory.clone() else {
            return Secrets::default();
        };
        secrets(&Installation::new(directory)).await
    }

    /// Returns the port of its page.
    pub fn port(&self) -> Port {
        self.settings.port
    }

    /// Starts it and waits until it is ready. One that runs is left as it is.
    ///
    /// # Errors
    /// Says what stands in the way of the start, or how the process ended.
    pub async fn start(&self) -> Result<Progress, Error> {
        let deadline = Instant::now() + START_PATIENCE;
        let started = self.actor.call(START_PATIENCE, |reply| Message::Start { reply }).await;
        self.until_ready(started, deadline).await
    }

    /// Stops it and waits until nothing of it is left. One that does not run is a success.
    ///
    /// # Errors
    /// Says what could not be ended.
    pub async fn stop(&self) -> Result<Progress, Error> {
        match self.actor.call(STOP_PATIENCE, |reply| Message::Stop { reply }).await {
            Ok(Ok(())) => Ok(Progress::Done),
            Err(Error::Timeout { .. }) => Ok(Progress::UnderWay),
            Ok(Err(error)) | Err(error) => Err(error),
        }
    }

    /// Stops it if it runs, starts it, and waits until it is ready.
    ///
    /// # Errors
    /// As those of a stop and a start.
    pub async fn restart(&self) -> Result<Progress, Error> {
        let deadline = Instant::now() + START_PATIENCE;
        let started = self
            .actor
            .call(START_PATIENCE, |reply| Message::Restart { reply })
            .await;
        self.until_ready(started, deadline).await
    }

    /// Returns what it printed last, oldest first, without secrets.
    ///
    /// # Errors
    /// Fails while the actor is away.
    pub async fn logs(&self, num_lines: usize) -> Result<Vec<String>, Error> {
        let logs = |reply| Message::Logs { num_lines, reply };
        self.actor.call(LOGS_PATIENCE, logs).await?
    }

    /// Returns what it can do, as far as its installation shows it.
    ///
    /// # Errors
    /// Fails when the installation cannot be read.
    pub async fn capabilities(&self) -> Result<Vec<Capability>, Error> {
        let api = self.status.borrow().api.clone();
        capabilities::discover(self.settings.directory.clone(), api).await
    }

    /// Has it work on a prompt in a chat of its own, whose id must be new, and waits for what comes of it. `progress` is
    /// told each step; when `cancelled` resolves the work is called off. Dropping the future calls it off, too.
    ///
    /// # Errors
    /// Says what went wrong, and whether another attempt could help.
    pub async fn run_prompt(
        &self,
        prompt: &str,
        chat: &str,
        limits: &Limits,
        progress: &mut (dyn FnMut(Step) + Send),
        cancelled: impl Future<Output = ()>,
    ) -> Result<Outcome, Failure> {
        let _in_flight = InFlight::count(&self.num_in_flight);
        let chat = client::Chat::new(chat, self.actor.clone());
        client::work(self.status.clone(), prompt, chat, limits, progress, cancelled).await
    }

    async fn until_ready(
        &self,
        started: Result<Result<(), Error>, Error>,
        deadline: Instant,
    ) -> Result<Progress, Error> {
        match started {
            Ok(Ok(())) => {}
            Err(Error::Timeout { .. }) => return Ok(Progress::UnderWay),
            Ok(Err(error)) | Err(error) => return Err(error),
        }
        let mut status = self.status.clone();
        let settled = status.wait_for(|status| !matches!(status.state, State::Starting | State::Stopping));
        match timeout_at(deadline, settled).await {
            Ok(Ok(status)) => outcome(&status),
            Ok(Err(_)) => Err(not_configured()),
            Err(_) => Ok(Progress::UnderWay),
        }
    }
}

fn outcome(status: &Status) -> Result<Progress, Error> {
    match (status.state, &status.reason) {
        (State::Running, _) => Ok(Progress::Done),
        (_, Some(reason)) => Err(conflict(
            "AGENT_ZERO_FAILED",
            format!("Agent Zero did not start: {reason}"),
        )),
        (_, None) => Err(conflict(
            "AGENT_ZERO_FAILED",
            "Agent Zero was stopped before it was ready",
        )),
    }
}

/// Counts a prompt for as long as it is worked on.
struct InFlight<'a>(&'a AtomicUsize);

impl<'a> InFlight<'a> {
    fn count(number: &'a AtomicUsize) -> Self {
        number.fetch_add(1, Ordering::Relaxed);
        Self(number)
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
