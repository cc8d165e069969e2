//! What people see of agents: how they are, and why a task waits for one.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;
use tokio::time::timeout;

use super::{Agent, Entry, Health, Limits, Tasks};
use crate::{
    Error,
    store::tasks::{self, Load, State, Task},
};

/// How long an agent may take to say how it is.
const HEALTH_PATIENCE: Duration = Duration::from_secs(2);

/// An agent as people see it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "Agent")]
pub struct AgentView {
    agent_type: String,
    /// Nothing for one that is not configured any more, and that tasks still wait for.
    kind: Option<&'static str>,
    is_paused: bool,
    #[serde(flatten)]
    load: Load,
    #[serde(flatten)]
    limits: Option<LimitsView>,
    health: Health,
}

#[derive(Debug, Clone, Serialize, JsonSchema)]
struct LimitsView {
    concurrency: u32,
    max_attempts: i32,
    timeout_s: u64,
    max_waiting: u64,
}

impl From<Limits> for LimitsView {
    fn from(limits: Limits) -> Self {
        Self {
            concurrency: limits.concurrency,
            max_attempts: limits.max_attempts,
            timeout_s: limits.timeout.as_secs(),
            max_waiting: limits.max_waiting,
        }
    }
}

impl Tasks {
    /// Lists the configured agents, and then those that are not and that tasks wait for.
    ///
    /// # Errors
    /// Fails when the database does.
    pub async fn agents(&self) -> Result<Vec<AgentView>, Error> {
        let paused = tasks::paused(&self.store).await?;
        let mut loads = tasks::loads(&self.store).await?;
        let mut views: Vec<AgentView> = Vec::new();
        for (name, Entry { agent, limits }) in self.agents.iter() {
            views.push(AgentView {
                agent_type: name.to_owned(),
                kind: Some(agent.kind()),
                is_paused: paused.contains(name),
                load: loads.remove(name).unwrap_or_default(),
                limits: Some((*limits).into()),
                health: Health::Available,
            });
        }
        let healths = self.agents.iter().map(|(_, entry)| health(entry.agent.as_ref()));
        for (view, health) in views.iter_mut().zip(futures_util::future::join_all(healths).await) {
            view.health = health;
        }
        views.extend(loads.into_iter().map(|(name, load)| AgentView {
            kind: None,
            is_paused: paused.contains(&name),
            load,
            limits: None,
            health: Health::Unavailable(not_configured(&name)),
            agent_type: name,
        }));
        Ok(views)
    }

    /// Says what a task waits for, unless that is its turn or its time.
    ///
    /// # Errors
    /// Fails when the database does.
    pub async fn obstacle(&self, task: &Task) -> Result<Option<String>, Error> {
        let name = &task.agent_type;
        if !State::WAITING.contains(&task.state) {
            return Ok(None);
        }
        let Some(Entry { agent, .. }) = self.agents.find(name) else {
            return Ok(Some(not_configured(name)));
        };
        if tasks::paused(&self.store).await?.contains(name) {
            return Ok(Some(format!("`{name}` is paused")));
        }
        if agent.is_ready() {
            return Ok(None);
        }
        Ok(match health(agent.as_ref()).await {
            Health::Available => None,
            Health::Unavailable(reason) => Some(reason),
        })
    }
}

fn not_configured(name: &str) -> String {
    format!("no agent `{name}` is configured; the task waits until one is, or until it is cancelled")
}

async fn health(agent: &dyn Agent) -> Health {
    let patience = HEALTH_PATIENCE.as_secs();
    timeout(HEALTH_PATIENCE, agent.health())
        .await
        .unwrap_or_else(|_| Health::Unavailable(format!("did not say within {patience} s how it is")))
}
