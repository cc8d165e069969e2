//! How long to wait before the next start, and how many restarts are too many.

use std::{collections::VecDeque, sync::Mutex, time::Duration};

use tokio::time::Instant;

use super::lock;

/// Returns the pause before the next start after `num_failures` failures in a row before this one: doubled each time up
/// to `cap`, then between half and all of it. `spread` is random in `0.0..1.0`; without it, children that failed for
/// one common reason would all come back in the same instant.
pub(super) fn delay(num_failures: u32, base: Duration, cap: Duration, spread: f64) -> Duration {
    let full = base.saturating_mul(2_u32.saturating_pow(num_failures)).min(cap);
    full.mul_f64(0.5 + spread / 2.0)
}

/// How many restarts a supervisor accepts of all its children together, and how many there were.
#[derive(Debug)]
pub(super) struct Allowance {
    pub(super) max_restarts: u32,
    pub(super) within: Duration,
    restarts: Mutex<VecDeque<Instant>>,
}

impl Allowance {
    pub(super) fn new(max_restarts: u32, within: Duration) -> Self {
        Self {
            max_restarts,
            within,
            restarts: Mutex::default(),
        }
    }

    /// Notes a restart and returns whether that is still accepted.
    pub(super) fn spend(&self) -> bool {
        let mut restarts = lock(&self.restarts);
        while restarts.front().is_some_and(|at| at.elapsed() > self.within) {
            restarts.pop_front();
        }
        restarts.push_back(Instant::now());
        restarts.len() <= self.max_restarts as usize
    }

    /// Returns how many restarts count at the moment.
    pub(super) fn num_spent(&self) -> usize {
        lock(&self.restarts)
            .iter()
            .filter(|at| at.elapsed() <= self.within)
            .count()
    }

    /// Begins anew, as a supervisor does that was started again.
    pub(super) fn reset(&self) {
        lock(&self.restarts).clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: Duration = Duration::from_secs(1);
    const CAP: Duration = Duration::from_secs(300);

    #[test]
    fn a_delay_doubles_up_to_the_cap() {
        let seconds: Vec<u64> = (0..12)
            .map(|failures| delay(failures, BASE, CAP, 1.0).as_secs())
            .collect();
        assert_eq!(seconds, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
        assert_eq!(delay(u32::MAX, BASE, CAP, 1.0), CAP);
    }

    #[test]
    fn a_delay_is_between_half_and_all() {
        assert_eq!(delay(3, BASE, CAP, 0.0), Duration::from_secs(4));
        assert_eq!(delay(3, BASE, CAP, 0.5), Duration::from_secs(6));
    }

    #[tokio::test(start_paused = true)]
    async fn an_allowance_forgets_what_is_older() {
        let allowance = Allowance::new(1, Duration::from_secs(60));
        assert!(allowance.spend());
        tokio::time::advance(Duration::from_secs(40)).await;
        assert!(!allowance.spend());
        tokio::time::advance(Duration::from_secs(61)).await;
        assert_eq!(allowance.num_spent(), 0);
        assert!(allowance.spend());
        allowance.reset();
        assert_eq!(allowance.num_spent(), 0);
    }
}
