//! The handle on a supervisor through which others start and stop children.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use super::{
    handle::Handle,
    lock,
    record::Rank,
    spec::ChildSpec,
    supervisor::{KILL_GRACE, Message},
};
use crate::Error;

/// How many requests to one supervisor may wait.
const QUEUE_LIMIT: usize = 1024;
/// How long a supervisor may take to accept a child. It never waits inline, so this is ample.
const ACCEPT_LIMIT: Duration = Duration::from_secs(5);
/// How long is waited for the end of a child that has no deadline of its own, such as a supervisor.
const END_LIMIT: Duration = Duration::from_secs(60);

/// A stable handle on a supervisor's children, made before the tree. What is started through it belongs to the
/// supervisor for good: it is started again with the supervisor too, until it is stopped or ends by itself.
#[derive(Clone)]
pub struct Children {
    inner: Arc<Inner>,
}

struct Inner {
    handle: Handle<Message>,
    /// The children that were started through this handle. Kept here and not in the supervisor, which may fail.
    roster: Mutex<HashMap<String, Entry>>,
}

struct Entry {
    rank: Rank,
    spec: Arc<ChildSpec>,
}

impl Children {
    /// Creates a handle on the supervisor at `path`.
    pub fn new(path: impl Into<String>) -> Self {
        Self {
            inner: Arc::new(Inner {
                handle: Handle::new(path, QUEUE_LIMIT),
                roster: Mutex::default(),
            }),
        }
    }

    /// Returns the supervisor's path.
    pub fn path(&self) -> &str {
        self.inner.handle.path()
    }

    /// Hands a child to the supervisor. Returns when the supervisor has it; its handle takes messages at once and
    /// delivers them when it has started. A start that fails is treated like any failure.
    ///
    /// # Errors
    /// [`Error::Conflict`] when the path is taken, [`Error::Busy`], [`Error::Restarting`], [`Error::Timeout`].
    pub async fn start(&self, spec: ChildSpec) -> Result<(), Error> {
        let spec = Arc::new(spec);
        self.inner
            .handle
            .call(ACCEPT_LIMIT, |reply| Message::StartChild { spec, reply })
            .await?
    }

    /// Ends a child for good, also one that is just being started or backing off. Returns when it has ended: by itself,
    /// or killed at its deadline. Messages that it had accepted are handled before.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such child, [`Error::Busy`], [`Error::Restarting`], [`Error::Timeout`].
    pub async fn stop(&self, path: &str) -> Result<(), Error> {
        let patience = self.shutdown_limit(path).unwrap_or(END_LIMIT) + 2 * KILL_GRACE;
        let path = path.to_owned();
        self.inner
            .handle
            .call(patience, |reply| Message::StopChild { path, reply })
            .await?
    }

    /// Returns the paths of the children that were started through this handle and have not ended for good, in the
    /// order of their start.
    pub fn paths(&self) -> Vec<String> {
        let roster = lock(&self.inner.roster);
        let mut paths: Vec<_> = roster.iter().map(|(path, entry)| (entry.rank, path.clone())).collect();
        paths.sort_unstable();
        paths.into_iter().map(|(_, path)| path).collect()
    }

    pub(super) async fn restart(&self, path: &str, patience: Duration, start_limit: Duration) -> Result<(), Error> {
        let path = path.to_owned();
        let wait = patience + start_limit + 2 * KILL_GRACE;
        self.inner
            .handle
            .call(wait, |reply| Message::RestartChild { path, patience, reply })
            .await?
    }

    pub(super) fn handle(&self) -> &Handle<Message> {
        &self.inner.handle
    }

    pub(super) fn roster(&self) -> Vec<(Rank, Arc<ChildSpec>)> {
        let mut entries: Vec<_> = lock(&self.inner.roster)
            .values()
            .map(|entry| (entry.rank, entry.spec.clone()))
            .collect();
        entries.sort_unstable_by_key(|(rank, _)| *rank);
        entries
    }

    pub(super) fn enlist(&self, rank: Rank, spec: &Arc<ChildSpec>) {
        lock(&self.inner.roster).insert(
            spec.path.clone(),
            Entry {
                rank,
                spec: spec.clone(),
            },
        );
    }

    pub(super) fn strike(&self, path: &str) {
        lock(&self.inner.roster).remove(path);
    }

    fn shutdown_limit(&self, path: &str) -> Option<Duration> {
        lock(&self.inner.roster).get(path)?.spec.shutdown
    }
}
