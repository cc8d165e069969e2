//! The tree as data: what to start, and what to do when it ends.

use std::{sync::Arc, time::Duration};

use ractor::Actor;

use super::{
    backoff::Allowance,
    children::Children,
    handle::Handle,
    launch::{Launch, Subtree, Worker},
    worker::Message,
};

/// How long a worker may take for one message, or to start, before it counts as stuck.
const DEFAULT_STALL: Duration = Duration::from_secs(30);
/// How long a worker may take to work off its queue and end before it is killed.
const DEFAULT_SHUTDOWN: Duration = Duration::from_secs(5);

/// When an actor that ended is started again. Failed, killed and cancelled are failures; so is a start that fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Restart {
    /// Always.
    Permanent,
    /// After a failure.
    Transient,
    /// Never.
    Temporary,
}

impl Restart {
    pub(super) fn applies(self, is_abnormal: bool) -> bool {
        match self {
            Self::Permanent => true,
            Self::Transient => is_abnormal,
            Self::Temporary => false,
        }
    }
}

/// Who else is restarted with a child.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strategy {
    /// Nobody.
    OneForOne,
    /// All that were started after it: they are ended in reverse order first, then started in order. Not the temporary.
    RestForOne,
}

/// What limits restarts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// For the parts of the system itself: at once, and if there are too many, counted over all its children, the
    /// supervisor ends itself, so that its own supervisor tries with everything below it afresh.
    Escalate {
        /// More than that,
        max_restarts: u32,
        /// within that time, are too many.
        within: Duration,
    },
    /// For tenants, who must never take the system down: after a growing, jittered pause, for ever.
    BackOff {
        /// The first pause.
        base: Duration,
        /// The longest pause.
        cap: Duration,
        /// A child that ran that long begins again with the first pause.
        reset_after: Duration,
    },
}

/// A supervisor and its children, in the order in which they start.
pub struct SupervisorSpec {
    /// Its path, unique in the tree.
    pub path: String,
    /// Who else is restarted with a child.
    pub strategy: Strategy,
    /// What limits restarts.
    pub limit: Limit,
    /// The children that are always there.
    pub children: Vec<ChildSpec>,
    /// The handle through which others start and stop further children. It must have the same path.
    pub group: Children,
}

/// One actor, and how it is supervised.
pub struct ChildSpec {
    pub(super) path: String,
    pub(super) kind: &'static str,
    pub(super) subject: Option<i64>,
    pub(super) restart: Restart,
    pub(super) shutdown: Option<Duration>,
    pub(super) stall: Option<Duration>,
    pub(super) launch: Box<dyn Launch>,
}

impl ChildSpec {
    /// Describes a worker: permanent, five seconds to end, stuck after thirty at one message. `start` makes the actor
    /// and its arguments, for each incarnation anew; the messages of `handle` go to it.
    pub fn worker<A, F>(path: impl Into<String>, kind: &'static str, handle: &Handle<A::Msg>, start: F) -> Self
    where
        A: Actor,
        A::Msg: Message,
        F: Fn() -> (A, A::Arguments) + Send + Sync + 'static,
    {
        Self {
            path: path.into(),
            kind,
            subject: None,
            restart: Restart::Permanent,
            shutdown: Some(DEFAULT_SHUTDOWN),
            stall: Some(DEFAULT_STALL),
            launch: Box::new(Worker::new(handle.clone(), start)),
        }
    }

    /// Describes a supervisor below another one: permanent, and ended when its children are, each within its own time.
    pub fn supervisor(spec: SupervisorSpec) -> Self {
        Self {
            path: spec.path.clone(),
            kind: "supervisor",
            subject: None,
            restart: Restart::Permanent,
            shutdown: None,
            stall: None,
            launch: Box::new(Subtree::new(spec)),
        }
    }

    /// Sets the id of what the actor takes care of.
    pub fn subject(mut self, id: i64) -> Self {
        self.subject = Some(id);
        self
    }

    /// Sets when it is started again.
    pub fn restart(mut self, restart: Restart) -> Self {
        self.restart = restart;
        self
    }

    /// Sets how long it may take to end before it is killed.
    pub fn shutdown(mut self, limit: Duration) -> Self {
        self.shutdown = Some(limit);
        self
    }

    /// Sets how long it may take for one message, or to start, before it is killed and started again.
    pub fn stall(mut self, limit: Duration) -> Self {
        self.stall = Some(limit);
        self
    }
}

/// A supervisor's own copy of its spec, from which it can be started any number of times.
pub(super) struct Table {
    pub(super) path: String,
    pub(super) strategy: Strategy,
    pub(super) limit: Limit,
    /// The same for all incarnations, since the children's records show it.
    pub(super) allowance: Option<Arc<Allowance>>,
    pub(super) children: Vec<Arc<ChildSpec>>,
    pub(super) group: Children,
}

impl From<SupervisorSpec> for Table {
    fn from(spec: SupervisorSpec) -> Self {
        let SupervisorSpec {
            path,
            strategy,
            limit,
            children,
            group,
        } = spec;
        let allowance = match limit {
            Limit::Escalate { max_restarts, within } => Some(Arc::new(Allowance::new(max_restarts, within))),
            Limit::BackOff { .. } => None,
        };
        Self {
            path,
            strategy,
            limit,
            allowance,
            children: children.into_iter().map(Arc::new).collect(),
            group,
        }
    }
}
