//! The actor of one deployment: `deployment/<id>` under `deployments`.
//!
//! It owns nothing that a crash could lose. What is wanted and what is known is in the row, what runs is in the runtime;
//! a new incarnation observes, adopts and goes on. It does not own the port (a unique index does, and the edge listens),
//! the build engine or the other deployments. While it is down the program runs on, and callers get `RESTARTING`.
//!
//! ```text
//! Reconcile ─▶ job: observe ─▶ machine::next ─▶ write the row, or a job ─▶ observe ─▶ … ─▶ rest
//! ```
//!
//! At most one job is in hand for these steps. A build, which takes minutes, the retirement of an instance that no longer
//! serves, and the question whether an instance is well have a lane each beside them. A job that was replaced reports with an old ticket and is ignored.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use ractor::{Actor, ActorProcessingErr, ActorRef, MessagingErr, RpcReplyPort};
use tokio::{
    task::JoinHandle,
    time::{Instant, timeout},
};

use super::{
    crash_loop::CrashLoop,
    job::{Job, Outcome, Reporter},
    lane::Lane,
    probes::{Probe, Probes},
    traffic::{Led, Traffic},
    waiting::{Goal, Waiting},
    watch::Watch,
};
use crate::{
    Error,
    checkouts::Checkouts,
    edge, event_bus,
    id::{DeploymentId, ReleaseId},
    logs::{Keeper, Logs},
    runtime::{InstanceRef, Runtime},
    store::{
        Store,
        deployments::{Deployment, OUTDATED},
        releases::NOT_BUILDING,
    },
    supervision::{self, Handle},
    value::Port,
};

mod checks;
mod failures;
mod known;
mod outcomes;
mod steps;

use checks::Checked;

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
    /// An instance was asked whether it is well.
    NoteProbe {
        /// The instance.
        instance: InstanceRef,
        /// What was wrong, if anything was.
        outcome: Result<(), String>,
    },
    /// Say how the app has answered lately.
    ListProbes {
        /// Receives the outcomes, newest first.
        reply: RpcReplyPort<Vec<Probe>>,
    },
    /// The job with this ticket has ended.
    Finished {
        /// Tells jobs that were replaced.
        ticket: u64,
        /// What came of it.
        outcome: Box<Outcome>,
    },
}

impl supervision::Message for Message {
    fn kind(&self) -> &'static str {
        match self {
            Self::Reconcile => "reconcile",
            Self::SkipPause => "skip_pause",
            Self::Settle { .. } => "settle",
            Self::NoteProbe { .. } => "note_probe",
            Self::ListProbes { .. } => "list_probes",
            Self::Finished { .. } => "finished",
        }
    }
}

/// What the actor is given.
#[derive(Clone)]
pub struct Args {
    /// Whose actor this is.
    pub deployment: DeploymentId,
    /// Its public port.
    pub port: Port,
    /// Where the rows are.
    pub store: Store,
    /// Where the deployment runs.
    pub runtime: Arc<dyn Runtime>,
    /// Leads connections to what runs.
    pub edge: Handle<edge::Message>,
    /// Is told that there are new events.
    pub events: Handle<event_bus::Message>,
    /// Where what the deployment prints is kept.
    pub logs: Logs,
    /// Makes work directories of commits that are to be built.
    pub checkouts: Checkouts,
}

/// The actor.
pub struct DeploymentActor;

/// What the actor holds.
pub struct State {
    args: Args,
    /// Where jobs report to.
    myself: ActorRef<Message>,
    /// The steps, one after the other.
    steps: Lane,
    /// Builds beside them: what serves is looked after meanwhile.
    build: Lane,
    /// Drains, stops and removes what no longer serves, beside them too.
    retirement: Lane,
    /// Asks the candidate, or what serves, whether it is well, however much is heard meanwhile.
    checks: Lane,
    /// Copies what the instances print.
    logs: Keeper,
    /// The release that is being built.
    building: Option<ReleaseId>,
    /// The instance that is being retired.
    retiring: Option<InstanceRef>,
    /// The instance that is being asked, and where.
    checking: Option<Checked>,
    /// The candidate that was found to be well, and where.
    proven: Option<(InstanceRef, SocketAddr)>,
    /// Why the edge does not listen on the port, as it was seen last.
    unserved: Option<String>,
    num_tickets: u64,
    /// Where the edge leads connections to.
    led: Led,
    /// Whether the edge did not give the port back when it was asked last.
    has_unroute_failed: bool,
    /// Known once the row has been read.
    crash_loop: Option<CrashLoop>,
    /// Whether the instance that serves is well.
    watch: Option<Watch>,
    /// What it and its successor answered lately, for those who look.
    probes: Probes,
    /// Before this there is no new start.
    retry_at: Option<Instant>,
    /// Brings the next `Reconcile`; one is enough, however often it is asked for.
    reminder: Option<Reminder>,
    /// Callers that wait for a goal.
    waiting: Waiting,
}

/// The timer of the next look.
struct Reminder(JoinHandle<Result<(), MessagingErr<Message>>>);

impl Actor for DeploymentActor {
    type Msg = Message;
    type State = State;
    type Arguments = Args;

    async fn pre_start(&self, myself: ActorRef<Message>, args: Args) -> Result<State, ActorProcessingErr> {
        myself.cast(Message::Reconcile)?;
        let logs = Keeper::new(args.logs.clone(), args.deployment, args.runtime.clone());
        Ok(State {
            args,
            myself,
            steps: Lane::default(),
            build: Lane::default(),
            retirement: Lane::default(),
            checks: Lane::default(),
            logs,
            building: None,
            retiring: None,
            checking: None,
            proven: None,
            unserved: None,
            num_tickets: 0,
            led: Led::Unknown,
            has_unroute_failed: false,
            crash_loop: None,
            watch: None,
            probes: Probes::default(),
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
            Message::Reconcile => {
                self.reconcile();
                Ok(())
            }
            Message::SkipPause => {
                self.skip_pause();
                Ok(())
            }
            Message::Settle { goal, reply } => {
                self.settle(goal, reply);
                Ok(())
            }
            Message::NoteProbe { instance, outcome } => {
                self.probes.note(&instance, outcome);
                Ok(())
            }
            Message::ListProbes { reply } => {
                // A caller that gave up no longer listens.
                drop(reply.send(self.probes.list()));
                Ok(())
            }
            Message::Finished { ticket, outcome } => self.finished(ticket, *outcome).await,
        };
        handled.or_else(|error| self.survive(error))
    }

    /// Waits for short jobs and takes their reports.
    async fn finish_steps(&mut self) {
        while let Some(undelivered) = self.steps.undelivered().await {
            if let Err(error) = self.take(undelivered).await {
                tracing::warn!(deployment.id = %self.args.deployment, %error, "a deployment's last step failed");
                return;
            }
        }
    }

    fn reconcile(&mut self) {
        if self.steps.hint() {
            self.begin(Job::Observe);
        }
    }

    fn skip_pause(&mut self) {
        self.forget_crashes();
        self.reconcile();
    }

    fn forget_crashes(&mut self) {
        self.retry_at = None;
        self.crash_loop = Some(CrashLoop::default());
    }

    /// Begins a job in its lane, in the place of the one in hand there.
    fn begin(&mut self, job: Job) {
        self.num_tickets += 1;
        let traffic = Traffic {
            edge: self.args.edge.clone(),
            deployment: self.args.deployment,
            port: self.args.port,
        };
        let lane = match &job {
            Job::Build { .. } => &mut self.build,
            Job::Retire { .. } => &mut self.retirement,
            Job::AwaitHealth { .. } | Job::Probe { .. } => &mut self.checks,
            _ => &mut self.steps,
        };
        if matches!(job, Job::Route(_)) {
            // Until it has answered, the edge may or may not have done it.
            self.led = Led::Unknown;
        }
        let drained = job.removed().map(|instance| self.logs.drained(instance));
        let reporter = Reporter(self.myself.clone());
        let work = job.run(
            self.args.deployment,
            self.args.runtime.clone(),
            traffic,
            drained,
            reporter,
        );
        lane.begin(self.num_tickets, work, self.myself.clone());
    }

    /// Plans the next look.
    fn remind(&mut self, pause: Duration) {
        if let Some(Reminder(earlier)) = self.reminder.take() {
            earlier.abort();
        }
        self.reminder = Some(Reminder(self.myself.send_after(pause, || Message::Reconcile)));
    }

    /// Lives through what would not be better after a crash. A decision on a row that has changed meanwhile is made anew,
    /// as it is when a release was superseded while its build ended. While the database is away nothing can be recorded, so whatever was found out is forgotten and observed again
    /// later. A row that was deleted needs nothing any more; the reconciler is about to end this actor.
    fn survive(&mut self, error: ActorProcessingErr) -> Result<(), ActorProcessingErr> {
        match error.downcast_ref::<Error>() {
            Some(Error::Database(_)) => {
                tracing::warn!(deployment.id = %self.args.deployment, %error, "a deployment waits for the database");
                self.remind(DATABASE_PAUSE);
                Ok(())
            }
            Some(Error::Conflict {
                code: OUTDATED | NOT_BUILDING,
                ..
            }) => {
                self.reconcile();
                Ok(())
            }
            Some(Error::NotFound { .. }) => {
                self.abort();
                Ok(())
            }
            _ => Err(error),
        }
    }

    /// Gives up all that is under way.
    fn abort(&mut self) {
        for lane in [&mut self.steps, &mut self.build, &mut self.retirement, &mut self.checks] {
            lane.abort();
        }
        self.building = None;
        self.retiring = None;
        self.checking = None;
    }

    fn settle(&mut self, goal: Goal, reply: RpcReplyPort<Result<Deployment, Error>>) {
        self.waiting.add(goal, reply);
        self.reconcile();
    }

    async fn finished(&mut self, ticket: u64, outcome: Outcome) -> Result<(), ActorProcessingErr> {
        if let Some(is_outdated) = self.steps.finish(ticket) {
            return self.step_finished(outcome, is_outdated).await;
        }
        if self.build.finish(ticket).is_some() {
            self.build_finished(outcome).await?;
        } else if self.retirement.finish(ticket).is_some() {
            self.retired(outcome)?;
        } else if self.checks.finish(ticket).is_some() {
            self.checked(outcome).await?;
        }
        Ok(())
    }
}
