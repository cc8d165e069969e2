//! The attempts that a worker has: at work, or ended and not yet written down.

use std::collections::{BTreeMap, HashMap};

use tokio::{
    sync::watch,
    task::{Id, JoinError, JoinSet},
    time::Instant,
};

use super::{
    Agents, Stop,
    runner::{Runner, stop_for},
};
use crate::{
    id::TaskId,
    store::tasks::{Beat, Fence, Outcome, Room, Settlement},
};

/// The attempts of one worker. Dropping it drops them all.
#[derive(Default)]
pub(super) struct Running {
    attempts: JoinSet<Outcome>,
    entries: HashMap<Fence, Entry>,
    /// Which attempt a task of the runtime is.
    fences: HashMap<Id, Fence>,
}

struct Entry {
    agent_type: String,
    stop: watch::Sender<Option<Stop>>,
    /// Tells the attempt how long its lease can be trusted.
    trusted_until: watch::Sender<Instant>,
    /// How it ended, once it has.
    outcome: Option<Outcome>,
}

impl Running {
    /// Begins an attempt.
    pub(super) fn begin(&mut self, runner: Runner, trusted_until: watch::Sender<Instant>) {
        let task = &runner.details.task;
        let fence = task.fence();
        let entry = Entry {
            agent_type: task.agent_type.clone(),
            stop: runner.stop.clone(),
            trusted_until,
            outcome: None,
        };
        let handle = self.attempts.spawn(runner.run());
        self.fences.insert(handle.id(), fence);
        self.entries.insert(fence, entry);
    }

    /// Waits for an attempt to end, and takes note of all that have. Never resolves while there is none.
    pub(super) async fn ended(&mut self) {
        match self.attempts.join_next_with_id().await {
            Some(ended) => self.note(ended),
            None => std::future::pending().await,
        }
        while let Some(ended) = self.attempts.try_join_next_with_id() {
            self.note(ended);
        }
    }

    fn note(&mut self, ended: Result<(Id, Outcome), JoinError>) {
        let (id, outcome) = match ended {
            Ok(ended) => ended,
            // The runner itself has panicked, and agents cannot make it.
            Err(error) => {
                let outcome = Outcome::Failed {
                    kind: "panic".to_owned(),
                    error: "the attempt failed unexpectedly, see the log".to_owned(),
                    retry_in: None,
                };
                (error.id(), outcome)
            }
        };
        if let Some(entry) = self.fences.remove(&id).and_then(|fence| self.entries.get_mut(&fence)) {
            entry.outcome = Some(outcome);
        }
    }

    /// Returns how the attempts ended that have, oldest task first.
    pub(super) fn settlements(&self, limit: usize) -> Vec<Settlement> {
        let ended = self.entries.iter().filter_map(|(fence, entry)| {
            Some(Settlement {
                fence: *fence,
                outcome: entry.outcome.clone()?,
            })
        });
        let mut ended: Vec<Settlement> = ended.collect();
        ended.sort_by_key(|settlement| settlement.fence.task);
        ended.truncate(limit);
        ended
    }

    /// Forgets an attempt whose end was written down, or was refused.
    pub(super) fn forget(&mut self, fence: Fence) {
        self.entries.remove(&fence);
    }

    /// Returns all attempts whose leases have to be renewed.
    pub(super) fn fences(&self) -> Vec<Fence> {
        self.entries.keys().copied().collect()
    }

    /// Says whether an attempt has not yet ended.
    pub(super) fn is_any_at_work(&self) -> bool {
        !self.attempts.is_empty()
    }

    /// Returns how many more tasks of each agent that is ready can be taken.
    pub(super) fn rooms(&self, agents: &Agents) -> Vec<Room> {
        let mut num_taken: BTreeMap<&str, u64> = BTreeMap::new();
        for entry in self.entries.values() {
            *num_taken.entry(&entry.agent_type).or_default() += 1;
        }
        let ready = agents.iter().filter(|(_, entry)| entry.agent.is_ready());
        let rooms = ready.map(|(agent_type, entry)| Room {
            agent_type: agent_type.to_owned(),
            num_tasks: u64::from(entry.limits.concurrency)
                .saturating_sub(num_taken.get(agent_type).copied().unwrap_or_default()),
        });
        rooms.filter(|room| room.num_tasks > 0).collect()
    }

    /// Takes note of which leases were renewed: `asked` of them was asked for, and what is not among `beats` is lost.
    pub(super) fn renewed(&mut self, asked: &[Fence], beats: &[Beat], trusted_until: Instant) {
        for fence in asked {
            let Some(entry) = self.entries.get_mut(fence) else {
                continue;
            };
            match beats.iter().find(|beat| beat.fence == *fence) {
                Some(beat) => {
                    entry.trusted_until.send_replace(trusted_until);
                    if beat.is_cancel_requested {
                        stop_for(&entry.stop, Stop::Cancelled);
                    }
                }
                None => {
                    tracing::warn!(task.id = %fence.task, attempt = fence.attempt, "the lease of a task was lost");
                    stop_for(&entry.stop, Stop::Lost);
                }
            }
        }
    }

    /// Ends the attempts at a task.
    pub(super) fn cancel(&mut self, task: TaskId) {
        let meant = self.entries.iter().filter(|(fence, _)| fence.task == task);
        for (_, entry) in meant {
            stop_for(&entry.stop, Stop::Cancelled);
        }
    }

    /// Ends all attempts.
    pub(super) fn interrupt(&mut self) {
        for entry in self.entries.values() {
            stop_for(&entry.stop, Stop::Interrupted);
        }
    }
}
