//! One child as its supervisor sees it.

use std::sync::Arc;

use ractor::ActorCell;
use tokio::{sync::oneshot, task::AbortHandle};

use super::Reply;
use crate::{
    Error,
    supervision::{record::Record, spec::ChildSpec},
};

/// How many requests may wait for the same restart or stop.
const MAX_WAITING: usize = 64;

pub(super) struct Child {
    pub(super) spec: Arc<ChildSpec>,
    pub(super) record: Arc<Record>,
    /// Whether it was added to the running supervisor, and is forgotten when it ends for good.
    pub(super) is_dynamic: bool,
    pub(super) phase: Phase,
    /// What comes after the end that was asked for; none means that an end would be its own doing.
    pub(super) verdict: Option<Verdict>,
    /// It has to end too, when its turn comes.
    pub(super) due: Option<Verdict>,
    /// Others wait for its end.
    pub(super) is_in_order: bool,
    pub(super) restarts: Waiting,
    pub(super) stops: Waiting,
    epoch: u64,
    timer: Option<Timer>,
}

/// What a child is doing.
pub(super) enum Phase {
    /// Waiting for its turn to start.
    Waiting,
    /// A task is starting it. Dropping `cancel` ends that; the task reports in any case.
    Starting {
        cancel: Option<oneshot::Sender<()>>,
        is_ordered: bool,
    },
    /// It runs.
    Up { cell: ActorCell },
    /// It was asked to end.
    Ending { cell: ActorCell, was_killed: bool },
    /// It waits for its next start.
    BackingOff,
    /// It does not run and is not going to.
    Ended,
}

/// What comes after the end of a child that was asked to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It starts again at once.
    StartAgain,
    /// It starts again when those before it have.
    AwaitTurn,
    /// It stays down.
    Stay,
}

/// Requests that are answered when something is done.
#[derive(Default)]
pub(super) struct Waiting(Vec<Reply>);

/// A task that is cancelled with the reason for it.
struct Timer(AbortHandle);

impl Child {
    pub(super) fn new(spec: Arc<ChildSpec>, record: Arc<Record>, is_dynamic: bool) -> Self {
        Self {
            spec,
            record,
            is_dynamic,
            phase: Phase::Waiting,
            verdict: None,
            due: None,
            is_in_order: false,
            restarts: Waiting::default(),
            stops: Waiting::default(),
            epoch: 0,
            timer: None,
        }
    }

    pub(super) fn is_supervisor(&self) -> bool {
        self.spec.launch.table().is_some()
    }

    pub(super) fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Makes whatever a timer may still report stale.
    pub(super) fn next_epoch(&mut self) -> u64 {
        self.timer = None;
        self.epoch += 1;
        self.epoch
    }

    pub(super) fn set_timer(&mut self, task: AbortHandle) {
        self.timer = Some(Timer(task));
    }
}

impl Waiting {
    pub(super) fn push(&mut self, path: &str, reply: Reply) {
        if self.0.len() < MAX_WAITING {
            self.0.push(reply);
        } else {
            answer(reply, Err(Error::Busy { actor: path.to_owned() }));
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn succeed(&mut self) {
        self.0.drain(..).for_each(|reply| answer(reply, Ok(())));
    }

    pub(super) fn fail(&mut self, error: impl Fn() -> Error) {
        self.0.drain(..).for_each(|reply| answer(reply, Err(error())));
    }
}

/// Answers a request. Whoever asked may have stopped waiting, which is no concern of the supervisor.
pub(super) fn answer(reply: Reply, result: Result<(), Error>) {
    let _ = reply.send(result);
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.0.abort();
    }
}
