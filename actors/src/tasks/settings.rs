//! Agents as the configuration describes them.

use std::sync::Arc;

use super::{
    Agent, Agents, Entry, Limits,
    command::{self, CommandAgent},
    llm::{self, LlmAgent},
};
use crate::agent_zero::{AgentZero, AgentZeroAgent};

/// One agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentSettings {
    /// What tasks call `agent_type`.
    pub name: String,
    /// What it is allowed.
    pub limits: Limits,
    /// What it is.
    pub kind: AgentKind,
}

/// What an agent is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AgentKind {
    /// A program that is started for each task.
    Command(command::Settings),
    /// A language model that is asked.
    Llm(llm::Settings),
    /// Agent Zero, as it is configured.
    AgentZero,
}

impl Agents {
    /// Prepares the agents.
    ///
    /// # Errors
    /// Fails when a model could never be asked, such as without a TLS provider.
    pub fn prepare(settings: Vec<AgentSettings>, agent_zero: &AgentZero) -> reqwest::Result<Self> {
        let entries = settings.into_iter().map(|AgentSettings { name, limits, kind }| {
            let agent: Arc<dyn Agent> = match kind {
                AgentKind::Command(settings) => Arc::new(CommandAgent::new(settings)),
                AgentKind::Llm(settings) => Arc::new(LlmAgent::new(settings)?),
                AgentKind::AgentZero => Arc::new(AgentZeroAgent::new(agent_zero.clone())),
            };
            Ok((name, Entry { agent, limits }))
        });
        Ok(Self::new(entries.collect::<reqwest::Result<Vec<_>>>()?))
    }
}
