//! Patience with what seems to be in nobody's use.

use std::{collections::HashMap, hash::Hash, time::Duration};

use tokio::time::Instant;

/// What is in nobody's use is removed when it was seen so for this long: its row may be about to be committed, or a restored
/// database about to be replaced by the right one.
const GRACE: Duration = Duration::from_secs(60);

/// Remembers since when each of some things has been seen without interruption.
#[derive(Debug)]
pub(super) struct Grace<K> {
    since: HashMap<K, Instant>,
}

impl<K> Default for Grace<K> {
    fn default() -> Self {
        Self { since: HashMap::new() }
    }
}

impl<K: Clone + Eq + Hash> Grace<K> {
    /// Takes what is seen now, and returns what has been seen each time for long enough.
    pub(super) fn due(&mut self, seen: impl IntoIterator<Item = K>) -> Vec<K> {
        let now = Instant::now();
        let before = std::mem::take(&mut self.since);
        let since = |thing: &K| before.get(thing).copied().unwrap_or(now);
        self.since = seen.into_iter().map(|thing| (thing.clone(), since(&thing))).collect();
        let is_due = |(_, since): &(&K, &Instant)| now.duration_since(**since) >= GRACE;
        self.since
            .iter()
            .filter(is_due)
            .map(|(thing, _)| thing.clone())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn only_what_was_seen_each_time_for_a_minute_is_due() {
        let mut grace = Grace::default();
        assert!(grace.due(["a", "b"]).is_empty());
        tokio::time::advance(GRACE / 2).await;
        assert!(grace.due(["a"]).is_empty());
        tokio::time::advance(GRACE / 2).await;
        assert_eq!(grace.due(["a", "b"]), ["a"]);
        tokio::time::advance(GRACE).await;
        assert_eq!(grace.due(["b"]), ["b"]);
    }
}
