//! What is known about one actor. Its supervisor writes it, operators and the sentinel read it, and it outlives the
//! actor: so the view answers at once, whatever the actors are doing.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use chrono::{DateTime, Utc};
use ractor::ActorCell;
use tokio::{task::JoinHandle, time::Instant};

use super::{
    backoff::Allowance,
    children::Children,
    handle::Door,
    lock,
    meter::{Busy, Meter, Ticks},
    spec::ChildSpec,
    view::{ActorState, ActorView, LastExit},
};

/// Where an actor stands among all that its supervisor ever started: the order of start.
pub(super) type Rank = u64;

/// Where in the tree an actor belongs.
pub(super) struct Place<'a> {
    pub(super) parent: Option<&'a str>,
    pub(super) rank: Rank,
    /// Shared with its siblings and their supervisor, where restarts are limited by count.
    pub(super) allowance: Option<Arc<Allowance>>,
}

pub(super) struct Record {
    path: String,
    parent: Option<String>,
    kind: &'static str,
    subject: Option<i64>,
    rank: Rank,
    stall: Option<Duration>,
    allowance: Option<Arc<Allowance>>,
    door: Arc<dyn Door>,
    /// The way to ask it for its children, if it is a supervisor.
    group: Option<Children>,
    meter: Meter,
    facts: Mutex<Facts>,
}

struct Facts {
    state: ActorState,
    generation: u64,
    restarts_total: u64,
    failures_in_a_row: u32,
    next_restart_at: Option<DateTime<Utc>>,
    last_exit: Option<LastExit>,
    started: Option<(Instant, DateTime<Utc>)>,
    /// The incarnation that is alive, or was last heard of.
    cell: Option<ActorCell>,
    /// Its task. The next incarnation waits for it, so that never two overlap, not even in their drops.
    task: Option<JoinHandle<()>>,
}

impl Record {
    pub(super) fn new(spec: &ChildSpec, place: Place<'_>, ticks: Arc<Ticks>) -> Self {
        Self {
            path: spec.path.clone(),
            parent: place.parent.map(str::to_owned),
            kind: spec.kind,
            subject: spec.subject,
            rank: place.rank,
            stall: spec.stall,
            allowance: place.allowance,
            door: spec.launch.door(),
            group: spec.launch.table().map(|table| table.group.clone()),
            meter: Meter::new(ticks),
            facts: Mutex::new(Facts::new()),
        }
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    pub(super) fn parent(&self) -> Option<&str> {
        self.parent.as_deref()
    }

    pub(super) fn kind(&self) -> &'static str {
        self.kind
    }

    pub(super) fn rank(&self) -> Rank {
        self.rank
    }

    pub(super) fn stall(&self) -> Option<Duration> {
        self.stall
    }

    pub(super) fn door(&self) -> &dyn Door {
        &*self.door
    }

    pub(super) fn group(&self) -> Option<&Children> {
        self.group.as_ref()
    }

    pub(super) fn meter(&self) -> &Meter {
        &self.meter
    }

    pub(super) fn state(&self) -> ActorState {
        lock(&self.facts).state
    }

    pub(super) fn generation(&self) -> u64 {
        lock(&self.facts).generation
    }

    pub(super) fn cell(&self) -> Option<ActorCell> {
        lock(&self.facts).cell.clone()
    }

    pub(super) fn last_exit(&self) -> Option<LastExit> {
        lock(&self.facts).last_exit.clone()
    }

    pub(super) fn set_state(&self, state: ActorState) {
        lock(&self.facts).state = state;
    }

    /// A new incarnation is about to be launched.
    pub(super) fn begin_start(&self) {
        let mut facts = lock(&self.facts);
        facts.state = if facts.generation == 0 {
            ActorState::Starting
        } else {
            ActorState::Restarting
        };
        facts.generation += 1;
        facts.next_restart_at = None;
        facts.started = None;
        facts.cell = None;
    }

    /// The incarnation exists.
    pub(super) fn attach(&self, cell: ActorCell, task: JoinHandle<()>) {
        let mut facts = lock(&self.facts);
        facts.cell = Some(cell);
        facts.task = Some(task);
    }

    /// The incarnation takes messages.
    pub(super) fn mark_running(&self) {
        let mut facts = lock(&self.facts);
        // A supervisor may have given up before the news of its start arrives.
        if facts.state != ActorState::GaveUp {
            facts.state = ActorState::Running;
        }
        facts.started = Some((Instant::now(), Utc::now()));
    }

    /// The incarnation is to be killed for being stuck; returns it, if it still runs.
    pub(super) fn mark_stuck(&self) -> Option<ActorCell> {
        let mut facts = lock(&self.facts);
        if facts.state != ActorState::Running {
            return None;
        }
        facts.state = ActorState::Stuck;
        facts.cell.clone()
    }

    /// The incarnation is no more.
    pub(super) fn mark_exited(&self, reason: &str, is_abnormal: bool) {
        let mut facts = lock(&self.facts);
        facts.last_exit = Some(LastExit {
            reason: reason.to_owned(),
            is_abnormal,
            at: Utc::now(),
        });
        facts.cell = None;
    }

    /// The actor will be started again after `delay`.
    pub(super) fn mark_backing_off(&self, delay: Duration) {
        let mut facts = lock(&self.facts);
        facts.state = ActorState::BackingOff;
        facts.restarts_total += 1;
        facts.next_restart_at = Some(Utc::now() + delay);
    }

    /// The actor is not started again.
    pub(super) fn mark_stopped(&self) {
        let mut facts = lock(&self.facts);
        facts.state = ActorState::Stopped;
        facts.next_restart_at = None;
    }

    /// The actor is started again after a failure.
    pub(super) fn count_restart(&self) {
        lock(&self.facts).restarts_total += 1;
    }

    /// Notes the failure of a child that is not limited by count; returns how many there were in a row before this one.
    pub(super) fn count_failure(&self, reset_after: Duration) -> u32 {
        let mut facts = lock(&self.facts);
        if facts.started.is_some_and(|(since, _)| since.elapsed() >= reset_after) {
            facts.failures_in_a_row = 0;
        }
        let failures_before = facts.failures_in_a_row;
        facts.failures_in_a_row = failures_before.saturating_add(1);
        failures_before
    }

    pub(super) fn take_task(&self) -> Option<JoinHandle<()>> {
        lock(&self.facts).task.take()
    }

    pub(super) fn put_task(&self, task: JoinHandle<()>) {
        lock(&self.facts).task = Some(task);
    }

    /// Returns what the actor is at, if that takes longer than it may.
    pub(super) fn stuck_at(&self) -> Option<Busy> {
        self.meter.busy_longer_than(self.stall?)
    }

    pub(super) fn view(&self) -> ActorView {
        let busy = self.meter.busy();
        let allowance = self.allowance.as_ref();
        let facts = lock(&self.facts);
        let started = facts.started.filter(|_| facts.cell.is_some());
        ActorView {
            path: self.path.clone(),
            parent: self.parent.clone(),
            kind: self.kind,
            subject: self.subject,
            state: facts.state,
            generation: facts.generation,
            restarts_total: facts.restarts_total,
            restarts_in_window: allowance.map(|allowance| allowance.num_spent()),
            restart_budget: allowance.map(|allowance| allowance.max_restarts),
            restart_window_seconds: allowance.map(|allowance| allowance.within.as_secs()),
            next_restart_at: facts.next_restart_at,
            last_exit: facts.last_exit.clone(),
            started_at: started.map(|(_, at)| at),
            uptime_seconds: started.map(|(since, _)| since.elapsed().as_secs()),
            queue_depth: self.door.depth(),
            queue_limit: self.door.capacity(),
            current_message: busy.map(|busy| busy.kind),
            busy_for_ms: busy.map(|busy| u64::try_from(busy.since.elapsed().as_millis()).unwrap_or(u64::MAX)),
            handled: self.meter.num_handled(),
        }
    }
}

impl Facts {
    fn new() -> Self {
        Self {
            state: ActorState::Starting,
            generation: 0,
            restarts_total: 0,
            failures_in_a_row: 0,
            next_restart_at: None,
            last_exit: None,
            started: None,
            cell: None,
            task: None,
        }
    }
}
