//! How long to wait before the next start, and when to give up.

use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

use crate::supervision::back_off;

const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// A process that was ready for so long begins again with the first pause.
const STEADY_AFTER: Duration = Duration::from_secs(300);
/// So many ends within [`WINDOW`] that nobody asked for are too many.
const MAX_CRASHES: usize = 5;
const WINDOW: Duration = Duration::from_secs(600);

/// The ends that nobody asked for.
#[derive(Debug, Default)]
pub(super) struct Crashes {
    recent: VecDeque<Instant>,
    num_in_a_row: u32,
}

/// What to do after one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Start again after this pause.
    Pause(Duration),
    /// Start no more until somebody says so.
    GiveUp,
}

impl Crashes {
    /// Notes an end of a process that was ready for `ready_for`; `spread` is random in `0.0..1.0`.
    pub(super) fn note(&mut self, ready_for: Duration, spread: f64) -> Verdict {
        let now = Instant::now();
        self.recent.retain(|at| now.duration_since(*at) <= WINDOW);
        self.recent.push_back(now);
        if ready_for >= STEADY_AFTER {
            self.num_in_a_row = 0;
        }
        if self.recent.len() >= MAX_CRASHES {
            return Verdict::GiveUp;
        }
        let pause = back_off(self.num_in_a_row, FIRST_PAUSE, LONGEST_PAUSE, spread);
        self.num_in_a_row = self.num_in_a_row.saturating_add(1);
        Verdict::Pause(pause)
    }

    /// Forgets all of them: somebody has looked after it.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn pauses_double_and_the_fifth_end_in_ten_minutes_is_the_last() {
        let mut crashes = Crashes::default();
        for seconds in [1, 2, 4, 8] {
            let pause = Duration::from_secs(seconds);
            assert_eq!(crashes.note(Duration::ZERO, 1.0), Verdict::Pause(pause));
        }
        assert_eq!(crashes.note(Duration::ZERO, 1.0), Verdict::GiveUp);
        crashes.forget();
        assert_eq!(crashes.note(Duration::ZERO, 1.0), Verdict::Pause(FIRST_PAUSE));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_long_ago_counts_no_more_and_the_pause_has_an_upper_bound() {
        let mut crashes = Crashes::default();
        let mut last = Verdict::GiveUp;
        for _ in 0..12 {
            tokio::time::advance(WINDOW / 4 + Duration::from_secs(1)).await;
            last = crashes.note(Duration::ZERO, 1.0);
        }
        assert_eq!(last, Verdict::Pause(LONGEST_PAUSE));
        assert_eq!(crashes.note(STEADY_AFTER, 1.0), Verdict::GiveUp);
    }

    #[tokio::test(start_paused = true)]
    async fn who_was_ready_for_long_begins_with_the_first_pause() {
        let mut crashes = Crashes::default();
        crashes.note(Duration::ZERO, 1.0);
        crashes.note(Duration::ZERO, 1.0);
        assert_eq!(crashes.note(STEADY_AFTER, 1.0), Verdict::Pause(FIRST_PAUSE));
    }
}
