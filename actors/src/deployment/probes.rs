//! How an app has answered lately.

use std::collections::VecDeque;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;

/// So many are remembered.
const NUM_KEPT: usize = 20;

/// The outcome of a probe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Probe {
    /// When it was known.
    pub at: DateTime<Utc>,
    /// Whether the app is well.
    pub is_well: bool,
    /// Why not.
    pub reason: Option<String>,
}

/// The last outcomes.
#[derive(Debug, Default)]
pub(super) struct Probes(VecDeque<Probe>);

impl Probes {
    /// Remembers an outcome that is known just now: `Err` says what was wrong.
    pub(super) fn note(&mut self, outcome: Result<(), &str>) {
        self.0.truncate(NUM_KEPT - 1);
        self.0.push_front(Probe {
            at: Utc::now(),
            is_well: outcome.is_ok(),
            reason: outcome.err().map(str::to_owned),
        });
    }

    /// Returns them, newest first.
    pub(super) fn list(&self) -> Vec<Probe> {
        self.0.iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_outcomes_are_remembered() {
        let mut probes = Probes::default();
        for number in 0..30 {
            probes.note(Err(&number.to_string()));
        }
        probes.note(Ok(()));
        let listed = probes.list();
        assert_eq!(listed.len(), NUM_KEPT);
        assert!(listed[0].is_well && listed[0].reason.is_none());
        assert_eq!(listed[1].reason.as_deref(), Some("29"));
    }
}
