//! Bounds how many errors are written down: a program in a loop prints thousands of the same.

use std::time::Duration;

use tokio::time::Instant;

const MAX_IN_WINDOW: u32 = 20;
const WINDOW: Duration = Duration::from_secs(60);

/// Counts the errors of the present minute.
#[derive(Debug, Default)]
pub(super) struct Allowance {
    window: Option<Instant>,
    num_spent: u32,
    num_left_out: u64,
}

impl Allowance {
    /// Asks to write down one more. Returns how many were left out before it, or nothing when it must be left out, too.
    pub(super) fn spend(&mut self) -> Option<u64> {
        if self.window.is_none_or(|since| since.elapsed() >= WINDOW) {
            self.window = Some(Instant::now());
            self.num_spent = 0;
        }
        if self.num_spent >= MAX_IN_WINDOW {
            self.num_left_out += 1;
            return None;
        }
        self.num_spent += 1;
        Some(std::mem::take(&mut self.num_left_out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_flood_of_errors_is_counted_and_not_written() {
        let mut allowance = Allowance::default();
        for _ in 0..MAX_IN_WINDOW {
            assert_eq!(allowance.spend(), Some(0));
        }
        assert_eq!(allowance.spend(), None);
        assert_eq!(allowance.spend(), None);
        tokio::time::advance(WINDOW).await;
        assert_eq!(allowance.spend(), Some(2));
    }
}
