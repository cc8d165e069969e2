//! One instance that connections go to, as long as any of them is open.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::watch,
    time::{Instant, sleep_until, timeout},
};

use super::protocol::TargetStats;

/// A target that could not be connected to comes last for that long.
const AILING_FOR: Duration = Duration::from_secs(1);
/// How long connections may take to notice that they are cut.
const CUT_PATIENCE: Duration = Duration::from_secs(5);

/// What is expected of the connections to a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// To go on.
    Serving,
    /// To go elsewhere where nobody can notice, and to go on otherwise.
    Parting,
    /// To go elsewhere where nobody can notice, to end where nothing is under way, and to go on otherwise.
    Draining,
    /// To end now.
    Cut,
}

/// An instance.
#[derive(Debug)]
pub(super) struct Target {
    address: SocketAddr,
    phase: watch::Sender<Phase>,
    num_open: watch::Sender<usize>,
    ailing_until: watch::Sender<Option<Instant>>,
    num_connections: AtomicU64,
    num_failures: AtomicU64,
    num_bytes_in: AtomicU64,
    num_bytes_out: AtomicU64,
}

/// One connection to a target, counted until this is dropped.
#[derive(Debug)]
pub(super) struct Lease(Arc<Target>);

impl Target {
    pub(super) fn new(address: SocketAddr) -> Arc<Self> {
        Arc::new(Self {
            address,
            phase: watch::Sender::new(Phase::Serving),
            num_open: watch::Sender::new(0),
            ailing_until: watch::Sender::new(None),
            num_connections: AtomicU64::new(0),
            num_failures: AtomicU64::new(0),
            num_bytes_in: AtomicU64::new(0),
            num_bytes_out: AtomicU64::new(0),
        })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) fn num_open(&self) -> usize {
        *self.num_open.borrow()
    }

    pub(super) fn phase(&self) -> watch::Receiver<Phase> {
        self.phase.subscribe()
    }

    /// Orders the targets by how well they suit for the next connection; the least is the best.
    pub(super) fn burden(&self) -> (bool, usize) {
        let is_ailing = self.ailing_until.borrow().is_some_and(|until| until > Instant::now());
        (is_ailing, self.num_open())
    }

    pub(super) fn lease(self: &Arc<Self>) -> Lease {
        self.num_open.send_modify(|count| *count += 1);
        Lease(Arc::clone(self))
    }

    /// Brings a target that was to end back into service.
    pub(super) fn revive(&self) {
        self.phase.send_replace(Phase::Serving);
    }

    /// Lets connections leave for another process.
    pub(super) fn part(&self) {
        self.phase.send_replace(Phase::Parting);
    }

    /// Waits until no connection is left, ends those that still are at the deadline, and returns how many that were.
    pub(super) async fn drain(&self, deadline: Instant) -> usize {
        self.phase.send_replace(Phase::Draining);
        self.outlast(deadline).await
    }

    /// Does what [`Target::drain`] does without asking connections to end before the deadline.
    pub(super) async fn outlast(&self, deadline: Instant) -> usize {
        let (mut num_open, mut phase) = (self.num_open.subscribe(), self.phase.subscribe());
        tokio::select! {
            _ = num_open.wait_for(|count| *count == 0) => return 0,
            // The route came back to this target.
            _ = phase.wait_for(|phase| *phase == Phase::Serving) => return 0,
            () = sleep_until(deadline) => {}
        }
        let num_cut = self.num_open();
        self.phase.send_replace(Phase::Cut);
        let gone = num_open.wait_for(|count| *count == 0);
        if timeout(CUT_PATIENCE, gone).await.is_err() {
            tracing::warn!(target.address = %self.address, "connections did not end when they were cut");
        }
        num_cut
    }

    pub(super) fn stats(&self, is_current: bool) -> TargetStats {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        TargetStats {
            address: self.address,
            is_current,
            num_open: self.num_open(),
            num_connections: read(&self.num_connections),
            num_failures: read(&self.num_failures),
            num_bytes_in: read(&self.num_bytes_in),
            num_bytes_out: read(&self.num_bytes_out),
        }
    }
}

impl Lease {
    pub(super) fn target(&self) -> &Target {
        &self.0
    }

    pub(super) fn connected(&self) {
        self.0.num_connections.fetch_add(1, Ordering::Relaxed);
        if self.0.ailing_until.borrow().is_some() {
            self.0.ailing_until.send_replace(None);
        }
    }

    pub(super) fn failed(&self) {
        self.0.num_failures.fetch_add(1, Ordering::Relaxed);
        self.0.ailing_until.send_replace(Some(Instant::now() + AILING_FOR));
    }

    pub(super) fn count_in(&self, num_bytes: usize) {
        self.0.num_bytes_in.fetch_add(num_bytes as u64, Ordering::Relaxed);
    }

    pub(super) fn count_out(&self, num_bytes: usize) {
        self.0.num_bytes_out.fetch_add(num_bytes as u64, Ordering::Relaxed);
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.0.num_open.send_modify(|count| *count -= 1);
    }
}
