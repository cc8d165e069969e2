//! Order: who has to wait for whom at boot, in a rest_for_one restart and at the end.
//!
//! Ends go from the last child to the first, then starts from the first to the last, one at a time. Nothing is planned
//! ahead: after each event the next step is found anew from what the children are at.

use ractor::ActorProcessingErr;

use super::{Goal, Phase, State};
use crate::supervision::record::Rank;

impl State {
    /// Does the next step that is possible now.
    ///
    /// # Errors
    /// When the supervisor has given up and all its children have ended: that is how its own supervisor learns of it.
    pub(super) fn advance(&mut self) -> Result<(), ActorProcessingErr> {
        if self.is_ordering {
            self.is_ordering = self.end_next() || self.start_next();
        }
        if !self.is_ordering
            && matches!(self.goal, Goal::Run)
            && let Some(is_up) = self.is_up.take()
        {
            // An error means that whoever started this supervisor has been cut off.
            let _ = is_up.send(());
        }
        self.finish()
    }

    /// Ends the last child that has to end; returns whether one is being waited for.
    fn end_next(&mut self) -> bool {
        let ranks: Vec<Rank> = self.children.keys().rev().copied().collect();
        for rank in ranks {
            let Some(child) = self.children.get_mut(&rank) else {
                continue;
            };
            if let Some(verdict) = child.due.take() {
                child.is_in_order = true;
                self.begin_end(rank, verdict, None);
            }
            if self.children.get(&rank).is_some_and(|child| child.is_in_order) {
                return true;
            }
        }
        false
    }

    /// Starts the first child that waits for its turn; returns whether one is being waited for.
    fn start_next(&mut self) -> bool {
        let next = self.children.iter().find_map(|(rank, child)| match child.phase {
            Phase::Waiting => Some((*rank, true)),
            Phase::Starting { is_ordered: true, .. } => Some((*rank, false)),
            _ => None,
        });
        if let Some((rank, true)) = next {
            self.begin_start(rank, true);
        }
        next.is_some()
    }

    /// Ends the supervisor itself, once its children have ended.
    fn finish(&mut self) -> Result<(), ActorProcessingErr> {
        match &self.goal {
            Goal::Stop(_) if self.children.is_empty() => {
                self.myself.stop(Some("it was stopped".to_owned()));
                Ok(())
            }
            Goal::GiveUp(reason) if self.children.is_empty() => {
                self.record.mark_exited(reason, true);
                Err(reason.clone().into())
            }
            Goal::Run | Goal::Stop(_) | Goal::GiveUp(_) => Ok(()),
        }
    }
}
