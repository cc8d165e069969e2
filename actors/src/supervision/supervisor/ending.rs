//! Ends that are asked for: of one child, or of all.

use std::time::Duration;

use tracing::error;

use super::{Goal, KILL_GRACE, Phase, State, child::Verdict};
use crate::{
    Error,
    supervision::{handle::Away, launch::Afterwards, record::Rank, spec::Limit, view::ActorState},
};

impl State {
    /// Asks a child to end: it works off what it has accepted, and is killed when `patience` (its own deadline, if none
    /// is given) is over.
    pub(super) fn begin_end(&mut self, rank: Rank, verdict: Verdict, patience: Option<Duration>) {
        let afterwards = self.afterwards(verdict);
        let Some(child) = self.children.get_mut(&rank) else {
            return;
        };
        child.verdict = Some(verdict);
        match afterwards {
            Some(why) => child.record.door().close(why),
            None => child.record.door().park(),
        }
        match &mut child.phase {
            Phase::Up { cell } => {
                let cell = cell.clone();
                let returns = if afterwards.is_none() {
                    Afterwards::Return
                } else {
                    Afterwards::Leave
                };
                child.spec.launch.ask_to_end(&cell, returns);
                child.phase = Phase::Ending {
                    cell,
                    was_killed: false,
                };
                self.set_deadline(rank, verdict, patience);
            }
            Phase::Starting { cancel, .. } => {
                *cancel = None;
                child.record.set_state(ending_state(verdict));
            }
            // The newer request counts, with its own deadline.
            Phase::Ending { .. } => self.set_deadline(rank, verdict, patience),
            Phase::Waiting | Phase::BackingOff | Phase::Ended => self.settle(rank),
        }
    }

    fn set_deadline(&mut self, rank: Rank, verdict: Verdict, patience: Option<Duration>) {
        let Some(child) = self.children.get_mut(&rank) else {
            return;
        };
        child.record.set_state(ending_state(verdict));
        let limit = match child.phase {
            Phase::Ending { was_killed: true, .. } => Some(KILL_GRACE),
            _ => patience.or(child.spec.shutdown),
        };
        if let Some(limit) = limit {
            self.set_timer(rank, limit);
        }
    }

    /// Ends all children: those of the system in reverse order, tenants (who owe each other nothing) at the same time.
    pub(super) fn end_all(&mut self) {
        self.is_ordering = true;
        let ranks: Vec<Rank> = self.children.keys().copied().collect();
        for rank in ranks {
            match (self.table.limit, self.children.get_mut(&rank)) {
                (Limit::BackOff { .. }, _) => self.begin_end(rank, Verdict::Stay, None),
                (Limit::Escalate { .. }, Some(child)) => child.due = Some(Verdict::Stay),
                (Limit::Escalate { .. }, None) => {}
            }
        }
    }

    /// A pause or deadline of a child is over.
    pub(super) fn record_due(&mut self, rank: Rank, epoch: u64) {
        let Some(child) = self.children.get_mut(&rank).filter(|child| child.epoch() == epoch) else {
            return;
        };
        match &mut child.phase {
            Phase::BackingOff => self.restart_by_strategy(rank),
            Phase::Ending {
                cell,
                was_killed: was_killed @ false,
            } => {
                cell.kill();
                *was_killed = true;
                self.set_timer(rank, KILL_GRACE);
            }
            Phase::Ending { cell, was_killed: true } if child.verdict == Some(Verdict::Stay) => {
                let id = cell.get_id();
                self.abandon(rank);
                self.actors.remove(&id);
            }
            // One that is to be started again is waited for: two incarnations must never overlap.
            Phase::Ending { .. } | Phase::Waiting | Phase::Starting { .. } | Phase::Up { .. } | Phase::Ended => {}
        }
    }

    /// Does what was decided for a child that does not run any more.
    pub(super) fn settle(&mut self, rank: Rank) {
        let Some(child) = self.children.get_mut(&rank) else {
            return;
        };
        child.is_in_order = false;
        match child.verdict.take() {
            Some(Verdict::StartAgain) => self.begin_start(rank, false),
            Some(Verdict::AwaitTurn) => self.await_turn(rank),
            Some(Verdict::Stay) | None => self.retire(rank),
        }
    }

    /// Lets a child start when those before it have.
    pub(super) fn await_turn(&mut self, rank: Rank) {
        let Some(child) = self.children.get_mut(&rank) else {
            return;
        };
        child.phase = Phase::Waiting;
        child.record.set_state(ActorState::Restarting);
        child.record.door().park();
        self.is_ordering = true;
    }

    /// Lets a child be down for good. One that was added to the running supervisor is forgotten.
    pub(super) fn retire(&mut self, rank: Rank) {
        let afterwards = self.afterwards(Verdict::Stay);
        let is_running = matches!(self.goal, Goal::Run);
        let Some(child) = self.children.get_mut(&rank) else {
            return;
        };
        let path = child.spec.path.clone();
        child.phase = Phase::Ended;
        child.record.mark_stopped();
        if let Some(why) = afterwards {
            child.record.door().close(why);
            self.board.close_below(&path);
        }
        let (mut restarts, mut stops) = (std::mem::take(&mut child.restarts), std::mem::take(&mut child.stops));
        let is_forgotten = child.is_dynamic && (is_running || !stops.is_empty());
        if is_forgotten {
            self.table.group.strike(&path);
            self.board.remove(&path);
        }
        if is_forgotten || !is_running {
            self.children.remove(&rank);
            self.ranks.remove(&path);
        }
        // Whoever asked finds it done.
        stops.succeed();
        restarts.fail(|| Error::Restarting { actor: path.clone() });
    }

    /// Gives up on a child that even a kill does not end: it blocks its thread.
    fn abandon(&mut self, rank: Rank) {
        let Some(child) = self.children.get(&rank) else { return };
        let path = &child.spec.path;
        error!(
            actor.path = path,
            "actor {path} blocks its thread and cannot be ended; it is left behind"
        );
        child
            .record
            .mark_exited("it blocked its thread and was left behind", true);
        if child.is_supervisor() {
            self.board.bury_below(path);
        }
        self.settle(rank);
    }

    /// Returns why a child's messages are refused once it has ended, or nothing if they are kept for its return.
    fn afterwards(&self, verdict: Verdict) -> Option<Away> {
        match (verdict, &self.goal) {
            (Verdict::StartAgain | Verdict::AwaitTurn, _) => None,
            (Verdict::Stay, Goal::Stop(Afterwards::Return)) => None,
            (Verdict::Stay, Goal::Stop(Afterwards::Leave) | Goal::GiveUp(_)) => Some(Away::Restarting),
            (Verdict::Stay, Goal::Run) => Some(Away::Gone),
        }
    }
}

fn ending_state(verdict: Verdict) -> ActorState {
    match verdict {
        Verdict::StartAgain | Verdict::AwaitTurn => ActorState::Restarting,
        Verdict::Stay => ActorState::Stopping,
    }
}
