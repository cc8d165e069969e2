//! How the instances of an app have answered lately.

use std::collections::VecDeque;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;

use crate::runtime::InstanceRef;

/// So many are remembered of each instance.
const NUM_KEPT: usize = 20;
/// What serves, and what is to serve.
const NUM_INSTANCES: usize = 2;
/// As much of an instance's name as is shown elsewhere.
const SHOWN_CHARS: usize = 12;

/// The outcome of a probe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Probe {
    /// Who was asked.
    pub instance: String,
    /// When it was known.
    pub at: DateTime<Utc>,
    /// Whether the app is well.
    pub is_well: bool,
    /// Why not.
    pub reason: Option<String>,
}

/// The last outcomes, of the instance that was asked last first.
#[derive(Debug, Default)]
pub(super) struct Probes(VecDeque<(InstanceRef, VecDeque<Probe>)>);

impl Probes {
    /// Remembers an outcome that is known just now: `Err` says what was wrong.
    pub(super) fn note(&mut self, instance: &InstanceRef, outcome: Result<(), String>) {
        let known = self.0.iter().position(|(known, _)| known == instance);
        let (_, mut probes) = known
            .and_then(|place| self.0.remove(place))
            .unwrap_or_else(|| (instance.clone(), VecDeque::new()));
        probes.truncate(NUM_KEPT - 1);
        probes.push_front(Probe {
            instance: instance.0.chars().take(SHOWN_CHARS).collect(),
            at: Utc::now(),
            is_well: outcome.is_ok(),
            reason: outcome.err(),
        });
        self.0.truncate(NUM_INSTANCES - 1);
        self.0.push_front((instance.clone(), probes));
    }

    /// Returns them, newest first.
    pub(super) fn list(&self) -> Vec<Probe> {
        let mut all: Vec<Probe> = self.0.iter().flat_map(|(_, probes)| probes).cloned().collect();
        all.sort_by_key(|probe| std::cmp::Reverse(probe.at));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_outcomes_of_two_instances_are_remembered() {
        let [old, live, fresh] = ["old", "live", "fresh"].map(|name| InstanceRef(name.to_owned()));
        let mut probes = Probes::default();
        probes.note(&old, Ok(()));
        for number in 0..30 {
            probes.note(&live, Err(number.to_string()));
            probes.note(&fresh, Ok(()));
        }
        let listed = probes.list();
        assert_eq!(listed.len(), 2 * NUM_KEPT);
        assert!(listed[0].is_well && listed[0].reason.is_none());
        assert_eq!(
            (listed[1].instance.as_str(), listed[1].reason.as_deref()),
            ("live", Some("29"))
        );
        assert!(listed.iter().all(|probe| probe.instance != "old"));
    }
}
