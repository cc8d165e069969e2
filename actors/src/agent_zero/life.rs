//! The life of the process: one job that starts it, waits until it is ready, watches it, and starts it again.
//!
//! ```text
//!               start               ready
//! idle ────────────────> awaiting ─────────> watching
//!  ^ ^ ^                    │ ended             │ ended, or lost
//!  │ │ └── gave up ─────────┴─────────┬─────────┘
//!  │ │ stop (from anywhere)           v
//!  │ └───────────────────────────── pausing ──> awaiting
//!  └── finding, at first: what is left of the last job
//! ```
//!
//! The job takes its orders one after the other. Whatever it waits for, an order to stop ends the waiting. When the job
//! itself is ended, with its actor or with BorgOS, the process runs on, and the next job adopts it.

mod ending;
mod launching;
mod ready;
mod watching;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use chrono::{TimeDelta, Utc};
use ractor::RpcReplyPort;
use tokio::{
    sync::{mpsc, watch},
    time::sleep,
};

use super::{
    Settings,
    crashes::Crashes,
    intent::{Intent, IntentFile},
    liveness::Load,
    output,
    process::{Instance, Process, blocking},
    publish::Publisher,
    status::{State, Status},
};
use crate::{Error, id::Generation};

/// Who gave an order, and waits until it is carried out.
pub(super) type Reply = RpcReplyPort<Result<(), Error>>;

/// What the job can be told.
#[derive(Debug)]
pub(super) enum Order {
    /// Have it run. Answered once it was started, which is before it is ready.
    Start(Reply),
    /// Have it not run. Answered once nothing of it is left.
    Stop(Reply),
    /// Stop it and start it again. Answered as a start.
    Restart(Reply),
}

/// What the job is made of.
pub(super) struct Parts {
    pub(super) settings: Settings,
    pub(super) process: Process,
    pub(super) intent: IntentFile,
    pub(super) publisher: Publisher,
    pub(super) output: mpsc::Sender<output::Order>,
    pub(super) status: watch::Sender<Status>,
    pub(super) num_in_flight: Arc<AtomicUsize>,
}

/// The job.
pub(super) struct Life {
    pub(super) parts: Parts,
    crashes: Crashes,
    /// The last start, so that the next one is told from it.
    pub(super) last_run: Generation,
}

/// Where the job is.
pub(super) enum Phase {
    /// It is to be found out what there is.
    Finding,
    /// Nothing runs, and nothing is to.
    Idle,
    /// It is to be started now, which somebody may wait for.
    Launching(Option<Reply>),
    /// It was started and is not ready.
    Awaiting(Instance),
    /// It is ready.
    Watching(Instance),
    /// This is to be done after a pause.
    Pausing(Duration, Next),
    /// Nobody can give orders any more.
    Over,
}

/// What is done after a pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// To find out what there is.
    Find,
    /// To start it.
    Launch,
}

/// What ends a wait.
enum Interruption {
    Stop(Reply),
    Restart(Reply),
    Over,
}

impl Life {
    pub(super) fn new(parts: Parts) -> Self {
        Self {
            parts,
            crashes: Crashes::default(),
            last_run: Generation(0),
        }
    }

    /// Goes on where the last job was, and then does as it is told until nobody can tell it anything.
    pub(super) async fn run(mut self, mut orders: mpsc::Receiver<Order>) {
        let mut phase = Phase::Finding;
        loop {
            phase = match phase {
                Phase::Finding => self.resume().await,
                Phase::Idle => self.idle(&mut orders).await,
                Phase::Launching(reply) => self.launch(reply).await,
                Phase::Awaiting(instance) => self.wait_until_ready(instance, &mut orders).await,
                Phase::Watching(instance) => self.watch(instance, &mut orders).await,
                Phase::Pausing(pause, next) => self.pause(pause, next, &mut orders).await,
                Phase::Over => return,
            };
        }
    }

    async fn idle(&mut self, orders: &mut mpsc::Receiver<Order>) -> Phase {
        match orders.recv().await {
            None => Phase::Over,
            Some(order) => self.obey_while_down(order).await,
        }
    }

    async fn pause(&mut self, pause: Duration, next: Next, orders: &mut mpsc::Receiver<Order>) -> Phase {
        let order = tokio::select! {
            order = orders.recv() => order,
            () = sleep(pause) => return match next {
                Next::Find => Phase::Finding,
                Next::Launch => Phase::Launching(None),
            },
        };
        match order {
            None => Phase::Over,
            Some(order) => self.obey_while_down(order).await,
        }
    }

    /// Carries out an order while no process is looked after; one may be left that could not be ended before.
    async fn obey_while_down(&mut self, order: Order) -> Phase {
        match order {
            Order::Start(reply) | Order::Restart(reply) => {
                self.begin_anew();
                Phase::Launching(Some(reply))
            }
            Order::Stop(reply) => {
                let stopped = match self.write_intent(Intent::Stopped).await {
                    Ok(()) => self.clear().await,
                    Err(error) => Err(error),
                };
                match &stopped {
                    Ok(()) => self.tell(State::Stopped, None).await,
                    Err(error) => {
                        self.tell(State::Failed, Some(format!("it could not be stopped: {error}")))
                            .await
                    }
                }
                answer(reply, stopped);
                Phase::Idle
            }
        }
    }

    /// Somebody looks after it: what went wrong before counts no more.
    fn begin_anew(&mut self) {
        self.crashes.forget();
        self.parts.status.send_modify(|status| {
            status.restarts = 0;
            status.reason = None;
        });
    }

    pub(super) fn load(&self) -> Load {
        match self.parts.num_in_flight.load(Ordering::Relaxed) {
            0 => Load::Idle,
            _ => Load::Busy,
        }
    }

    pub(super) async fn write_intent(&self, intent: Intent) -> Result<(), Error> {
        let file = self.parts.intent.clone();
        blocking(move || file.write(&intent)).await
    }

    /// Gives up until somebody starts it again.
    pub(super) async fn fail(&mut self, reason: String) {
        tracing::error!("Agent Zero does not run: {reason}");
        let intent = Intent::Failed { reason: reason.clone() };
        if let Err(error) = self.write_intent(intent).await {
            tracing::warn!(%error, "the next BorgOS will not know that Agent Zero was given up");
        }
        self.tell(State::Failed, Some(reason)).await;
    }

    /// Tells everybody that there is no process, and why.
    pub(super) async fn tell(&self, state: State, reason: Option<String>) {
        self.change(|status| {
            status.state = state;
            status.reason = reason;
            status.process_id = None;
            status.next_start_at = None;
            status.api = None;
        })
        .await;
    }

    /// Tells everybody what a process does; what is known of how to talk to it is kept while it is ready.
    pub(super) async fn tell_of(&self, state: State, instance: Option<&Instance>) {
        self.change(|status| {
            status.state = state;
            status.process_id = instance.and_then(|instance| instance.process_id);
            status.next_start_at = None;
            status.api = status.api.take().filter(|_| state == State::Running);
        })
        .await;
    }

    async fn tell_of_pause(&self, reason: String, pause: Duration) {
        let next_start_at = Utc::now() + TimeDelta::from_std(pause).unwrap_or_default();
        self.change(|status| {
            status.state = State::BackingOff;
            status.reason = Some(reason);
            status.process_id = None;
            status.next_start_at = Some(next_start_at);
            status.api = None;
        })
        .await;
    }

    async fn change(&self, change: impl FnOnce(&mut Status)) {
        self.parts.status.send_modify(|status| {
            change(status);
            status.since = Utc::now();
        });
        let status = self.parts.status.borrow().clone();
        let state = status.state.as_str();
        tracing::info!(state, reason = status.reason, "Agent Zero is {state}");
        self.parts.publisher.state(&status).await;
    }
}

/// Waits for an order that ends what is done at the moment.
async fn interruption(orders: &mut mpsc::Receiver<Order>) -> Interruption {
    loop {
        match orders.recv().await {
            None => return Interruption::Over,
            // It runs, or will.
            Some(Order::Start(reply)) => answer(reply, Ok(())),
            Some(Order::Stop(reply)) => return Interruption::Stop(reply),
            Some(Order::Restart(reply)) => return Interruption::Restart(reply),
        }
    }
}

fn answer(reply: Reply, result: Result<(), Error>) {
    // An error means that nobody waits any more.
    let _ = reply.send(result);
}
