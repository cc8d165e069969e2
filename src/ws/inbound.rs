//! The documented limit on what a client sends: 10 messages a second.

use std::num::NonZeroU32;

use governor::{
    Quota, RateLimiter,
    clock::Clock,
    middleware::NoOpMiddleware,
    state::{InMemoryState, NotKeyed},
};
use tokio::time::Instant;

/// Messages a second, and at once.
pub(super) const MESSAGES: NonZeroU32 = NonZeroU32::new(10).expect("10 is not zero");
/// Messages over the limit that are answered with an error frame: so many at once, and one more every second.
const STRIKES: NonZeroU32 = NonZeroU32::new(10).expect("10 is not zero");
const STRIKES_PER_SECOND: NonZeroU32 = NonZeroU32::MIN;

type Limiter = RateLimiter<NotKeyed, InMemoryState, TokioClock, NoOpMiddleware<std::time::Instant>>;

/// Counts the messages of one connection.
#[derive(Debug)]
pub(super) struct Inbound {
    messages: Limiter,
    strikes: Limiter,
}

/// What is to be done with a message.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Read it.
    Accept,
    /// Answer that there are too many.
    Refuse,
    /// Close: the client does not listen.
    Close,
}

/// Tokio's clock, so that tests can turn it.
#[derive(Debug, Clone, Default)]
struct TokioClock;

impl Clock for TokioClock {
    type Instant = std::time::Instant;

    fn now(&self) -> Self::Instant {
        Instant::now().into_std()
    }
}

impl Inbound {
    pub(super) fn new() -> Self {
        let strikes = Quota::per_second(STRIKES_PER_SECOND).allow_burst(STRIKES);
        Self {
            messages: RateLimiter::direct_with_clock(Quota::per_second(MESSAGES), TokioClock),
            strikes: RateLimiter::direct_with_clock(strikes, TokioClock),
        }
    }

    /// Counts one message.
    pub(super) fn check(&self) -> Verdict {
        if self.messages.check().is_ok() {
            Verdict::Accept
        } else if self.strikes.check().is_ok() {
            Verdict::Refuse
        } else {
            Verdict::Close
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn count(inbound: &Inbound, num_messages: usize) -> [usize; 3] {
        let verdicts: Vec<Verdict> = (0..num_messages).map(|_| inbound.check()).collect();
        [Verdict::Accept, Verdict::Refuse, Verdict::Close]
            .map(|wanted| verdicts.iter().filter(|verdict| **verdict == wanted).count())
    }

    #[tokio::test(start_paused = true)]
    async fn ten_messages_a_second_are_fine_forever() {
        let inbound = Inbound::new();
        for _ in 0..60 {
            assert_eq!(count(&inbound, 10), [10, 0, 0]);
            tokio::time::advance(Duration::from_secs(1)).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_flood_is_refused_and_then_closed() {
        assert_eq!(count(&Inbound::new(), 25), [10, 10, 5]);
    }

    #[tokio::test(start_paused = true)]
    async fn one_too_many_a_second_is_told_but_tolerated() {
        let inbound = Inbound::new();
        for _ in 0..60 {
            assert_eq!(count(&inbound, 11), [10, 1, 0]);
            tokio::time::advance(Duration::from_secs(1)).await;
        }
    }
}
