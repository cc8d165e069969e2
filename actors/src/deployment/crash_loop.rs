//! When to start a program again that keeps ending.

use std::time::Duration;

use super::Status;

/// A program that was up for this long has recovered: the next exit is the first of a new series.
const RECOVERED_AFTER: Duration = Duration::from_secs(60);
/// The first pause; it doubles with each exit.
const BASE: Duration = Duration::from_secs(1);
/// The longest pause. Long enough to cost nothing, short enough that a mended dependency is noticed.
const CAP: Duration = Duration::from_secs(300);
/// So many fast exits in a row are called a crash loop.
const LOOPING_FROM: u32 = 10;

/// Counts the fast exits in a row.
#[derive(Debug, Default, Clone)]
pub(super) struct CrashLoop {
    num_fast_exits: u32,
}

/// What follows from an exit.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    /// How long to wait before the next start.
    pub(super) pause: Duration,
    /// Whether this is a crash loop by now.
    pub(super) is_looping: bool,
}

impl CrashLoop {
    /// Goes on from what was recorded before the actor was started: a loop stays a loop.
    pub(super) fn of(recorded: Status) -> Self {
        let num_fast_exits = if recorded == Status::CrashLooping {
            LOOPING_FROM
        } else {
            0
        };
        Self { num_fast_exits }
    }

    /// Notes an exit after `ran_for`. `spread` is random in `0.0..1.0`.
    pub(super) fn note_exit(&mut self, ran_for: Duration, spread: f64) -> Verdict {
        if ran_for >= RECOVERED_AFTER {
            self.num_fast_exits = 0;
        }
        let pause = crate::supervision::back_off(self.num_fast_exits, BASE, CAP, spread);
        self.num_fast_exits = self.num_fast_exits.saturating_add(1);
        Verdict {
            pause,
            is_looping: self.num_fast_exits >= LOOPING_FROM,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_until_it_is_called_a_loop() {
        let mut exits = CrashLoop::default();
        let verdicts: Vec<Verdict> = (0..11).map(|_| exits.note_exit(Duration::ZERO, 1.0)).collect();
        assert_eq!(
            verdicts[0],
            Verdict {
                pause: BASE,
                is_looping: false
            }
        );
        assert!(!verdicts[8].is_looping && verdicts[9].is_looping);
        assert_eq!(verdicts[10].pause, CAP);
    }

    #[test]
    fn a_minute_up_begins_anew() {
        let mut exits = CrashLoop::of(Status::CrashLooping);
        assert!(exits.note_exit(Duration::from_secs(59), 0.0).is_looping);
        assert_eq!(
            exits.note_exit(RECOVERED_AFTER, 1.0),
            Verdict {
                pause: BASE,
                is_looping: false
            }
        );
    }
}
