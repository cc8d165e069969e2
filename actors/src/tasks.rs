//! Tasks of agents: accepted work gets done.
//!
//! A task that was accepted is a row, and stays one until it has ended. Whoever works on it holds a lease; every write of
//! a worker carries the task, the attempt and the owner, so that one who lost the lease cannot write any more. A task is
//! done at least once: what an agent does outside can be repeated after a crash, never by two owners at one time.

mod agent;
mod agents;
pub mod command;
mod leftovers;
mod line;
pub mod llm;
pub mod queue;
mod runner;
mod running;
mod settings;
mod view;
mod worker;

#[cfg(test)]
mod tests;

use std::path::Path;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::{
    Error, event_bus,
    id::{ProjectId, TaskId},
    store::{
        Store,
        tasks::{self, Created, NewTask, State, Task},
    },
    supervision::Handle,
};

pub use agent::{Agent, Attempt, Control, Failure, Health, Output, Project, Prospect, Stop};
pub use agents::{Agents, Entry, Limits};
pub use settings::{AgentKind, AgentSettings};
pub use view::AgentView;

/// The priority of tasks that do not name one.
pub const USUAL_PRIORITY: i32 = 1;

/// How much of a name that no agent has is repeated.
const MAX_SHOWN_CHARS: usize = 64;

/// What somebody wants done.
#[derive(Debug, Clone)]
pub struct TaskRequest {
    /// The project that it is about.
    pub project_id: Option<ProjectId>,
    /// Which agent is to do it.
    pub agent_type: String,
    /// What kind of task it is.
    pub task_type: String,
    /// What is to be done.
    pub description: String,
    /// Larger runs first.
    pub priority: i32,
    /// What the agent is given.
    pub input_data: serde_json::Value,
    /// Not to be run before.
    pub run_at: Option<DateTime<Utc>>,
    /// After how many failed attempts it has failed; by default what the agent allows.
    pub max_attempts: Option<i32>,
    /// How long an attempt may take, in seconds; by default what the agent allows.
    pub timeout_s: Option<i64>,
    /// While a task with this key is unfinished no other is created.
    pub unique_key: Option<String>,
    /// As long as a task with this key is known no other is created.
    pub idempotency_key: Option<String>,
}

/// What people can do with tasks. The row is written first, then the queue is told. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Tasks {
    store: Store,
    agents: Agents,
    queue: Handle<queue::Message>,
    events: Handle<event_bus::Message>,
}

impl Tasks {
    /// Brings the parts together.
    pub fn new(
        store: Store,
        agents: Agents,
        queue: Handle<queue::Message>,
        events: Handle<event_bus::Message>,
    ) -> Self {
        Self {
            store,
            agents,
            queue,
            events,
        }
    }

    /// Accepts a task. Once this returns it is not lost any more.
    ///
    /// # Errors
    /// Fails for an agent that is not configured, a project that is not there, when too many tasks wait, or when a key
    /// came with another task.
    pub async fn create(&self, request: TaskRequest) -> Result<Created, Error> {
        let (new, max_waiting) = self.checked(request)?;
        let created = tasks::create(&self.store, &new, max_waiting).await?;
        self.tell(queue::Message::Wake);
        Ok(created)
    }

    /// Accepts tasks that have no keys, all of them or none, and returns their ids in the same order.
    ///
    /// # Errors
    /// Those of [`Tasks::create`].
    pub async fn create_all(&self, requests: Vec<TaskRequest>) -> Result<Vec<TaskId>, Error> {
        let checked = requests.into_iter().enumerate().map(|(index, request)| {
            self.checked(request).map_err(|error| match error {
                Error::InvalidField { field, reason } => Error::InvalidField {
                    field: format!("tasks[{index}].{field}"),
                    reason,
                },
                other => other,
            })
        });
        let new = checked.collect::<Result<Vec<_>, _>>()?;
        let ids = tasks::create_all(&self.store, &new).await?;
        self.tell(queue::Message::Wake);
        Ok(ids)
    }

    /// Completes a request by what its agent allows, and returns with it how many tasks of that may wait.
    fn checked(&self, request: TaskRequest) -> Result<(NewTask, u64), Error> {
        let Entry { agent, limits } = self.agents.entry(&request.agent_type)?;
        check(agent.as_ref(), &request)?;
        let new = NewTask {
            project_id: request.project_id,
            agent_type: request.agent_type,
            task_type: request.task_type,
            description: request.description,
            priority: request.priority,
            input_data: request.input_data,
            run_at: request.run_at,
            max_attempts: request.max_attempts.unwrap_or(limits.max_attempts),
            timeout_s: request.timeout_s,
            unique_key: request.unique_key,
            idempotency_key: request.idempotency_key,
        };
        Ok((new, limits.max_waiting))
    }

    /// Calls a task off. One that runs is told at once, and has ended when its state says so.
    ///
    /// # Errors
    /// Those of [`tasks::cancel`].
    pub async fn cancel(&self, task: TaskId) -> Result<Task, Error> {
        let row = tasks::cancel(&self.store, task).await?;
        if row.state == State::Running {
            self.tell(queue::Message::Cancel { task });
        }
        event_bus::nudge(&self.events);
        Ok(row)
    }

    /// Has a task that failed or was called off tried again.
    ///
    /// # Errors
    /// Those of [`tasks::retry`].
    pub async fn retry(&self, task: TaskId) -> Result<Task, Error> {
        let row = tasks::retry(&self.store, task).await?;
        self.tell(queue::Message::Wake);
        Ok(row)
    }

    /// Gives an agent no more tasks; what it has begun goes on.
    ///
    /// # Errors
    /// Fails when there is no such agent.
    pub async fn pause(&self, agent_type: &str) -> Result<(), Error> {
        self.check_agent(agent_type)?;
        tasks::pause(&self.store, agent_type).await?;
        event_bus::nudge(&self.events);
        Ok(())
    }

    /// Gives an agent tasks again.
    ///
    /// # Errors
    /// Fails when there is no such agent.
    pub async fn resume(&self, agent_type: &str) -> Result<(), Error> {
        self.check_agent(agent_type)?;
        tasks::resume(&self.store, agent_type).await?;
        self.tell(queue::Message::Wake);
        Ok(())
    }

    fn check_agent(&self, agent_type: &str) -> Result<(), Error> {
        match self.agents.find(agent_type) {
            Some(_) => Ok(()),
            None => Err(Error::NotFound {
                kind: "Agent",
                id: agent_type.chars().take(MAX_SHOWN_CHARS).collect(),
            }),
        }
    }

    /// A hint: the queue looks by itself as well.
    fn tell(&self, message: queue::Message) {
        if let Err(error) = self.queue.cast(message) {
            tracing::debug!(%error, "the task queue took no hint");
        }
        event_bus::nudge(&self.events);
    }
}

/// Refuses what the agent could never carry out.
fn check(agent: &dyn Agent, request: &TaskRequest) -> Result<(), Error> {
    let name = &request.agent_type;
    if agent.needs_project() && request.project_id.is_none() {
        return Err(Error::InvalidField {
            field: "project_id".to_owned(),
            reason: format!("is required by `{name}`, which works in a project's directory"),
        });
    }
    let Some(max_bytes) = agent.max_prompt_bytes() else {
        return Ok(());
    };
    match agent::prompt(&request.description, &request.input_data).len() {
        num_bytes if num_bytes > max_bytes => Err(Error::InvalidField {
            field: "description".to_owned(),
            reason: format!(
                "and `input_data` have {num_bytes} bytes as a prompt, and `{name}` takes it as an argument of at most \
                 {max_bytes}"
            ),
        }),
        _ => Ok(()),
    }
}

/// Returns the id of the installation in a data directory, which it keeps from the first call on.
///
/// # Errors
/// Fails when the directory cannot be read or written.
pub fn node(data_dir: &Path) -> std::io::Result<Uuid> {
    let path = data_dir.join("node-id");
    match std::fs::read_to_string(&path) {
        Ok(text) => Uuid::parse_str(text.trim()).map_err(std::io::Error::other),
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => {
            let node = Uuid::new_v4();
            // Never half a file: another id would leave tasks to wait for the end of their leases.
            let unfinished = path.with_extension("unfinished");
            std::fs::write(&unfinished, node.to_string())?;
            std::fs::rename(&unfinished, &path)?;
            Ok(node)
        }
        Err(cause) => Err(cause),
    }
}
