//! Ends: what they mean, and what follows from one that nobody asked for.

use std::time::Duration;

use ractor::ActorId;

use super::{Goal, Phase, State, child::Verdict};
use crate::{
    Error,
    error::chain,
    supervision::{
        backoff,
        handle::Away,
        observer::Happening,
        record::Rank,
        spec::{Limit, Restart, Strategy},
        view::ActorState,
    },
};

/// How an incarnation ended.
pub(super) struct Exit {
    pub(super) reason: String,
    pub(super) is_abnormal: bool,
}

impl Exit {
    /// ractor reports a killed and a cancelled actor like one that ended by itself, with these words as the only sign.
    pub(super) fn terminated(reason: Option<String>) -> Self {
        match reason.as_deref() {
            Some("killed") => Self {
                reason: "it was killed".to_owned(),
                is_abnormal: true,
            },
            Some("actor_task_cancelled") => Self {
                reason: "its task was cancelled".to_owned(),
                is_abnormal: true,
            },
            Some("Drained") => Self {
                reason: "it worked off its queue and ended".to_owned(),
                is_abnormal: false,
            },
            Some(reason) => Self {
                reason: reason.to_owned(),
                is_abnormal: false,
            },
            None => Self {
                reason: "it ended".to_owned(),
                is_abnormal: false,
            },
        }
    }

    pub(super) fn failed(error: &(dyn std::error::Error + 'static)) -> Self {
        Self {
            reason: chain(error),
            is_abnormal: true,
        }
    }
}

impl State {
    /// Takes note of an end that ractor reported.
    pub(super) fn record_exit(&mut self, id: ActorId, exit: Exit) {
        match self.actors.remove(&id) {
            Some(rank) => self.after_exit(rank, exit),
            // Either its start has not been reported yet, or it was given up on and ended at last.
            None if self.num_starting > 0 => {
                self.early_exits.insert(id, exit);
            }
            None => {}
        }
    }

    /// Decides what follows an end, or a start that failed.
    pub(super) fn after_exit(&mut self, rank: Rank, exit: Exit) {
        let Some(child) = self.children.get_mut(&rank) else {
            return;
        };
        let exit = match child.record.state() {
            ActorState::Stuck => Exit {
                reason: "it was stuck and killed".to_owned(),
                is_abnormal: true,
            },
            _ => exit,
        };
        child.next_epoch();
        child.phase = Phase::Ended;
        child.record.mark_exited(&exit.reason, exit.is_abnormal);
        if child.is_supervisor() {
            self.board.bury_below(&child.spec.path);
        }
        self.board.tell(
            &child.record,
            Happening::Exited {
                reason: exit.reason.clone(),
                is_abnormal: exit.is_abnormal,
            },
        );
        if child.verdict.is_some() || !matches!(self.goal, Goal::Run) {
            self.settle(rank);
        } else if child.spec.restart.applies(exit.is_abnormal) {
            self.restart_within_limit(rank, &exit);
        } else {
            self.retire(rank);
        }
    }

    fn restart_within_limit(&mut self, rank: Rank, exit: &Exit) {
        match (self.table.limit, &self.table.allowance) {
            (Limit::BackOff { base, cap, reset_after }, _) => self.back_off(rank, base, cap, reset_after),
            (Limit::Escalate { .. }, Some(allowance)) if allowance.spend() => self.restart_at_once(rank),
            (Limit::Escalate { .. }, _) => self.give_up(rank, exit),
        }
    }

    fn back_off(&mut self, rank: Rank, base: Duration, cap: Duration, reset_after: Duration) {
        let Some(child) = self.children.get_mut(&rank) else {
            return;
        };
        let failures_before = child.record.count_failure(reset_after);
        let delay = backoff::delay(failures_before, base, cap, rand::random());
        child.phase = Phase::BackingOff;
        child.record.mark_backing_off(delay);
        child.record.door().close(Away::Restarting);
        child.restarts.fail(|| Error::Restarting {
            actor: child.spec.path.clone(),
        });
        self.board.close_below(&child.spec.path);
        self.board.tell(&child.record, Happening::Restarting { after: delay });
        self.set_timer(rank, delay);
    }

    fn restart_at_once(&mut self, rank: Rank) {
        let Some(child) = self.children.get_mut(&rank) else {
            return;
        };
        child.record.count_restart();
        self.board
            .tell(&child.record, Happening::Restarting { after: Duration::ZERO });
        self.restart_by_strategy(rank);
    }

    /// Starts a child that failed, and with rest_for_one all that came after it too.
    pub(super) fn restart_by_strategy(&mut self, rank: Rank) {
        if self.table.strategy == Strategy::OneForOne {
            return self.begin_start(rank, false);
        }
        for (_, later) in self.children.range_mut(rank + 1..) {
            if matches!(
                later.phase,
                Phase::Up { .. } | Phase::Starting { .. } | Phase::Ending { .. }
            ) && later.verdict != Some(Verdict::Stay)
            {
                later.due = Some(match later.spec.restart {
                    Restart::Permanent | Restart::Transient => Verdict::AwaitTurn,
                    Restart::Temporary => Verdict::Stay,
                });
            }
        }
        self.await_turn(rank);
    }

    fn give_up(&mut self, rank: Rank, exit: &Exit) {
        let Some(child) = self.children.get(&rank) else { return };
        let reason = format!(
            "`{}` failed too often, at last because {}",
            child.spec.path, exit.reason
        );
        self.record.set_state(ActorState::GaveUp);
        self.board
            .tell(&self.record, Happening::GaveUp { reason: reason.clone() });
        self.goal = Goal::GiveUp(reason);
        self.end_all();
    }
}
