//! When a message is sent again, and when nobody tries any more.

use std::time::Duration;

use super::sender::Attempt;

/// The pauses after the first failure, the second and so on. Together a little more than a day.
const PAUSES: [Duration; 7] = [
    Duration::from_secs(5),
    Duration::from_secs(5 * 60),
    Duration::from_secs(30 * 60),
    Duration::from_secs(2 * 3600),
    Duration::from_secs(5 * 3600),
    Duration::from_secs(10 * 3600),
    Duration::from_secs(6 * 3600 + 30 * 60),
];
/// A target may ask for a longer pause, up to this.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(3600);
/// Pauses are longer by up to a tenth, so that what failed together does not come back together.
const MAX_JITTER: f64 = 0.1;
const GONE: u16 = 410;

/// What follows from an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The target has it.
    Delivered,
    /// It is sent again after this pause.
    Again(Duration),
    /// It was tried for a day.
    GivenUp,
    /// The target says that it is no more.
    Gone,
}

/// Judges an attempt by how many there were before it. `chance` is from 0 to 1.
pub(super) fn judge(num_before: u32, attempt: &Attempt, chance: f64) -> Verdict {
    if attempt.is_success() {
        return Verdict::Delivered;
    }
    if attempt.response_status == Some(GONE) {
        return Verdict::Gone;
    }
    let index = usize::try_from(num_before).unwrap_or(usize::MAX);
    match PAUSES.get(index) {
        Some(pause) => {
            let asked = attempt.retry_after.unwrap_or_default().min(MAX_RETRY_AFTER);
            Verdict::Again(pause.mul_f64(1.0 + MAX_JITTER * chance).max(asked))
        }
        None => Verdict::GivenUp,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(status: u16) -> Attempt {
        Attempt {
            response_status: Some(status),
            ..Attempt::default()
        }
    }

    #[test]
    fn a_message_is_tried_for_a_day() {
        let mut total = Duration::ZERO;
        let mut num_attempts = 0;
        while let Verdict::Again(pause) = judge(num_attempts, &answered(500), 0.0) {
            total += pause;
            num_attempts += 1;
        }
        assert_eq!(num_attempts, 7);
        assert!(total >= Duration::from_secs(24 * 3600) && total < Duration::from_secs(25 * 3600));
        assert_eq!(judge(num_attempts, &answered(500), 0.0), Verdict::GivenUp);
    }

    #[test]
    fn only_a_2xx_is_a_success_and_410_is_the_end() {
        for (status, verdict) in [
            (200, Verdict::Delivered),
            (204, Verdict::Delivered),
            (301, Verdict::Again(PAUSES[0])),
            (404, Verdict::Again(PAUSES[0])),
            (410, Verdict::Gone),
        ] {
            assert_eq!(judge(0, &answered(status), 0.0), verdict, "{status}");
        }
        assert_eq!(judge(0, &Attempt::default(), 0.0), Verdict::Again(PAUSES[0]));
    }

    #[test]
    fn a_target_may_ask_for_time_but_not_for_ever() {
        let asking = |seconds| Attempt {
            retry_after: Some(Duration::from_secs(seconds)),
            ..answered(429)
        };
        assert_eq!(judge(0, &asking(60), 0.0), Verdict::Again(Duration::from_secs(60)));
        assert_eq!(judge(1, &asking(60), 0.0), Verdict::Again(PAUSES[1]));
        assert_eq!(judge(0, &asking(1_000_000), 0.0), Verdict::Again(MAX_RETRY_AFTER));
        assert_eq!(
            judge(0, &answered(500), 1.0),
            Verdict::Again(Duration::from_millis(5500))
        );
    }
}
