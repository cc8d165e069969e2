//! Callers that wait until a deployment has got where it was told to go.

use ractor::RpcReplyPort;

use super::{Desired, Status};
use crate::{
    Error,
    id::{Generation, ReleaseId},
    runtime,
    store::deployments::Deployment,
};

/// What a caller waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goal {
    /// Nothing runs any more.
    Stopped,
    /// An instance newer than this one serves.
    RunningAfter(Generation),
    /// This release serves.
    Serving(ReleaseId),
}

type Reply = RpcReplyPort<Result<Deployment, Error>>;

/// The callers. They end with the actor, and whoever still waits asks its successor.
#[derive(Debug, Default)]
pub(super) struct Waiting(Vec<(Goal, Reply)>);

impl Waiting {
    /// Adds a caller, and forgets those that have given up.
    pub(super) fn add(&mut self, goal: Goal, reply: Reply) {
        self.0.retain(|(_, reply)| !reply.is_closed());
        self.0.push((goal, reply));
    }

    /// Answers those whose goal is reached or out of reach, now that the deployment rests as the row says, with the live
    /// instance of that generation.
    pub(super) fn answer(&mut self, row: &Deployment, live: Option<Generation>) {
        for (goal, reply) in std::mem::take(&mut self.0) {
            match goal.verdict(row, live) {
                // A caller that gave up no longer listens.
                Some(verdict) => drop(reply.send(verdict)),
                None => self.0.push((goal, reply)),
            }
        }
    }

    /// Tells those who wait for another instance that it has failed.
    pub(super) fn fail(&mut self, row: &Deployment, reason: &str) {
        for (goal, reply) in std::mem::take(&mut self.0) {
            match goal {
                Goal::Stopped => self.0.push((goal, reply)),
                // A caller that gave up no longer listens.
                Goal::RunningAfter(_) | Goal::Serving(_) => drop(reply.send(Err(out_of_reach(row, reason)))),
            }
        }
    }

    /// Tells all that the runtime does not answer.
    pub(super) fn refuse(&mut self, error: &runtime::Error) {
        for (_, reply) in self.0.drain(..) {
            // A caller that gave up no longer listens.
            drop(reply.send(Err(Error::Engine(error.to_string().into()))));
        }
    }
}

impl Goal {
    /// Returns what to tell whoever waits for this, if it is time to.
    fn verdict(self, row: &Deployment, live: Option<Generation>) -> Option<Result<Deployment, Error>> {
        let is_reached = match self {
            Self::Stopped => {
                return match (row.desired, row.status) {
                    (Desired::Stopped, status) if status.is_at_rest() => Some(Ok(row.clone())),
                    (Desired::Stopped, _) => None,
                    (Desired::Running, _) => Some(Err(out_of_reach(row, "was told to run again"))),
                };
            }
            Self::RunningAfter(before) => live.is_some_and(|live| live > before),
            Self::Serving(release) => row.release_id == Some(release),
        };
        match (row.desired, row.status) {
            (Desired::Stopped, _) => Some(Err(out_of_reach(row, "was told to stop"))),
            (Desired::Running, Status::Running) if is_reached => Some(Ok(row.clone())),
            (Desired::Running, Status::Failed | Status::CrashLooping) => {
                Some(Err(out_of_reach(row, row.reason.as_deref().unwrap_or("failed"))))
            }
            (Desired::Running, _) => None,
        }
    }
}

fn out_of_reach(row: &Deployment, why: &str) -> Error {
    Error::Conflict {
        code: "DEPLOYMENT_FAILED",
        reason: format!("deployment {} {why}", row.id),
    }
}
