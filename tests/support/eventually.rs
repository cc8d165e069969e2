//! Waiting for a state instead of sleeping.

use std::{fmt::Debug, time::Duration};

use tokio::time::{Instant, sleep};

/// Generous, since many tests share two cores; a test that passes does not wait for it.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);
const INTERVAL: Duration = Duration::from_millis(25);

/// Asks again and again until `look` returns `Ok`; panics with what was seen last when that takes too long.
pub(crate) async fn eventually<T, Seen: Debug>(what: &str, look: impl AsyncFnMut() -> Result<T, Seen>) -> T {
    eventually_within(DEADLINE, what, look).await
}

/// [`eventually`] with a deadline, for states that are promised to come soon.
pub(crate) async fn eventually_within<T, Seen: Debug>(
    deadline: Duration,
    what: &str,
    mut look: impl AsyncFnMut() -> Result<T, Seen>,
) -> T {
    let start = Instant::now();
    loop {
        match look().await {
            Ok(found) => return found,
            Err(seen) if start.elapsed() > deadline => {
                panic!("not seen within {deadline:?}: {what}; last seen: {seen:?}")
            }
            Err(_) => sleep(INTERVAL).await,
        }
    }
}
