//! Decides whether a process that does not answer is busy or lost.
//!
//! Agent Zero answers everything with a pool of ten threads, and a call of its page holds one of them until the model is
//! done. So while it works for somebody it may well not answer; that alone is no reason to kill it.

use std::time::Duration;

use tokio::time::Instant;

/// An idle process that misses so many probes in a row is lost.
const MAX_IDLE_MISSES: u32 = 3;
/// One that works may be silent for so long.
const BUSY_PATIENCE: Duration = Duration::from_secs(60);

/// What the last probes said.
#[derive(Debug)]
pub(super) struct Liveness {
    answered_at: Instant,
    num_misses: u32,
}

/// Whether it works for us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Load {
    /// As far as we know it has nothing to do.
    Idle,
    /// It was given work.
    Busy,
}

impl Liveness {
    /// Begins with an answer just now.
    pub(super) fn new() -> Self {
        Self {
            answered_at: Instant::now(),
            num_misses: 0,
        }
    }

    /// Notes an answer.
    pub(super) fn note_answer(&mut self) {
        *self = Self::new();
    }

    /// Notes that a probe was not answered, and returns whether the process is lost.
    pub(super) fn note_miss(&mut self, load: Load) -> bool {
        self.num_misses += 1;
        match load {
            Load::Idle => self.num_misses >= MAX_IDLE_MISSES,
            Load::Busy => self.answered_at.elapsed() >= BUSY_PATIENCE,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_idle_process_is_lost_after_three_misses_in_a_row() {
        let mut liveness = Liveness::new();
        assert!(!liveness.note_miss(Load::Idle));
        assert!(!liveness.note_miss(Load::Idle));
        liveness.note_answer();
        assert!(!liveness.note_miss(Load::Idle));
        assert!(!liveness.note_miss(Load::Idle));
        assert!(liveness.note_miss(Load::Idle));
    }

    #[tokio::test(start_paused = true)]
    async fn a_busy_process_may_be_silent_for_a_minute() {
        let mut liveness = Liveness::new();
        for _ in 0..5 {
            tokio::time::advance(Duration::from_secs(10)).await;
            assert!(!liveness.note_miss(Load::Busy));
        }
        tokio::time::advance(Duration::from_secs(10)).await;
        assert!(liveness.note_miss(Load::Busy));
    }
}
