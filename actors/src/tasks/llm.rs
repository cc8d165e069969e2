//! The agent `llm`: one question to a language model that speaks the chat completions protocol of OpenAI.
//!
//! The key is sent to the configured address and nowhere else; it is in no log, no error and no row.

mod answer;
mod client;

use std::fmt;

use async_trait::async_trait;
use reqwest::Url;
use serde_json::{Value, json};

pub use self::client::Client;
use super::{Agent, Attempt, Control, Failure, Health, Output};
use crate::value::Secrets;

/// Which model is asked, and how.
#[derive(Clone, PartialEq, Eq)]
pub struct Settings {
    /// Where it is, such as `https://api.openai.com/v1`.
    pub base_url: Url,
    /// The model's name there.
    pub model: String,
    /// The key, if one is needed.
    pub key: Option<String>,
    /// Said to the model before each task.
    pub system_prompt: Option<String>,
    /// The most tokens that an answer may have.
    pub max_tokens: Option<u32>,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("base_url", &self.base_url.as_str())
            .field("model", &self.model)
            .field("key", &self.key.as_ref().map(|_| "***"))
            .finish_non_exhaustive()
    }
}

/// The agent.
pub struct LlmAgent {
    client: Client,
}

impl LlmAgent {
    /// Prepares an agent.
    ///
    /// # Errors
    /// Fails when no connection could ever be made, such as without a TLS provider.
    pub fn new(settings: Settings) -> reqwest::Result<Self> {
        Ok(Self {
            client: Client::new(settings)?,
        })
    }

    async fn ask(&self, attempt: &Attempt) -> Result<Output, Failure> {
        let answer = self
            .client
            .complete(&self.question(attempt), Some(&attempt.key))
            .await?;
        answer::output(&answer)
    }

    fn question(&self, attempt: &Attempt) -> Value {
        let settings = self.client.settings();
        let system = settings.system_prompt.iter();
        let system = system.map(|prompt| json!({"role": "system", "content": prompt}));
        let user = json!({"role": "user", "content": attempt.prompt()});
        let mut question = json!({
            "model": settings.model,
            "messages": system.chain([user]).collect::<Vec<_>>(),
        });
        if let Some(max_tokens) = settings.max_tokens {
            question["max_tokens"] = Value::from(max_tokens);
        }
        question
    }
}

#[async_trait]
impl Agent for LlmAgent {
    fn kind(&self) -> &'static str {
        "llm"
    }

    async fn secrets(&self) -> Secrets {
        let key = self.client.settings().key.as_deref();
        Secrets::among(key.map(|key| ("KEY", key)))
    }

    /// Whether a model answers is known only by asking, which costs; so its settings are all that is looked at.
    async fn health(&self) -> Health {
        Health::Available
    }

    async fn run(&self, attempt: Attempt, control: Control) -> Result<Output, Failure> {
        // A question that is given up ends with its connection.
        tokio::select! {
            answer = self.ask(&attempt) => answer,
            _ = control.stopped() => Err(Failure::stopped()),
        }
    }
}

#[cfg(test)]
mod tests;
