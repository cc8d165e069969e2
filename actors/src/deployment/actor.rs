//! The actor of one deployment: `deployment/<id>` under `deployments`.
//!
//! It owns nothing that a crash could lose. What is wanted and what is known is in the row, what runs is in the runtime;
//! a new incarnation observes, adopts and goes on. It does not own the port (a unique index does), the build engine or the
//! other deployments. While it is down the program runs on, and callers get `RESTARTING`.
//!
//! ```text
//! Reconcile ─▶ job: observe ─▶ machine::next ─▶ write the row, or a job ─▶ observe ─▶ … ─▶ rest
//! ```
//!
//! At most one job is in hand. A job that was replaced reports with an old ticket and is ignored.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::FutureExt;
use ractor::{Actor, ActorProcessingErr, ActorRef, MessagingErr, RpcReplyPort};
use tokio::{
    task::{JoinHandle, JoinSet},
    time::{Instant, timeout},
};

use super::{
    Desired,
    crash_loop::CrashLoop,
    job::{Job, Outcome},
    waiting::{Goal, Waiting},
    watch::Watch,
};
use crate::{
    Error, event_bus,
    id::DeploymentId,
    runtime::Runtime,
    store::{
        Store,
        deployments::{Deployment, OUTDATED},
    },
    supervision::{self, Handle},
};

mod outcomes;
mod steps;

use outcomes::is_passing;

/// The pause before the database is asked again after it did not answer.
const DATABASE_PAUSE: Duration = Duration::from_secs(5);

/// How long the steps under way may take when the actor ends in good order; less than `SHUTDOWN` of its supervisor.
const FAREWELL: Duration = Duration::from_secs(4);

/// What the actor can be asked.
#[derive(Debug)]
pub enum Message {
    /// Look at the row and at what runs, and do what is missing.
    Reconcile,
    /// Start again now, even if a pause before the next start was planned.
    SkipPause,
    /// Answer when the deployment has got where it was told to go, or cannot get there.
    Settle {
        /// Where.
        goal: Goal,
        /// Receives the row.
        reply: RpcReplyPort<Result<Deployment, Error>>,
    },
    /// The job with this ticket has ended.
    Finished {
        /// Tells jobs that were replaced.
        ticket: u64,
        /// What came of it.
        outcome: Outcome,
    },
}

impl supervision::Message for Message {
    fn kind(&self) -> &'static str {
        match self {
            Self::Reconcile => "reconcile",
            Self::SkipPause => "skip_pause",
            Self::Settle { .. } => "settle",
            Self::Finished { .. } => "finished",
        }
    }
}

/// What the actor is given.
#[derive(Clone)]
pub struct Args {
    /// Whose actor this is.
    pub deployment: DeploymentId,
    /// Where the rows are.
    pub store: Store,
    /// Where the deployment runs.
    pub runtime: Arc<dyn Runtime>,
    /// Is told that there are new events.
    pub events: Handle<event_bus::Message>,
}

/// The actor.
pub struct DeploymentActor;

/// What the actor holds.
pub struct State {
    args: Args,
    /// Where jobs report to.
    myself: ActorRef<Message>,
    /// The job in hand, if there is one; kept apart from `jobs` to know what it is.
    in_hand: Option<InHand>,
    /// Aborts the job when the actor goes. A job returns the report that it could not deliver.
    jobs: JoinSet<Option<Message>>,
    num_tickets: u64,
    /// Known once the row has been read.
    crash_loop: Option<CrashLoop>,
    /// Whether the instance that runs is well.
    watch: Option<Watch>,
    /// Before this there is no new start.
    retry_at: Option<Instant>,
    /// Brings the next `Reconcile`; one is enough, however often it is asked for.
    reminder: Option<Reminder>,
    /// Callers that wait for a goal.
    waiting: Waiting,
}

/// The timer of the next look.
struct Reminder(JoinHandle<Result<(), MessagingErr<Message>>>);

#[derive(Debug)]
struct InHand {
    ticket: u64,
    yields: Yields,
    /// Something may have changed since the job began: look again when it is done.
    is_outdated: bool,
}

/// When a job makes room for a new look at things.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Yields {
    /// At once: it only waits.
    Always,
    /// When the deployment is no longer wanted.
    WhenUnwanted,
    /// Never: it is short, and half of it would be worse than all of it.
    Never,
}

impl Yields {
    fn of(job: &Job) -> Self {
        match job {
            // Past its deadline it is about to report, and must not be kept from that by new hints.
            Job::AwaitHealth { deadline, .. } if *deadline > Instant::now() => Self::Always,
            Job::Probe { .. } => Self::Always,
            Job::Build { .. } | Job::AwaitHealth { .. } => Self::WhenUnwanted,
            Job::Observe | Job::Start(_) | Job::ReadExit { .. } | Job::Stop(_) | Job::Remove(_) => Self::Never,
        }
    }
}

impl Actor for DeploymentActor {
    type Msg = Message;
    type State = State;
    type Arguments = Args;

    async fn pre_start(&self, myself: ActorRef<Message>, args: Args) -> Result<State, ActorProcessingErr> {
        myself.cast(Message::Reconcile)?;
        Ok(State {
            args,
            myself,
            in_hand: None,
            jobs: JoinSet::new(),
            num_tickets: 0,
            crash_loop: None,
            watch: None,
            retry_at: None,
            reminder: None,
            waiting: Waiting::default(),
        })
    }

    async fn handle(
        &self,
        _myself: ActorRef<Message>,
        message: Message,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        state.take(message).await
    }

    /// Takes the steps under way to their end, as long as they are short: a deployment gets on even if somebody restarts
    /// its actor again and again.
    async fn post_stop(&self, _myself: ActorRef<Message>, state: &mut State) -> Result<(), ActorProcessingErr> {
        // At the deadline the job is aborted with the actor, and the successor observes what came of it.
        let _ = timeout(FAREWELL, state.finish_steps()).await;
        Ok(())
    }
}

impl State {
    async fn take(&mut self, message: Message) -> Result<(), ActorProcessingErr> {
        let handled = match message {
            Message::Reconcile => self.reconcile().await,
            Message::SkipPause => self.skip_pause().await,
            Message::Settle { goal, reply } => self.settle(goal, reply).await,
            Message::Finished { ticket, outcome } => self.finished(ticket, outcome).await,
        };
        handled.or_else(|error| self.survive(error))
    }

    /// Waits for short jobs and takes their reports, which the closed mailbox does not.
    async fn finish_steps(&mut self) {
        while self.in_hand.as_ref().is_some_and(|job| job.yields == Yields::Never) {
            let undelivered = match self.jobs.join_next().await {
                Some(Ok(Some(undelivered))) => undelivered,
                // One that was replaced, or whose report was taken already.
                Some(Ok(None) | Err(_)) => continue,
                None => return,
            };
            if let Err(error) = self.take(undelivered).await {
                tracing::warn!(deployment.id = %self.args.deployment, %error, "a deployment's last step failed");
                return;
            }
        }
    }

    async fn reconcile(&mut self) -> Result<(), ActorProcessingErr> {
        let yields = match &mut self.in_hand {
            None => Yields::Always,
            Some(job) => {
                job.is_outdated = true;
                job.yields
            }
        };
        let is_making_room = match yields {
            Yields::Always => true,
            Yields::WhenUnwanted => self.row().await?.desired == Desired::Stopped,
            Yields::Never => false,
        };
        if is_making_room {
            self.begin(Job::Observe);
        }
        Ok(())
    }

    async fn skip_pause(&mut self) -> Result<(), ActorProcessingErr> {
        self.retry_at = None;
        self.crash_loop = Some(CrashLoop::default());
        self.reconcile().await
    }

    /// Begins a job in the place of the one in hand, if there is one.
    fn begin(&mut self, job: Job) {
        self.jobs.abort_all();
        while self.jobs.try_join_next().is_some() {}
        self.num_tickets += 1;
        let ticket = self.num_tickets;
        self.in_hand = Some(InHand {
            ticket,
            yields: Yields::of(&job),
            is_outdated: false,
        });
        let work = job.run(self.args.deployment, self.args.runtime.clone());
        let myself = self.myself.clone();
        self.jobs.spawn(async move {
            let outcome = AssertUnwindSafe(work).catch_unwind().await.unwrap_or(Outcome::Panicked);
            match myself.cast(Message::Finished { ticket, outcome }) {
                Err(MessagingErr::SendErr(undelivered)) => Some(undelivered),
                Ok(()) | Err(_) => None,
            }
        });
    }

    /// Plans the next look.
    fn remind(&mut self, pause: Duration) {
        if let Some(Reminder(earlier)) = self.reminder.take() {
            earlier.abort();
        }
        self.reminder = Some(Reminder(self.myself.send_after(pause, || Message::Reconcile)));
    }

    /// Lives through what would not be better after a crash. A decision on a row that has changed meanwhile is made anew.
    /// While the database is away nothing can be recorded, so whatever was found out is forgotten and observed again
    /// later. A row that was deleted needs nothing any more; the reconciler is about to end this actor.
    fn survive(&mut self, error: ActorProcessingErr) -> Result<(), ActorProcessingErr> {
        match error.downcast_ref::<Error>() {
            Some(Error::Database(_)) => {
                tracing::warn!(deployment.id = %self.args.deployment, %error, "a deployment waits for the database");
                self.in_hand = None;
                self.remind(DATABASE_PAUSE);
                Ok(())
            }
            Some(Error::Conflict { code: OUTDATED, .. }) => {
                self.begin(Job::Observe);
                Ok(())
            }
            Some(Error::NotFound { .. }) => Ok(()),
            _ => Err(error),
        }
    }

    async fn settle(
        &mut self,
        goal: Goal,
        reply: RpcReplyPort<Result<Deployment, Error>>,
    ) -> Result<(), ActorProcessingErr> {
        self.waiting.add(goal, reply);
        self.reconcile().await
    }

    async fn finished(&mut self, ticket: u64, outcome: Outcome) -> Result<(), ActorProcessingErr> {
        if self.in_hand.as_ref().is_none_or(|job| job.ticket != ticket) {
            return Ok(());
        }
        let is_outdated = self.in_hand.take().is_some_and(|job| job.is_outdated);
        match outcome {
            Outcome::Observed(Ok(instances)) => return self.advance(&instances, is_outdated).await,
            Outcome::Panicked => return Err("a job of the deployment panicked".into()),
            Outcome::Cleared(Ok(())) => {}
            Outcome::Observed(Err(error)) | Outcome::Cleared(Err(error)) => return self.runtime_failed(error).await,
            Outcome::Built { result: Err(error), .. } | Outcome::Started(Err(error)) if is_passing(&error) => {
                return self.runtime_failed(error).await;
            }
            Outcome::Built { release, result } => self.built(release, result).await?,
            Outcome::Started(result) => self.started(result).await?,
            Outcome::Probed(result) => self.probed(result).await?,
            Outcome::Watched(result) => {
                if self.watched(result).await? && !is_outdated {
                    return Ok(());
                }
            }
            Outcome::ExitRead { exit, lines } => self.exited(&exit, lines).await?,
        }
        self.begin(Job::Observe);
        Ok(())
    }
}
