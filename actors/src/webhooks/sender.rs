//! One attempt to deliver a message: signed as Standard Webhooks has it, without redirects, and never longer than promised.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::Utc;
use hmac::{Hmac, KeyInit, Mac};
use reqwest::{
    Client, Response,
    header::{CONTENT_TYPE, RETRY_AFTER},
    redirect,
};
use sha2::Sha256;

use super::address::{Addresses, Refused};
use crate::{
    error::chain,
    value::{Network, WebhookSecret, WebhookUrl},
};

const CONNECT_DEADLINE: Duration = Duration::from_secs(5);
/// A target has so long for all of its answer.
const ANSWER_DEADLINE: Duration = Duration::from_secs(15);
/// How much of an answer is read, and kept for whoever looks for a fault.
const MAX_RESPONSE_BYTES: usize = 1024;

/// What came of an attempt.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attempt {
    /// What the target answered, if it did.
    pub response_status: Option<u16>,
    /// The beginning of its answer.
    pub response: Option<String>,
    /// How long it took.
    pub duration: Duration,
    /// Why there was no answer, or why it is none.
    pub error: Option<String>,
    /// How long the target wants to be left alone.
    pub(crate) retry_after: Option<Duration>,
}

impl Attempt {
    /// Says whether the target has the message; an answer that broke off after its head says so, too.
    pub fn is_success(&self) -> bool {
        self.response_status.is_some_and(|status| (200..300).contains(&status))
    }
}

/// A message, ready to be sent.
#[derive(Debug, Clone)]
pub(super) struct Outgoing {
    pub(super) url: WebhookUrl,
    pub(super) secret: WebhookSecret,
    /// The same in every attempt, so that a target tells a repetition.
    pub(super) message_id: String,
    pub(super) payload: String,
}

/// Sends messages. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Sender {
    http: Client,
    addresses: Addresses,
}

impl Sender {
    /// Prepares to send to the world outside, and to these networks.
    ///
    /// # Errors
    /// Fails when no connection could ever be made, such as without a TLS provider.
    pub fn new(allowed: &[Network]) -> reqwest::Result<Self> {
        let addresses = Addresses::new(allowed);
        let http = Client::builder()
            .user_agent(concat!("BorgOS/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_DEADLINE)
            .timeout(ANSWER_DEADLINE)
            .redirect(redirect::Policy::none())
            // A proxy would connect to what we have not looked at.
            .no_proxy()
            .dns_resolver(Arc::new(addresses.clone()))
            // Each attempt resolves, and is checked, anew.
            .pool_max_idle_per_host(0)
            .build()?;
        Ok(Self { http, addresses })
    }

    /// Checks a target before anything is sent to it.
    ///
    /// # Errors
    /// Names an address that is refused.
    pub(super) fn check(&self, url: &WebhookUrl) -> Result<(), Refused> {
        self.addresses.check(url.as_url())
    }

    /// Sends a message.
    pub(super) async fn send(&self, message: &Outgoing) -> Attempt {
        let started = Instant::now();
        let mut attempt = match self.check(&message.url) {
            Ok(()) => self.post(message).await,
            Err(refused) => failed(refused.to_string()),
        };
        attempt.duration = started.elapsed();
        attempt
    }

    async fn post(&self, message: &Outgoing) -> Attempt {
        let timestamp = Utc::now().timestamp();
        let request = self
            .http
            .post(message.url.as_url().clone())
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-id", &message.message_id)
            .header("webhook-timestamp", timestamp)
            .header("webhook-signature", signature(message, timestamp))
            .body(message.payload.clone());
        match request.send().await {
            Ok(response) => answered(response).await,
            Err(error) => failed(reason(error)),
        }
    }
}

async fn answered(response: Response) -> Attempt {
    let status = response.status();
    let retry_after = response.headers().get(RETRY_AFTER);
    let retry_after = retry_after.and_then(|value| value.to_str().ok()?.trim().parse().ok());
    let (text, error) = beginning(response).await;
    let error = error.or_else(|| (!status.is_success()).then(|| format!("the target answered {status}")));
    Attempt {
        response_status: Some(status.as_u16()),
        response: Some(text),
        error,
        retry_after: retry_after.map(Duration::from_secs),
        ..Attempt::default()
    }
}

/// Reads the beginning of an answer, and says if it broke off there. What is longer is left unread.
async fn beginning(mut response: Response) -> (String, Option<String>) {
    let mut bytes = Vec::new();
    let error = loop {
        match response.chunk().await {
            Ok(Some(chunk)) => bytes.extend_from_slice(&chunk[..chunk.len().min(MAX_RESPONSE_BYTES - bytes.len())]),
            Ok(None) => break None,
            Err(error) => break Some(reason(error)),
        }
        if bytes.len() == MAX_RESPONSE_BYTES {
            break None;
        }
    };
    (String::from_utf8_lossy(&bytes).into_owned(), error)
}

fn failed(error: String) -> Attempt {
    Attempt {
        error: Some(error),
        ..Attempt::default()
    }
}

/// The address is left out: many targets have a secret in it.
fn reason(error: reqwest::Error) -> String {
    chain(&error.without_url())
}

fn signature(message: &Outgoing, timestamp: i64) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(message.secret.key()).expect("HMAC takes keys of any length");
    mac.update(format!("{}.{timestamp}.{}", message.message_id, message.payload).as_bytes());
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_signed_as_the_specification_has_it() {
        let message = Outgoing {
            url: WebhookUrl::try_from("https://example.com/".to_owned()).unwrap(),
            secret: WebhookSecret::try_from("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned()).unwrap(),
            message_id: "msg_p5jXN8AQM9LWM0D4loKWxJek".to_owned(),
            payload: r#"{"test": 2432232314}"#.to_owned(),
        };
        assert_eq!(
            signature(&message, 1_614_265_330),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
    }
}
