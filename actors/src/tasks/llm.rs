//! The agent `llm`: one question to a language model that speaks the chat completions protocol of OpenAI.
//!
//! The key is sent to the configured address and nowhere else; it is in no log, no error and no row.

mod answer;

use std::{fmt, time::Duration};

use async_trait::async_trait;
use reqwest::{Client, Response, StatusCode, Url, redirect};
use serde_json::{Value, json};

use super::{Agent, Attempt, Control, Failure, Health, Output};

const CONNECT_DEADLINE: Duration = Duration::from_secs(10);
/// A model thinks for minutes; a connection on which nothing comes for longer is dead.
const ANSWER_DEADLINE: Duration = Duration::from_secs(600);
/// The largest answer that is read.
const MAX_ANSWER_BYTES: usize = 4 * 1024 * 1024;
/// How much of a refusal is repeated.
const MAX_REASON_CHARS: usize = 500;

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
    settings: Settings,
    client: Client,
    endpoint: Url,
}

impl LlmAgent {
    /// Prepares an agent.
    ///
    /// # Errors
    /// Fails when no connection could ever be made, such as without a TLS provider.
    pub fn new(settings: Settings) -> reqwest::Result<Self> {
        let client = Client::builder()
            .connect_timeout(CONNECT_DEADLINE)
            .timeout(ANSWER_DEADLINE)
            // The key must not follow to another address.
            .redirect(redirect::Policy::none())
            .build()?;
        let mut endpoint = settings.base_url.clone();
        let path = format!("{}/chat/completions", endpoint.path().trim_end_matches('/'));
        endpoint.set_path(&path);
        Ok(Self {
            settings,
            client,
            endpoint,
        })
    }

    async fn ask(&self, attempt: &Attempt) -> Result<Output, Failure> {
        let mut request = self.client.post(self.endpoint.clone()).json(&self.question(attempt));
        request = request.header("Idempotency-Key", &attempt.key);
        if let Some(key) = &self.settings.key {
            request = request.bearer_auth(key);
        }
        let response = request.send().await.map_err(unreachable)?;
        let status = response.status();
        let body = body(response).await?;
        match status.is_success() {
            true => answer::output(&body),
            false => Err(self.refusal(status, &body)),
        }
    }

    fn question(&self, attempt: &Attempt) -> Value {
        let system = self.settings.system_prompt.iter();
        let system = system.map(|prompt| json!({"role": "system", "content": prompt}));
        let user = json!({"role": "user", "content": attempt.prompt()});
        let mut question = json!({
            "model": self.settings.model,
            "messages": system.chain([user]).collect::<Vec<_>>(),
        });
        if let Some(max_tokens) = self.settings.max_tokens {
            question["max_tokens"] = Value::from(max_tokens);
        }
        question
    }

    /// Says why the model was not asked. Services repeat parts of keys in what they say, so the key is cut out.
    fn refusal(&self, status: StatusCode, body: &[u8]) -> Failure {
        let said = answer::complaint(body);
        let said = match self.settings.key.as_deref() {
            Some(key) if !key.is_empty() => said.replace(key, "***"),
            _ => said,
        };
        let said: String = said.chars().take(MAX_REASON_CHARS).collect();
        let message = format!("the model's service answered {status}: {said}");
        match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Failure::lasting("llm_auth", message),
            StatusCode::TOO_MANY_REQUESTS => Failure::passing("rate_limited", message),
            StatusCode::REQUEST_TIMEOUT | StatusCode::CONFLICT => Failure::passing("llm_unavailable", message),
            status if status.is_server_error() => Failure::passing("llm_unavailable", message),
            _ => Failure::lasting("llm_refused", message),
        }
    }
}

#[async_trait]
impl Agent for LlmAgent {
    fn kind(&self) -> &'static str {
        "llm"
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

async fn body(mut response: Response) -> Result<Vec<u8>, Failure> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
        if body.len() + chunk.len() > MAX_ANSWER_BYTES {
            let message = format!("the answer has more than {MAX_ANSWER_BYTES} bytes");
            return Err(Failure::lasting("llm_answer", message));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// The address is left out: it may hold a credential.
fn unreachable(error: reqwest::Error) -> Failure {
    let error = error.without_url();
    let mut message = format!("the model's service did not answer: {error}");
    let mut next = std::error::Error::source(&error);
    while let Some(cause) = next {
        message.push_str(&format!(": {cause}"));
        next = cause.source();
    }
    Failure::passing("llm_unavailable", message)
}

#[cfg(test)]
mod tests;
