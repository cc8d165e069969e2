//! What a deployment does next: a pure function of what is wanted, what is recorded and what was observed.
//!
//! It is level-triggered. Nothing here depends on how things came to be as they are, so the same function carries a first
//! deploy, a new release, a restart, a crash of the program and a crash of BorgOS between any two steps: observe, ask
//! [`next`], do the step, observe again, until the step is [`Step::Rest`] or [`Step::AwaitRetry`].
//!
//! Up to two instances matter. The *live* one serves: the edge leads connections to it. The *candidate* is the instance of
//! the newest generation; it takes over once it is healthy, whether there is a live one beside it or not. Every other
//! instance is retired: its connections are drained, then it is stopped and removed.
//!
//! The candidate is one of the release that is to serve. Only where nobody serves while that one is still being built, it is
//! one of the release that served before: an app does not wait for a build.
//!
//! Where instances write to the same volumes there is never more than one: what serves ends before its successor starts.
//!
//! What must survive a crash of BorgOS is kept in the row, in its status and its recorded instances:
//!
//! | status | live | candidate | meaning |
//! | --- | --- | --- | --- |
//! | `running`, `unhealthy` | one | none | it serves; a new one may be wanted, or begun and not known yet |
//! | `running`, `unhealthy` | one | one | it serves until the candidate is healthy |
//! | `starting` | none | none | a generation was begun; its instance may or may not have been created |
//! | `starting` | none | one | it was started; if it has ended or is gone, that is not recorded yet |
//! | `restarting`, `crash_looping` | none | none | the next start is due after the back-off |

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
    /// Whether the release that is to serve can be started.
    pub target: ReleaseState,
    /// What it is called when nothing runs, as wanted.
    pub rests_as: Status,
    /// Whether another release served before, which can be started until the target is built.
    pub has_earlier: bool,
    /// Whether no two instances may run beside each other, since they write to the same volumes.
    pub is_exclusive: bool,
    /// Whether the live instance is to give way to a new one.
    pub is_rolling_out: bool,
    /// The generation of the row, which is the candidate's.
    pub generation: Generation,
    /// The instance that the row names as the one that serves.
    pub live: Option<&'a InstanceRef>,
    /// The instance that the row names as the candidate.
    pub candidate: Option<&'a InstanceRef>,
    /// Every instance that the runtime knows of.
    pub instances: &'a [Observation],
    /// The instance that is being retired at this moment.
    pub retiring: Option<&'a InstanceRef>,
    /// Where the edge leads connections to.
    pub routed: Routed<'a>,
    /// Whether the edge did not give the port back when it was asked last.
    pub has_unroute_failed: bool,
    /// Whether the back-off, if there is one, is over.
    pub is_retry_due: bool,
}

/// How far the release is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReleaseState {
    /// It is being built, or its build was interrupted.
    Unbuilt,
    /// It can be started.
    Ready,
    /// It could not be built.
    Failed,
}

/// What is known of the edge's route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Routed<'a> {
    /// Nothing: it was not told anything yet, or did not say whether it did as it was told.
    Unknown,
    /// It has none.
    Nowhere,
    /// It holds the port and leads to nobody.
    Held,
    /// It leads to this instance, where that is now.
    To(&'a InstanceRef),
}

/// The one thing to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Nothing, until something changes.
    Rest,
    /// Nothing, until the back-off is over.
    AwaitRetry,
    /// Start the release that is to serve as a new generation.
    Start,
    /// Record that the instance, which serves, is to end before its successor starts.
    MakeWay(InstanceRef),
    /// Nothing, until all that still runs has ended.
    AwaitRoom,
    /// Start the release that served before as a new generation.
    StartEarlier,
    /// Record the instance, which runs, as the candidate that was begun.
    Adopt(InstanceRef),
    /// Probe the candidate until it is healthy, when it takes over, or its time is up.
    AwaitHealth {
        /// The instance.
        instance: InstanceRef,
        /// When it was started.
        since: DateTime<Utc>,
    },
    /// Lead connections to the live instance.
    Route(InstanceRef),
    /// Hold the port and lead connections to nobody: the address of an instance that has ended may soon be another's.
    Hold,
    /// Lead connections nowhere: the port is free after that.
    Unroute,
    /// Nothing, until the edge may give the port back.
    AwaitEdge,
    /// Record how the instance ended, with its last lines, and what follows.
    RecordExit {
        /// The instance.
        instance: InstanceRef,
        /// How it ended.
        exit: Exit,
    },
    /// Record that the instance is gone although nobody here removed it.
    RecordVanished(InstanceRef),
    /// Write this status.
    Record(Status),
    /// Stop the instance.
    Stop(InstanceRef),
    /// Remove what is left of the instance.
    Remove(InstanceRef),
    /// Drain, stop and remove the instance, beside everything else.
    Retire(InstanceRef),
}

/// Returns the next step towards what is wanted.
pub fn next(facts: &Facts<'_>) -> Step {
    match facts.desired {
        Desired::Stopped => towards_stopped(facts),
        Desired::Running => towards_running(facts),
    }
}

/// Whether a build of the release that is to serve may go on.
pub fn is_build_wanted(facts: &Facts<'_>) -> bool {
    facts.desired == Desired::Running && facts.target == ReleaseState::Unbuilt
}

/// Whether the build is to begin: once the port is held and the status says so, or beside what serves or is to serve
/// meanwhile.
pub fn is_build_due(facts: &Facts<'_>) -> bool {
    let is_held = matches!(facts.routed, Routed::Held | Routed::To(_));
    let is_next = is_held && (facts.status == Status::Building || facts.is_earlier_wanted());
    is_build_wanted(facts) && (facts.live.is_some() || is_next)
}

impl<'a> Facts<'a> {
    fn find(&self, instance: Option<&InstanceRef>) -> Option<&'a Observation> {
        self.instances.iter().find(|seen| Some(&seen.instance) == instance)
    }

    /// Finds the instance of the newest generation that is on its way up.
    fn find_candidate(&self) -> Option<&'a Observation> {
        self.instances.iter().find(|seen| self.is_candidate(seen))
    }

    fn is_candidate(&self, seen: &Observation) -> bool {
        let is_wanted = self.live.is_none() || self.is_rolling_out;
        is_wanted && seen.generation == self.generation && self.live != Some(&seen.instance)
    }

    /// Whether the release that served before is to serve until the target is built: it ended, and nobody told it to.
    fn is_earlier_wanted(&self) -> bool {
        let is_down = matches!(
            self.status,
            Status::Starting | Status::Restarting | Status::CrashLooping
        );
        self.target == ReleaseState::Unbuilt && self.has_earlier && self.live.is_none() && is_down
    }

    /// Finds an instance that is neither live nor the candidate. They are retired one after the other.
    fn stale(&self) -> Option<&'a Observation> {
        if self.retiring.is_some() {
            return None;
        }
        let is_stale = |seen: &&Observation| self.live != Some(&seen.instance) && !self.is_candidate(seen);
        self.instances.iter().find(is_stale)
    }
}

fn towards_stopped(facts: &Facts<'_>) -> Step {
    let is_up = |seen: &&Observation| matches!(seen.state, InstanceState::Running { .. });
    let running = facts.instances.iter().find(is_up);
    match (running, facts.instances.first()) {
        (None, None) if facts.status == facts.rests_as => Step::Rest,
        (Some(_), _) if facts.status != Status::Stopping => Step::Record(Status::Stopping),
        _ if facts.routed != Routed::Nowhere && !facts.has_unroute_failed => Step::Unroute,
        // What cannot be drained is stopped all the same.
        (Some(seen), _) => Step::Stop(seen.instance.clone()),
        (None, Some(seen)) => Step::Remove(seen.instance.clone()),
        (None, None) if facts.has_unroute_failed => Step::AwaitEdge,
        (None, None) => Step::Record(facts.rests_as),
    }
}

fn towards_running(facts: &Facts<'_>) -> Step {
    let Some(live) = facts.live else {
        return without_live(facts);
    };
    match facts.find(Some(live)).map(|seen| &seen.state) {
        None | Some(InstanceState::Created) => Step::RecordVanished(live.clone()),
        Some(InstanceState::Exited(exit)) => Step::RecordExit {
            instance: live.clone(),
            exit: exit.clone(),
        },
        Some(InstanceState::Running { .. }) => match facts.status {
            Status::Running | Status::Unhealthy if facts.routed != Routed::To(live) => Step::Route(live.clone()),
            Status::Running | Status::Unhealthy => with_live(facts),
            _ => Step::Record(Status::Running),
        },
    }
}

fn with_live(facts: &Facts<'_>) -> Step {
    match facts.stale() {
        Some(stale) => Step::Retire(stale.instance.clone()),
        None if facts.is_rolling_out => bring_up(facts),
        None => Step::Rest,
    }
}

fn without_live(facts: &Facts<'_>) -> Step {
    if let Some(step) = let_go(facts) {
        return step;
    }
    match facts.stale() {
        Some(stale) => Step::Retire(stale.instance.clone()),
        None => bring_up(facts),
    }
}

/// Makes sure that the edge does not lead to an instance that has ended. Who has failed for good needs no port; anybody
/// else keeps it.
fn let_go(facts: &Facts<'_>) -> Option<Step> {
    match (facts.status, facts.routed) {
        (Status::Failed, Routed::Nowhere) => None,
        (Status::Failed, _) => (!facts.has_unroute_failed).then_some(Step::Unroute),
        (_, Routed::Held) => None,
        (_, Routed::To(instance)) if facts.candidate == Some(instance) => None,
        // It could not be held the last time.
        (_, Routed::Nowhere) if !facts.is_retry_due => None,
        (_, Routed::Unknown | Routed::Nowhere | Routed::To(_)) => Some(Step::Hold),
    }
}

/// Leads the candidate up to where it can take over.
fn bring_up(facts: &Facts<'_>) -> Step {
    let is_alone = facts.live.is_none();
    let Some(seen) = facts.find_candidate() else {
        return without_candidate(facts);
    };
    let instance = seen.instance.clone();
    match &seen.state {
        InstanceState::Created => Step::Remove(instance),
        InstanceState::Running { .. } if is_alone && facts.status != Status::Starting => Step::Record(Status::Starting),
        InstanceState::Running { .. } if facts.candidate != Some(&instance) => Step::Adopt(instance),
        InstanceState::Running { since } => Step::AwaitHealth {
            instance,
            since: *since,
        },
        InstanceState::Exited(_) if is_alone && facts.status != Status::Starting => Step::Remove(instance),
        InstanceState::Exited(exit) => Step::RecordExit {
            instance,
            exit: exit.clone(),
        },
    }
}

fn without_candidate(facts: &Facts<'_>) -> Step {
    let is_alone = facts.live.is_none();
    if let Some(candidate) = facts.candidate {
        return Step::RecordVanished(candidate.clone());
    }
    match (facts.target, facts.status) {
        (ReleaseState::Unbuilt, status) if facts.is_earlier_wanted() => {
            let is_due = facts.is_retry_due || status == Status::Starting;
            if is_due {
                in_turn(facts, Step::StartEarlier)
            } else {
                Step::AwaitRetry
            }
        }
        (ReleaseState::Unbuilt, status) if is_alone && status != Status::Building => Step::Record(Status::Building),
        (ReleaseState::Unbuilt, _) => Step::Rest,
        (ReleaseState::Failed, status) if is_alone && status != Status::Failed => Step::Record(Status::Failed),
        (ReleaseState::Failed, _) => Step::Rest,
        (ReleaseState::Ready, Status::Failed) => Step::Rest,
        (ReleaseState::Ready, Status::Starting) => in_turn(facts, Step::Start),
        (ReleaseState::Ready, _) if facts.is_retry_due => in_turn(facts, Step::Start),
        (ReleaseState::Ready, _) => Step::AwaitRetry,
    }
}

/// Starts an instance, once it runs beside no other where it must not.
fn in_turn(facts: &Facts<'_>, start: Step) -> Step {
    let is_up = |seen: &Observation| matches!(seen.state, InstanceState::Running { .. });
    match facts.live {
        Some(live) if facts.is_exclusive => Step::MakeWay(live.clone()),
        None if facts.is_exclusive && facts.instances.iter().any(is_up) => Step::AwaitRoom,
        _ => start,
    }
}

#[cfg(test)]
mod tests;
