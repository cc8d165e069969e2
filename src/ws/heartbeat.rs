//! Finds connections whose other end has gone without saying so.

use std::time::Duration;

use tokio::time::Instant;

/// A ping is sent this often: well below the minute after which many proxies cut idle connections.
pub(super) const INTERVAL: Duration = Duration::from_secs(25);
/// The pong must come within that time.
const DEADLINE: Duration = Duration::from_secs(10);

/// When the next ping is due, or how long the pong may still take.
#[derive(Debug)]
pub(super) struct Heartbeat {
    last_ping: Instant,
    is_waiting: bool,
}

/// What is due.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Beat {
    /// Send a ping.
    Ping,
    /// The other end does not answer.
    Dead,
}

impl Heartbeat {
    pub(super) fn new() -> Self {
        Self {
            last_ping: Instant::now(),
            is_waiting: false,
        }
    }

    /// Waits until something is due. Cancelling it changes nothing.
    pub(super) async fn due(&mut self) -> Beat {
        if self.is_waiting {
            tokio::time::sleep_until(self.last_ping + DEADLINE).await;
            return Beat::Dead;
        }
        tokio::time::sleep_until(self.last_ping + INTERVAL).await;
        self.last_ping = Instant::now();
        self.is_waiting = true;
        Beat::Ping
    }

    /// Notes that the other end has answered; says whether it was asked.
    pub(super) fn record_pong(&mut self) -> bool {
        std::mem::take(&mut self.is_waiting)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn pings_go_on_while_pongs_come() {
        let start = Instant::now();
        let mut heartbeat = Heartbeat::new();
        for beat in 1..=3 {
            assert_eq!(heartbeat.due().await, Beat::Ping);
            assert_eq!(start.elapsed().as_secs(), 25 * beat);
            assert!(heartbeat.record_pong());
            assert!(!heartbeat.record_pong());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_missing_pong_is_death_after_ten_seconds() {
        let start = Instant::now();
        let mut heartbeat = Heartbeat::new();
        assert_eq!(heartbeat.due().await, Beat::Ping);
        assert_eq!(heartbeat.due().await, Beat::Dead);
        assert_eq!(start.elapsed().as_secs(), 35);
    }
}
