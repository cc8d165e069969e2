//! Asks a service that speaks the chat completions protocol, whatever the question is.

use std::time::Duration;

use reqwest::{Client as Http, Response, StatusCode, Url, redirect};
use serde_json::Value;

use super::{Settings, answer};
use crate::{error::chain, tasks::Failure};

const CONNECT_DEADLINE: Duration = Duration::from_secs(10);
/// A model thinks for minutes; a connection on which nothing comes for longer is dead.
const ANSWER_DEADLINE: Duration = Duration::from_secs(600);
/// The largest answer that is read.
const MAX_ANSWER_BYTES: usize = 4 * 1024 * 1024;
/// How much of a refusal is repeated.
const MAX_REASON_CHARS: usize = 500;

/// Asks one model. The key is sent to the configured address and nowhere else.
#[derive(Debug, Clone)]
pub struct Client {
    settings: Settings,
    http: Http,
    endpoint: Url,
}

impl Client {
    /// Prepares a client.
    ///
    /// # Errors
    /// Fails when no connection could ever be made, such as without a TLS provider.
    pub fn new(settings: Settings) -> reqwest::Result<Self> {
        let http = Http::builder()
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
            http,
            endpoint,
        })
    }

    /// Returns which model is asked, and how.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Asks, and returns the answer as it came. A service that knows `idempotency_key` answers the same question once.
    ///
    /// # Errors
    /// Says why there is no answer, and whether another attempt could help.
    pub async fn complete(&self, question: &Value, idempotency_key: Option<&str>) -> Result<Vec<u8>, Failure> {
        let mut request = self.http.post(self.endpoint.clone()).json(question);
        if let Some(key) = idempotency_key {
            request = request.header("Idempotency-Key", key);
        }
        if let Some(key) = &self.settings.key {
            request = request.bearer_auth(key);
        }
        let response = request.send().await.map_err(unreachable)?;
        let status = response.status();
        let body = body(response).await?;
        match status.is_success() {
            true => Ok(body),
            false => Err(self.refusal(status, &body)),
        }
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
    let causes = chain(&error.without_url());
    Failure::passing(
        "llm_unavailable",
        format!("the model's service did not answer: {causes}"),
    )
}
