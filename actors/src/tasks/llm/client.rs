//! Asks a service that speaks the chat completions protocol, whatever the question is.

use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::{
    Client as Http, Response, StatusCode, Url,
    header::{HeaderMap, RETRY_AFTER},
    redirect,
};
use serde_json::Value;

use super::{Settings, answer};
use crate::{error::chain, tasks::Failure};

const CONNECT_DEADLINE: Duration = Duration::from_secs(10);
/// A model thinks for minutes; a connection on which nothing comes for longer is dead.
const ANSWER_DEADLINE: Duration = Duration::from_secs(600);
/// The largest answer that is read.
const MAX_ANSWER_BYTES: usize = 4 * 1024 * 1024;
/// A service that wants to be left alone for longer is asked again all the same.
const MAX_PAUSE: Duration = Duration::from_secs(3600);
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
        let min_pause = retry_after(response.headers(), Utc::now());
        let body = body(response).await?;
        match status.is_success() {
            true => Ok(body),
            false => Err(self.refusal(status, &body).with_min_pause(min_pause)),
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

/// Returns how long a service wants to be left alone, by its clock or in seconds. What makes no sense is nothing.
fn retry_after(headers: &HeaderMap, now: DateTime<Utc>) -> Duration {
    let text = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    let pause = text.and_then(|text| match text.trim().parse() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => (DateTime::parse_from_rfc2822(text.trim()).ok()?.to_utc() - now)
            .to_std()
            .ok(),
    });
    pause.unwrap_or_default().min(MAX_PAUSE)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_left_alone_for_as_long_as_it_says() {
        let now = DateTime::parse_from_rfc3339("2026-11-24T10:00:00Z").unwrap().to_utc();
        for (text, seconds) in [
            ("7", 7),
            ("Tue, 24 Nov 2026 10:02:00 GMT", 120),
            ("Tue, 24 Nov 2026 09:00:00 GMT", 0),
            ("soon", 0),
            ("-1", 0),
            ("99999999", 3600),
        ] {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, text.parse().unwrap())]);
            assert_eq!(retry_after(&headers, now), Duration::from_secs(seconds), "{text}");
        }
    }
}
