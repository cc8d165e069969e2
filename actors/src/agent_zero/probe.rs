//! Finds out whether Agent Zero answers, which version it is and how to talk to it.

use std::{io, time::Duration};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, header};
use serde::Deserialize;
use serde_json::json;

use super::{
    http::{Answer, exchange},
    installation::{Credentials, Token},
};
use crate::value::Port;

/// Where the API is: below `/api` since version 0.9.9, at the root before.
const PREFIXES: [&str; 2] = ["/api", ""];
/// A chat that does not exist: asking for it shows whether the key is accepted.
const NO_CHAT: &str = "borg-probe";

/// How to talk to the Agent Zero that runs.
#[derive(Debug, Clone)]
pub(super) struct Api {
    pub(super) port: Port,
    /// Before each path of the API.
    pub(super) prefix: &'static str,
    /// As it tells it.
    pub(super) version: Option<String>,
    /// Accepted as `X-API-KEY`, where it has an API for programs.
    pub(super) token: Option<Token>,
    /// What its page wants to be told.
    pub(super) login: Option<(String, Token)>,
    /// Whoever looks at a chat must say where its user is.
    pub(super) timezone: String,
    /// Which start this was: a task of another one is lost.
    pub(super) run: i64,
}

/// What `health` said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Health {
    /// It answers.
    Well {
        /// Where its API is.
        prefix: &'static str,
        /// Its version, if it knows it.
        version: Option<String>,
    },
    /// It does not, or somebody else does.
    Absent(String),
}

#[derive(Deserialize)]
struct HealthBody {
    gitinfo: Option<GitInfo>,
}

#[derive(Deserialize)]
struct GitInfo {
    short_tag: Option<String>,
    version: Option<String>,
}

/// Asks once for its health.
pub(super) async fn health(port: Port, deadline: Duration) -> Health {
    let mut reason = String::new();
    for prefix in PREFIXES {
        match get(port, &format!("{prefix}/health"), deadline).await {
            Ok(answer) => match understood(&answer) {
                Some(version) => return Health::Well { prefix, version },
                None => reason = format!("`{prefix}/health` answered {} and not as Agent Zero", answer.status),
            },
            Err(cause) => return Health::Absent(format!("`{prefix}/health` did not answer: {cause}")),
        }
    }
    Health::Absent(reason)
}

/// Completes what is known about how to talk to it: tries the key that its installation should accept.
pub(super) async fn identify(
    port: Port,
    health: (&'static str, Option<String>),
    credentials: Credentials,
    run: i64,
    deadline: Duration,
) -> io::Result<Api> {
    let (prefix, version) = health;
    let is_accepted = match &credentials.token {
        Some(token) => accepts(port, prefix, token, deadline).await?,
        None => false,
    };
    if !is_accepted {
        tracing::warn!("Agent Zero takes no key of ours; its page's own API is used alone");
    }
    Ok(Api {
        port,
        prefix,
        version,
        token: credentials.token.filter(|_| is_accepted),
        login: credentials.login,
        timezone: credentials.timezone,
        run,
    })
}

async fn get(port: Port, path: &str, deadline: Duration) -> io::Result<Answer> {
    let request = Request::get(path).body(Full::default()).map_err(io::Error::other)?;
    exchange(port, request, deadline).await
}

async fn accepts(port: Port, prefix: &str, token: &Token, deadline: Duration) -> io::Result<bool> {
    let body = json!({"context_id": NO_CHAT, "length": 1}).to_string();
    let request = Request::post(format!("{prefix}/api_log_get"))
        .header(header::CONTENT_TYPE, "application/json")
        .header("X-API-KEY", token.expose())
        .body(Full::new(Bytes::from(body)))
        .map_err(io::Error::other)?;
    let answer = exchange(port, request, deadline).await?;
    // Without an API for programs it is a page of HTML that says 404.
    Ok(answer.status == 404 && answer.text.contains("Context not found"))
}

/// Returns the version if this is an answer of Agent Zero's. 0.8 with a login answers 401 at the root.
fn understood(answer: &Answer) -> Option<Option<String>> {
    let is_basic = |value: &header::HeaderValue| value.as_bytes().starts_with(b"Basic");
    if answer.status == 401 && answer.headers.get(header::WWW_AUTHENTICATE).is_some_and(is_basic) {
        return Some(None);
    }
    let value: serde_json::Value = serde_json::from_str(&answer.text).ok()?;
    // `null` without a repository, and healthy all the same.
    value.get("gitinfo").filter(|_| answer.status == 200)?;
    let body: HealthBody = serde_json::from_value(value).ok()?;
    Some(body.gitinfo.and_then(|info| info.short_tag.or(info.version)))
}

#[cfg(test)]
mod tests {
    use hyper::HeaderMap;

    use super::*;

    fn answer(status: u16, text: &str) -> Answer {
        Answer {
            status,
            headers: HeaderMap::new(),
            text: text.to_owned(),
        }
    }

    #[test]
    fn only_agent_zero_is_taken_for_agent_zero() {
        let tagged = r#"{"gitinfo": {"short_tag": "v1.7", "version": "M v1.7", "branch": "main"}, "error": null}"#;
        assert_eq!(understood(&answer(200, tagged)), Some(Some("v1.7".to_owned())));
        let detached = r#"{"gitinfo": null, "error": "no repository"}"#;
        assert_eq!(understood(&answer(200, detached)), Some(None));
        for (status, text) in [(200, "{}"), (200, "ok"), (404, tagged), (401, "no")] {
            assert_eq!(understood(&answer(status, text)), None, "{status} {text}");
        }
        let mut basic = answer(401, "Could not verify your access level");
        basic.headers.insert(
            header::WWW_AUTHENTICATE,
            header::HeaderValue::from_static("Basic realm=\"x\""),
        );
        assert_eq!(understood(&basic), Some(None));
    }
}
