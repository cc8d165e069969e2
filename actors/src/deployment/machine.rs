//! What a deployment does next: a pure function of what is wanted, what is recorded and what was observed.
//!
//! It is level-triggered. Nothing here depends on how things came to be as they are, so the same function carries a first
//! deploy, a restart, a crash of the program and a crash of BorgOS between any two steps: observe, ask [`next`], do the
//! step, observe again, until the step is [`Step::Rest`] or [`Step::AwaitRetry`].
//!
//! What must survive a crash of BorgOS is kept in the row, in its status and its recorded instance:
//!
//! | status | recorded | meaning |
//! | --- | --- | --- |
//! | `starting` | none | a generation was begun; its instance may or may not have been created |
//! | `starting`, `running`, `unhealthy` | one | it was started; if it has ended or is gone, that is not recorded yet |
//! | `restarting`, `failed` | one | it is to be stopped and removed |
//! | `restarting`, `crash_looping` | none | the next start is due after the back-off |

use chrono::{DateTime, Utc};

use super::{Desired, Status};
use crate::{
    id::Generation,
    runtime::{Exit, InstanceRef, InstanceState, Observation},
};

/// All that a decision depends on.
#[derive(Debug, Clone)]
pub struct Facts<'a> {
    /// What the operator wants.
    pub desired: Desired,
    /// What the row says.
    pub status: Status,
    /// Whether the deployment has a release that can be started.
    pub release: ReleaseState,
    /// The generation of the row: instances of any other are left-overs.
    pub generation: Generation,
    /// The instance that the row names as its own.
    pub recorded: Option<&'a InstanceRef>,
    /// Every instance that the runtime knows of.
    pub instances: &'a [Observation],
    /// Whether the back-off, if there is one, is over.
    pub is_retry_due: bool,
}

/// How far the deployment's newest release is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReleaseState {
    /// There is none, or its build was interrupted.
    Unbuilt,
    /// It can be started.
    Ready,
    /// Its build failed.
    Failed,
}

/// The one thing to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Nothing, until something changes.
    Rest,
    /// Nothing, until the back-off is over.
    AwaitRetry,
    /// Build the release.
    Build,
    /// Start the release as a new generation.
    Start,
    /// Record the instance, which runs, as the one that was begun.
    Adopt {
        /// The instance.
        instance: InstanceRef,
    },
    /// Probe the instance until it is healthy or its time is up.
    AwaitHealth {
        /// The instance.
        instance: InstanceRef,
        /// When it was started.
        since: DateTime<Utc>,
    },
    /// Record how the instance ended, with its last lines, and plan the next start.
    RecordExit {
        /// The instance.
        instance: InstanceRef,
        /// How it ended.
        exit: Exit,
    },
    /// Record that the instance is gone although nobody here removed it.
    RecordVanished,
    /// Write this status.
    Record(Status),
    /// Stop the instance.
    Stop(InstanceRef),
    /// Remove what is left of the instance.
    Remove(InstanceRef),
}

/// Returns the next step towards what is wanted.
pub fn next(facts: &Facts<'_>) -> Step {
    let is_current = |seen: &&Observation| seen.generation == facts.generation;
    if let Some(stale) = facts.instances.iter().find(|seen| !is_current(seen)) {
        return Step::Remove(stale.instance.clone());
    }
    let current = facts.instances.iter().find(is_current);
    match facts.desired {
        Desired::Stopped => towards_stopped(facts, current),
        Desired::Running => towards_running(facts, current),
    }
}

fn towards_stopped(facts: &Facts<'_>, current: Option<&Observation>) -> Step {
    match current {
        Some(seen) if is_running(seen) && facts.status != Status::Stopping => Step::Record(Status::Stopping),
        Some(seen) if is_running(seen) => Step::Stop(seen.instance.clone()),
        Some(seen) => Step::Remove(seen.instance.clone()),
        None if facts.status == Status::Stopped => Step::Rest,
        None => Step::Record(Status::Stopped),
    }
}

fn towards_running(facts: &Facts<'_>, current: Option<&Observation>) -> Step {
    let Some(seen) = current else {
        return without_instance(facts);
    };
    let instance = seen.instance.clone();
    match &seen.state {
        InstanceState::Created => Step::Remove(instance),
        InstanceState::Running { since } => with_running(facts, instance, *since),
        InstanceState::Exited(exit) if facts.status.has_instance() => Step::RecordExit {
            instance,
            exit: exit.clone(),
        },
        InstanceState::Exited(_) => Step::Remove(instance),
    }
}

fn with_running(facts: &Facts<'_>, instance: InstanceRef, since: DateTime<Utc>) -> Step {
    let is_recorded = facts.recorded == Some(&instance);
    match facts.status {
        Status::Restarting if is_recorded => Step::Stop(instance),
        Status::Failed => Step::Stop(instance),
        _ if !is_recorded => Step::Adopt { instance },
        Status::Running | Status::Unhealthy => Step::Rest,
        Status::Starting => Step::AwaitHealth { instance, since },
        _ => Step::Record(Status::Starting),
    }
}

fn without_instance(facts: &Facts<'_>) -> Step {
    let is_lost = facts.status.has_instance() && facts.recorded.is_some();
    match (facts.release, facts.status) {
        (ReleaseState::Failed, Status::Failed) | (ReleaseState::Ready, Status::Failed) => Step::Rest,
        (ReleaseState::Failed, status) if status != Status::Restarting => Step::Record(Status::Failed),
        (ReleaseState::Unbuilt | ReleaseState::Failed, _) => Step::Build,
        (ReleaseState::Ready, _) if is_lost => Step::RecordVanished,
        (ReleaseState::Ready, Status::Starting) => Step::Start,
        (ReleaseState::Ready, _) if facts.is_retry_due => Step::Start,
        (ReleaseState::Ready, _) => Step::AwaitRetry,
    }
}

fn is_running(seen: &Observation) -> bool {
    matches!(seen.state, InstanceState::Running { .. })
}

#[cfg(test)]
mod tests;
