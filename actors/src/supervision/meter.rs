//! Measures what an actor does: which message it is at and for how long, and whether it holds a runtime thread.
//!
//! There are two ways to hang, and they look different. An actor that waits for ever is *busy* for too long but gives
//! its thread back at each await: it can be killed. One that computes or blocks without an await holds its thread, and
//! nothing can end it; [`super::sentinel`] sees it from a thread of its own. An idle actor is neither.

use std::{
    future::poll_fn,
    pin::pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::time::Instant;

use super::lock;

/// The clock of the sentinel thread, counted in its rounds. It goes on when the runtime hangs, which tokio's clock need
/// not, and stands still with the whole process (SIGSTOP, a suspended machine), so that nobody is blamed for that.
#[derive(Debug)]
pub(super) struct Ticks(AtomicU64);

impl Ticks {
    pub(super) fn new() -> Arc<Self> {
        // Zero means "not polled" in a meter.
        Arc::new(Self(AtomicU64::new(1)))
    }

    pub(super) fn now(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    pub(super) fn advance(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed) + 1
    }
}

/// What an actor is at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Busy {
    /// The message's kind, or the lifecycle step.
    pub(super) kind: &'static str,
    /// Since when.
    pub(super) since: Instant,
}

/// The meter of one actor. It stays the same over restarts.
#[derive(Debug)]
pub(super) struct Meter {
    ticks: Arc<Ticks>,
    busy: Mutex<Option<Busy>>,
    polled_since: AtomicU64,
    num_handled: AtomicU64,
}

impl Meter {
    pub(super) fn new(ticks: Arc<Ticks>) -> Self {
        Self {
            ticks,
            busy: Mutex::new(None),
            polled_since: AtomicU64::new(0),
            num_handled: AtomicU64::new(0),
        }
    }

    /// Runs one step of the actor. The actor counts as busy until the step is over, has panicked or is cancelled.
    pub(super) async fn measure<F: Future>(&self, kind: &'static str, step: F) -> F::Output {
        let _busy = self.enter(kind);
        let mut step = pin!(step);
        poll_fn(|context| {
            let _polled = self.enter_poll();
            step.as_mut().poll(context)
        })
        .await
    }

    pub(super) fn count_handled(&self) {
        self.num_handled.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn num_handled(&self) -> u64 {
        self.num_handled.load(Ordering::Relaxed)
    }

    pub(super) fn busy(&self) -> Option<Busy> {
        *lock(&self.busy)
    }

    /// Returns how many ticks the actor has held a runtime thread without an await.
    pub(super) fn ticks_polled(&self) -> u64 {
        match self.polled_since.load(Ordering::Relaxed) {
            0 => 0,
            since => self.ticks.now().saturating_sub(since),
        }
    }

    /// Returns what the actor is at, if that has taken longer than `limit`.
    pub(super) fn busy_longer_than(&self, limit: Duration) -> Option<Busy> {
        self.busy().filter(|busy| busy.since.elapsed() > limit)
    }

    fn enter(&self, kind: &'static str) -> BusyGuard<'_> {
        *lock(&self.busy) = Some(Busy {
            kind,
            since: Instant::now(),
        });
        BusyGuard(self)
    }

    fn enter_poll(&self) -> PollGuard<'_> {
        self.polled_since.store(self.ticks.now(), Ordering::Relaxed);
        PollGuard(self)
    }
}

struct BusyGuard<'a>(&'a Meter);

impl Drop for BusyGuard<'_> {
    fn drop(&mut self) {
        *lock(&self.0.busy) = None;
    }
}

struct PollGuard<'a>(&'a Meter);

impl Drop for PollGuard<'_> {
    fn drop(&mut self) {
        self.0.polled_since.store(0, Ordering::Relaxed);
    }
}
