//! The names under which the world outside knows events, such as `deployment.failed`.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{store::events::Event, value::Invalid};

/// What asks for everything.
const ALL: &str = "*";
const MAX_PATTERNS: usize = 50;

/// One line of the table.
struct Line {
    name: &'static str,
    /// The kind of our own event.
    kind: &'static str,
    /// What else must be true of it.
    test: Test,
}

enum Test {
    Nothing,
    /// A field of its data has this value.
    Is(&'static str, &'static str),
    /// The actor runs for the first time, or not.
    IsFirst(bool),
}

/// Every event that webhooks tell of. What happens many times a second, such as the progress of a task, is not among them.
#[rustfmt::skip]
const TABLE: &[Line] = &[
    Line { name: "project.created", kind: "project_created", test: Test::Nothing },
    Line { name: "project.updated", kind: "project_updated", test: Test::Nothing },
    Line { name: "project.deleted", kind: "project_deleted", test: Test::Nothing },
    Line { name: "project.scanned", kind: "project_scanned", test: Test::Nothing },
    Line { name: "project.scan_failed", kind: "project_scan_failed", test: Test::Nothing },
    Line { name: "deployment.pending", kind: "deployment_status", test: Test::Is("status", "pending") },
    Line { name: "deployment.building", kind: "deployment_status", test: Test::Is("status", "building") },
    Line { name: "deployment.starting", kind: "deployment_status", test: Test::Is("status", "starting") },
    Line { name: "deployment.running", kind: "deployment_status", test: Test::Is("status", "running") },
    Line { name: "deployment.unhealthy", kind: "deployment_status", test: Test::Is("status", "unhealthy") },
    Line { name: "deployment.restarting", kind: "deployment_status", test: Test::Is("status", "restarting") },
    Line { name: "deployment.crash_looping", kind: "deployment_status", test: Test::Is("status", "crash_looping") },
    Line { name: "deployment.stopping", kind: "deployment_status", test: Test::Is("status", "stopping") },
    Line { name: "deployment.stopped", kind: "deployment_status", test: Test::Is("status", "stopped") },
    Line { name: "deployment.failed", kind: "deployment_status", test: Test::Is("status", "failed") },
    Line { name: "deployment.cancelled", kind: "deployment_status", test: Test::Is("status", "cancelled") },
    Line { name: "deployment.deleted", kind: "deployment_deleted", test: Test::Nothing },
    Line { name: "error.debug", kind: "error_logged", test: Test::Is("severity", "debug") },
    Line { name: "error.info", kind: "error_logged", test: Test::Is("severity", "info") },
    Line { name: "error.warning", kind: "error_logged", test: Test::Is("severity", "warning") },
    Line { name: "error.error", kind: "error_logged", test: Test::Is("severity", "error") },
    Line { name: "error.critical", kind: "error_logged", test: Test::Is("severity", "critical") },
    Line { name: "task.created", kind: "task_created", test: Test::Nothing },
    Line { name: "task.started", kind: "task_started", test: Test::Nothing },
    Line { name: "task.completed", kind: "task_completed", test: Test::Nothing },
    Line { name: "task.failed", kind: "task_failed", test: Test::Nothing },
    Line { name: "task.cancelled", kind: "task_cancelled", test: Test::Nothing },
    Line { name: "task.interrupted", kind: "task_interrupted", test: Test::Nothing },
    Line { name: "task.retried", kind: "task_retried", test: Test::Nothing },
    Line { name: "agent.paused", kind: "agent_paused", test: Test::Nothing },
    Line { name: "agent.resumed", kind: "agent_resumed", test: Test::Nothing },
    Line { name: "agent_zero.stopped", kind: "agent_zero_status", test: Test::Is("state", "stopped") },
    Line { name: "agent_zero.starting", kind: "agent_zero_status", test: Test::Is("state", "starting") },
    Line { name: "agent_zero.running", kind: "agent_zero_status", test: Test::Is("state", "running") },
    Line { name: "agent_zero.stopping", kind: "agent_zero_status", test: Test::Is("state", "stopping") },
    Line { name: "agent_zero.backing_off", kind: "agent_zero_status", test: Test::Is("state", "backing_off") },
    Line { name: "agent_zero.failed", kind: "agent_zero_status", test: Test::Is("state", "failed") },
    Line { name: "actor.started", kind: "actor_started", test: Test::IsFirst(true) },
    Line { name: "actor.restarted", kind: "actor_started", test: Test::IsFirst(false) },
    Line { name: "actor.exited", kind: "actor_exited", test: Test::Nothing },
    Line { name: "actor.restarting", kind: "actor_restarting", test: Test::Nothing },
    Line { name: "actor.stuck", kind: "actor_stuck", test: Test::Nothing },
    Line { name: "actor.gave_up", kind: "actor_gave_up", test: Test::Nothing },
    Line { name: "webhook.disabled", kind: "webhook_disabled", test: Test::Nothing },
];

impl Test {
    fn holds(&self, data: &Value) -> bool {
        match self {
            Self::Nothing => true,
            Self::Is(field, value) => data[field] == *value,
            Self::IsFirst(is_first) => (data["generation"].as_u64() <= Some(1)) == *is_first,
        }
    }
}

/// Returns the names of all events that webhooks tell of.
pub fn all() -> impl Iterator<Item = &'static str> {
    TABLE.iter().map(|line| line.name)
}

/// Returns the name of an event, if webhooks tell of it.
pub(super) fn of(event: &Event) -> Option<&'static str> {
    let mut lines = TABLE.iter().filter(|line| line.kind == event.kind);
    lines.find(|line| line.test.holds(&event.data)).map(|line| line.name)
}

/// Which events a webhook is told of: names, `deployment.*` for all of a kind, `*` for all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
#[schemars(inline, transform = names_events)]
pub struct Wanted(Vec<String>);

impl Wanted {
    /// Says whether an event is among them.
    pub(super) fn contains(&self, name: &str) -> bool {
        self.0.iter().any(|pattern| is_match(pattern, name))
    }
}

impl TryFrom<Vec<String>> for Wanted {
    type Error = Invalid;

    fn try_from(patterns: Vec<String>) -> Result<Self, Invalid> {
        if patterns.is_empty() || patterns.len() > MAX_PATTERNS {
            return Err(Invalid::new(format!("must name 1 to {MAX_PATTERNS} events")));
        }
        let is_known = |pattern: &String| all().any(|name| is_match(pattern, name));
        match patterns.iter().all(is_known) {
            true => Ok(Self(patterns)),
            false => {
                let kinds: Vec<String> = kinds().iter().map(|kind| format!("`{kind}`")).collect();
                Err(Invalid::new(format!(
                    "must be names of events such as `deployment.failed`, or `*`, or one of {}",
                    kinds.join(", ")
                )))
            }
        }
    }
}

impl From<Wanted> for Vec<String> {
    fn from(wanted: Wanted) -> Self {
        wanted.0
    }
}

fn is_match(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix(".*") {
        Some(kind) => name.split_once('.').is_some_and(|(known, _)| known == kind),
        None => pattern == ALL || pattern == name,
    }
}

/// Returns the patterns for all events of a kind.
fn kinds() -> BTreeSet<String> {
    let kinds = all().filter_map(|name| name.split_once('.'));
    kinds.map(|(kind, _)| format!("{kind}.*")).collect()
}

fn names_events(schema: &mut schemars::Schema) {
    let names = all().map(str::to_owned).chain(kinds()).chain([ALL.to_owned()]);
    let entry = json!({"type": "string", "enum": names.collect::<Vec<_>>()});
    schema.insert("minItems".to_owned(), json!(1));
    schema.insert("maxItems".to_owned(), json!(MAX_PATTERNS));
    schema.insert("items".to_owned(), entry);
}

#[cfg(test)]
mod tests {
    use chrono::Utc;
    use serde_json::json;

    use super::*;
    use crate::id::EventId;

    fn event(kind: &str, data: Value) -> Event {
        Event {
            id: EventId(1),
            channel: "x".to_owned(),
            subject: None,
            kind: kind.to_owned(),
            data,
            at: Utc::now(),
            channel_offset: 1,
            subject_offset: None,
        }
    }

    fn wanted(patterns: &[&str]) -> Result<Wanted, Invalid> {
        let patterns: Vec<String> = patterns.iter().map(|pattern| (*pattern).to_owned()).collect();
        Wanted::try_from(patterns)
    }

    #[test]
    fn an_event_has_at_most_one_name() {
        for (kind, data, name) in [
            ("project_created", json!({"id": 1}), Some("project.created")),
            (
                "deployment_status",
                json!({"status": "failed"}),
                Some("deployment.failed"),
            ),
            ("deployment_status", json!({"status": "odd"}), None),
            ("error_logged", json!({"severity": "critical"}), Some("error.critical")),
            ("actor_started", json!({"generation": 1}), Some("actor.started")),
            ("actor_started", json!({"generation": 2}), Some("actor.restarted")),
            ("task_progress", json!({}), None),
        ] {
            assert_eq!(of(&event(kind, data)), name, "{kind}");
        }
        let names: BTreeSet<&str> = all().collect();
        assert_eq!(names.len(), TABLE.len());
    }

    #[test]
    fn wildcards_stand_for_whole_names() {
        let some = wanted(&["deployment.*", "error.critical"]).unwrap();
        assert!(some.contains("deployment.failed") && some.contains("error.critical"));
        assert!(!some.contains("error.error") && !some.contains("deployments.failed"));
        assert!(wanted(&["*"]).unwrap().contains("webhook.disabled"));
        for bad in [
            &[][..],
            &["deployment"],
            &["deploy.*"],
            &["*.failed"],
            &["deployment.f*"],
            &["", "*"],
        ] {
            assert!(wanted(bad).is_err(), "{bad:?}");
        }
    }
}
