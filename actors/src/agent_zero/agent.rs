//! Agent Zero as an agent of the task queue: an attempt at a task is a prompt in a chat of its own.
//!
//! While Agent Zero does not run its tasks wait, and no attempt is begun. One that ends with it is made again.

use std::time::Duration;

use async_trait::async_trait;
use serde_json::json;

use super::{AgentZero, Class, Limits, Step, client, prompt};
use crate::{
    store::tasks::Progress,
    tasks::{Agent, Attempt, Control, Failure, Health, Output},
    value::Secrets,
};

/// The agent that there is as soon as BorgOS knows where Agent Zero is.
pub const NAME: &str = "agent-zero";
/// So many tasks at a time unless the configuration says otherwise. It has ten threads that answer its page, its programs
/// and us, and with all of them held it is taken for dead.
pub const CONCURRENCY: u32 = 6;
/// The longest that any attempt may take. When this one has to end its queue knows, and says.
const LONGEST: Duration = Duration::from_secs(24 * 3600);
/// How much of a step is reported.
const MAX_STEP_CHARS: usize = 500;

/// The agent.
pub(crate) struct AgentZeroAgent {
    agent_zero: AgentZero,
}

impl AgentZeroAgent {
    pub(crate) fn new(agent_zero: AgentZero) -> Self {
        Self { agent_zero }
    }
}

#[async_trait]
impl Agent for AgentZeroAgent {
    fn kind(&self) -> &'static str {
        NAME
    }

    fn is_ready(&self) -> bool {
        self.agent_zero.is_ready()
    }

    async fn secrets(&self) -> Secrets {
        self.agent_zero.secrets().await
    }

    async fn health(&self) -> Health {
        match self.agent_zero.complaint() {
            None => Health::Available,
            Some(complaint) => Health::Unavailable(complaint),
        }
    }

    async fn run(&self, attempt: Attempt, control: Control) -> Result<Output, Failure> {
        let limits = Limits {
            duration: LONGEST,
            ..Limits::default()
        };
        let mut report = |step: Step| {
            if is_news(&step) {
                control.offer(Progress::new(describe(&step)));
            }
        };
        let stopped = async {
            control.stopped().await;
        };
        let outcome = self
            .agent_zero
            .run_prompt(
                &prompt::of(&attempt),
                &chat(&attempt.key),
                &limits,
                &mut report,
                stopped,
            )
            .await;
        match outcome {
            Ok(outcome) => Ok(Output(json!({"content": outcome.text, "num_steps": outcome.num_items}))),
            Err(failure) => Err(failed(failure)),
        }
    }
}

/// Names the chat of an attempt. Agent Zero keeps chats in directories of their names.
fn chat(key: &str) -> String {
    key.replace('/', "-")
}

/// Its greeting and our own message are none.
fn is_news(step: &Step) -> bool {
    step.number > 0 && step.kind != "user"
}

fn describe(step: &Step) -> String {
    let parts = [&step.kind, &step.heading, &step.content].map(|part| part.trim());
    let mut said: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    said.dedup();
    said.join(": ").chars().take(MAX_STEP_CHARS).collect()
}

fn failed(failure: client::Failure) -> Failure {
    let kind = failure.class.as_str();
    match (failure.class, failure.class.retry_after()) {
        (Class::Cancelled, _) => Failure::stopped(),
        (Class::Interrupted, _) => Failure::lost(failure.message),
        (_, Some(pause)) => Failure::passing(kind, failure.message).with_min_pause(pause),
        (_, None) => Failure::lasting(kind, failure.message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tasks::Prospect;

    #[test]
    fn only_what_passes_by_itself_is_tried_again() {
        for (class, kind, prospect, min_seconds) in [
            (Class::LlmAuth, "llm_auth", Prospect::Lasting, 0),
            (Class::TooManySteps, "too_many_steps", Prospect::Lasting, 0),
            (Class::RateLimited, "rate_limited", Prospect::Passing, 30),
            (Class::NotRunning, "not_running", Prospect::Passing, 15),
            (Class::Unusable, "unusable", Prospect::Passing, 30),
            (Class::Interrupted, "lost", Prospect::Lost, 0),
        ] {
            let message = "why".to_owned();
            let failure = failed(client::Failure { class, message });
            assert_eq!((failure.kind, failure.prospect), (kind, prospect));
            assert_eq!(failure.min_pause.as_secs(), min_seconds, "{class:?}");
        }
    }

    #[test]
    fn a_step_is_described_by_its_kind_its_heading_and_its_text() {
        let step = |heading: &str, content: &str| Step {
            number: 1,
            kind: "tool".to_owned(),
            heading: heading.to_owned(),
            content: content.to_owned(),
        };
        assert_eq!(describe(&step("Using `memory`", " x ")), "tool: Using `memory`: x");
        assert_eq!(describe(&step("tool", "")), "tool");
        assert_eq!(describe(&step("", &"x".repeat(9000))).chars().count(), MAX_STEP_CHARS);
    }
}
