//! Callers that wait until a deployment has got where it was told to go.

use ractor::RpcReplyPort;

use super::{Desired, Status};
use crate::{Error, id::Generation, runtime, store::deployments::Deployment};

/// What a caller waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goal {
    /// Nothing runs any more.
    Stopped,
    /// An instance newer than this one runs.
    RunningAfter(Generation),
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

    /// Answers those whose goal is reached or out of reach, now that the deployment rests as the row says.
    pub(super) fn answer(&mut self, row: &Deployment) {
        for (goal, reply) in std::mem::take(&mut self.0) {
            match goal.verdict(row) {
                // A caller that gave up no longer listens.
                Some(verdict) => drop(reply.send(verdict)),
                None => self.0.push((goal, reply)),
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
    fn verdict(self, row: &Deployment) -> Option<Result<Deployment, Error>> {
        match (self, row.desired, row.status) {
            (Self::Stopped, Desired::Stopped, Status::Stopped) => Some(Ok(row.clone())),
            (Self::Stopped, Desired::Stopped, _) => None,
            (Self::Stopped, Desired::Running, _) => Some(Err(out_of_reach(row, "was told to run again"))),
            (Self::RunningAfter(_), Desired::Stopped, _) => Some(Err(out_of_reach(row, "was told to stop"))),
            (Self::RunningAfter(before), Desired::Running, Status::Running) if row.generation > before => {
                Some(Ok(row.clone()))
            }
            (Self::RunningAfter(_), Desired::Running, Status::Failed | Status::CrashLooping) => {
                Some(Err(out_of_reach(row, row.reason.as_deref().unwrap_or("failed"))))
            }
            (Self::RunningAfter(_), Desired::Running, _) => None,
        }
    }
}

fn out_of_reach(row: &Deployment, why: &str) -> Error {
    Error::Conflict {
        code: "DEPLOYMENT_FAILED",
        reason: format!("deployment {} {why}", row.id),
    }
}
