//! The agents that there are: a table from the configuration, the same for as long as the program runs.

use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

use super::Agent;
use crate::{
    Error,
    agent_zero::{self, HOW_TO_CONFIGURE},
};

/// Names that people who know the old product use. They can be bound to any agent.
const PRODUCT_NAMES: [&str; 3] = [agent_zero::NAME, "zenith", "gen-agent"];

/// What an agent is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// So many tasks at a time.
    pub concurrency: u32,
    /// After so many failed attempts a task has failed, unless it says otherwise.
    pub max_attempts: i32,
    /// An attempt may take this long, unless the task says otherwise.
    pub timeout: Duration,
    /// More tasks than this do not wait for it.
    pub max_waiting: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            concurrency: 2,
            max_attempts: 3,
            timeout: Duration::from_secs(3600),
            max_waiting: 10_000,
        }
    }
}

/// An agent and what it is allowed.
#[derive(Clone)]
pub struct Entry {
    /// The agent.
    pub agent: Arc<dyn Agent>,
    /// What it is allowed.
    pub limits: Limits,
}

/// The table. Cheap to clone.
#[derive(Clone, Default)]
pub struct Agents(Arc<BTreeMap<String, Entry>>);

impl Agents {
    /// Makes the table; the names are what tasks call `agent_type`.
    pub fn new(entries: impl IntoIterator<Item = (String, Entry)>) -> Self {
        Self(Arc::new(entries.into_iter().collect()))
    }

    /// Finds an agent.
    ///
    /// # Errors
    /// Says which agents there are, and how a well known one that is not among them would be configured.
    pub fn entry(&self, agent_type: &str) -> Result<&Entry, Error> {
        self.0.get(agent_type).ok_or_else(|| Error::InvalidField {
            field: "agent_type".to_owned(),
            reason: self.why_unknown(agent_type),
        })
    }

    /// Finds an agent, if it is there.
    pub fn find(&self, agent_type: &str) -> Option<&Entry> {
        self.0.get(agent_type)
    }

    /// Iterates over names and agents in the order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Entry)> {
        self.0.iter().map(|(name, entry)| (name.as_str(), entry))
    }

    fn why_unknown(&self, agent_type: &str) -> String {
        if PRODUCT_NAMES.contains(&agent_type) {
            let of_agent_zero = match agent_type {
                agent_zero::NAME => HOW_TO_CONFIGURE.to_owned(),
                _ => format!("{HOW_TO_CONFIGURE}, with `kind = \"agent-zero\"` in `[agents.{agent_type}]`"),
            };
            return format!(
                "names `{agent_type}`, which is not configured; {of_agent_zero}, or add a table \
                 `[agents.{agent_type}]` to borgos.toml with `kind = \"command\"` and a `command`, or with `kind = \
                 \"llm\"` and a `base_url`, and restart BorgOS"
            );
        }
        if self.0.is_empty() {
            return "must be a configured agent, and there is none; add a table `[agents.NAME]` to borgos.toml"
                .to_owned();
        }
        let names: Vec<String> = self.0.keys().map(|name| format!("`{name}`")).collect();
        format!("must be one of the configured agents: {}", names.join(", "))
    }
}

/// Shows the names only; agents can hold keys.
impl fmt::Debug for Agents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_well_known_name_that_is_not_configured_says_how_it_would_be() {
        let refusal = |name| {
            Agents::default()
                .entry(name)
                .err()
                .map(|error| error.to_string())
                .unwrap()
        };
        for how in ["BORGOS_AGENT_ZERO_DIR", "[agents.agent-zero]"] {
            assert!(refusal("agent-zero").contains(how), "{how}");
        }
        for how in ["BORGOS_AGENT_ZERO_DIR", "agent-zero", "[agents.zenith]"] {
            assert!(refusal("zenith").contains(how), "{how}");
        }
        assert!(refusal("anything").contains("there is none"));
    }
}
