//! How far a scan is, told no more often than anyone can read.

use std::{
    sync::atomic::{AtomicU64, AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use serde::Serialize;

const INTERVAL: Duration = Duration::from_millis(200);

/// How far a scan is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Progress {
    /// How many files the project has.
    pub num_files: usize,
    /// How many of them are done, read or known to be unchanged.
    pub num_done: usize,
    /// How many were read.
    pub num_read: usize,
}

/// Counts, and tells the caller now and then.
pub(super) struct Meter<'a> {
    tell: &'a (dyn Fn(Progress) + Sync),
    started: Instant,
    /// Milliseconds from the start to the last time the caller was told.
    told_ms: AtomicU64,
    num_files: usize,
    num_done: AtomicUsize,
    num_read: AtomicUsize,
}

impl<'a> Meter<'a> {
    pub(super) fn new(tell: &'a (dyn Fn(Progress) + Sync), num_files: usize) -> Self {
        Self {
            tell,
            started: Instant::now(),
            told_ms: AtomicU64::new(0),
            num_files,
            num_done: AtomicUsize::new(0),
            num_read: AtomicUsize::new(0),
        }
    }

    pub(super) fn add_read(&self) {
        self.num_read.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a file as done, and tells how far the scan is if that was not told just now.
    pub(super) fn add_done(&self) {
        let num_done = self.num_done.fetch_add(1, Ordering::Relaxed) + 1;
        let now_ms = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let told_ms = self.told_ms.load(Ordering::Relaxed);
        if now_ms.saturating_sub(told_ms) < INTERVAL.as_millis() as u64 {
            return;
        }
        let is_mine = self
            .told_ms
            .compare_exchange(told_ms, now_ms, Ordering::Relaxed, Ordering::Relaxed)
            .is_ok();
        if is_mine {
            (self.tell)(Progress {
                num_files: self.num_files,
                num_done,
                num_read: self.num_read(),
            });
        }
    }

    pub(super) fn num_read(&self) -> usize {
        self.num_read.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_told_at_intervals() {
        let num_told = AtomicUsize::new(0);
        let count = |_: Progress| {
            num_told.fetch_add(1, Ordering::Relaxed);
        };
        let meter = Meter::new(&count, 1_000_000);
        let mut last = 0;
        while meter.started.elapsed() < INTERVAL * 2 {
            meter.add_done();
            last += 1;
        }
        let told = num_told.load(Ordering::Relaxed);
        assert!(last > 2 && (1..=2).contains(&told), "{told} of {last}");
    }
}
