//! One line of work of a deployment's actor: at most one job at a time, which reports back by message.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;
use ractor::{ActorRef, MessagingErr};
use tokio::task::JoinSet;

use super::{Message, job::Outcome};

/// A lane. Dropping it aborts its job.
#[derive(Debug, Default)]
pub(super) struct Lane {
    in_hand: Option<InHand>,
    /// Kept apart from what is known of it, so that it ends with the actor. A job returns the report that it could not
    /// deliver.
    jobs: JoinSet<Option<Message>>,
}

#[derive(Debug)]
struct InHand {
    ticket: u64,
    /// Something may have changed since the job began: look again when it is done.
    is_outdated: bool,
}

impl Lane {
    /// Begins a job in the place of the one in hand, if there is one.
    pub(super) fn begin(
        &mut self,
        ticket: u64,
        work: impl Future<Output = Outcome> + Send + 'static,
        actor: ActorRef<Message>,
    ) {
        self.abort();
        self.in_hand = Some(InHand {
            ticket,
            is_outdated: false,
        });
        self.jobs.spawn(async move {
            let outcome = AssertUnwindSafe(work).catch_unwind().await.unwrap_or(Outcome::Panicked);
            let finished = Message::Finished {
                ticket,
                outcome: Box::new(outcome),
            };
            match actor.cast(finished) {
                Err(MessagingErr::SendErr(undelivered)) => Some(undelivered),
                Ok(()) | Err(_) => None,
            }
        });
    }

    /// Gives up the job in hand.
    pub(super) fn abort(&mut self) {
        self.in_hand = None;
        self.jobs.abort_all();
        while self.jobs.try_join_next().is_some() {}
    }

    /// Notes that something may have changed, and says whether there is room for a new look.
    pub(super) fn hint(&mut self) -> bool {
        if let Some(job) = &mut self.in_hand {
            job.is_outdated = true;
        }
        self.in_hand.is_none()
    }

    /// Takes the report with this ticket: nothing if it is of a job that was replaced, else whether it is outdated.
    pub(super) fn finish(&mut self, ticket: u64) -> Option<bool> {
        let job = self.in_hand.take_if(|job| job.ticket == ticket)?;
        Some(job.is_outdated)
    }

    /// Waits for the job in hand, and returns the report that the closed mailbox did not take.
    pub(super) async fn undelivered(&mut self) -> Option<Message> {
        while self.in_hand.is_some() {
            // All else is a job that was replaced, or whose report was taken already.
            if let Ok(Some(undelivered)) = self.jobs.join_next().await? {
                return Some(undelivered);
            }
        }
        None
    }
}
