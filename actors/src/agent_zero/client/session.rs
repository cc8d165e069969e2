//! A session of Agent Zero's page: a cookie, and a token against forged requests. Both die with the process, and may die
//! before; then a new session is opened, once for a call.

use std::{collections::BTreeMap, io, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http_body_util::Full;
use hyper::{HeaderMap, Request, header, http::request::Builder};
use serde_json::Value;

use crate::agent_zero::{
    http::{Answer, exchange, origin},
    probe::Api,
};

const DEADLINE: Duration = Duration::from_secs(10);
/// The token, a login, and the token again.
const MAX_STEPS: usize = 3;
/// How much of a refusal is repeated.
const MAX_TEXT_CHARS: usize = 4000;

/// Why a call came to nothing.
#[derive(Debug, thiserror::Error)]
pub(in crate::agent_zero) enum Trouble {
    /// No answer came. What was asked may have happened.
    #[error("Agent Zero did not answer: {0}")]
    Unreachable(#[source] io::Error),
    /// It refused.
    #[error("Agent Zero answered {status}: {text}")]
    Refused {
        /// The status.
        status: u16,
        /// What it said.
        text: String,
    },
    /// It answered something else than it should.
    #[error("the answer of Agent Zero cannot be understood: {0}")]
    Unreadable(#[source] io::Error),
}

impl Trouble {
    /// Tells whether the same call may be answered a little later: the server is busy, or just had a fault.
    pub(super) fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable(_) | Self::Unreadable(_) => true,
            Self::Refused { status, .. } => matches!(status, 429 | 500..=599),
        }
    }
}

/// A session.
pub(super) struct Session<'a> {
    api: &'a Api,
    cookies: BTreeMap<String, String>,
    /// Older versions have none.
    csrf_token: Option<String>,
    /// 0.8 asks for the login with each request.
    is_basic: bool,
}

impl<'a> Session<'a> {
    /// Opens one, with a login if the page wants one.
    pub(super) async fn open(api: &'a Api) -> Result<Self, Trouble> {
        let mut session = Self {
            api,
            cookies: BTreeMap::new(),
            csrf_token: None,
            is_basic: false,
        };
        session.renew().await?;
        Ok(session)
    }

    pub(super) fn timezone(&self) -> &'a str {
        &self.api.timezone
    }

    /// Calls a function of the page. A session that has ended is renewed, once.
    pub(super) async fn call(&mut self, name: &str, body: &Value) -> Result<Value, Trouble> {
        let mut answer = self.post(name, body).await?;
        if matches!(answer.status, 302 | 401 | 403) {
            self.renew().await?;
            answer = self.post(name, body).await?;
        }
        match answer.status {
            200 => serde_json::from_str(&answer.text).map_err(|cause| Trouble::Unreadable(cause.into())),
            _ => Err(refusal(&answer)),
        }
    }

    async fn renew(&mut self) -> Result<(), Trouble> {
        self.cookies.clear();
        self.csrf_token = None;
        for _ in 0..MAX_STEPS {
            let path = format!("{}/csrf_token", self.api.prefix);
            let answer = self.send(Request::get(path), Bytes::new()).await?;
            match answer.status {
                200 => return self.take_token(&answer),
                // Before 0.9 there was none.
                404 | 405 => return Ok(()),
                302 | 303 => self.log_in().await?,
                401 if !self.is_basic && self.api.login.is_some() => self.is_basic = true,
                _ => return Err(refusal(&answer)),
            }
        }
        Err(Trouble::Refused {
            status: 401,
            text: "it does not accept the login of its own settings".to_owned(),
        })
    }

    fn take_token(&mut self, answer: &Answer) -> Result<(), Trouble> {
        let body: Value = serde_json::from_str(&answer.text).map_err(|cause| Trouble::Unreadable(cause.into()))?;
        match body["token"].as_str() {
            Some(token) => {
                self.csrf_token = Some(token.to_owned());
                Ok(())
            }
            None => Err(refusal(answer)),
        }
    }

    async fn log_in(&mut self) -> Result<(), Trouble> {
        let Some((name, password)) = &self.api.login else {
            return Err(Trouble::Refused {
                status: 302,
                text: "it wants a login that its settings do not have".to_owned(),
            });
        };
        let form = form(&[("username", name), ("password", password.expose())]);
        let request = Request::post("/login").header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.send(request, form.into()).await.map(drop)
    }

    async fn post(&mut self, name: &str, body: &Value) -> Result<Answer, Trouble> {
        let request =
            Request::post(format!("{}/{name}", self.api.prefix)).header(header::CONTENT_TYPE, "application/json");
        self.send(request, body.to_string().into()).await
    }

    async fn send(&mut self, mut request: Builder, body: Bytes) -> Result<Answer, Trouble> {
        request = request.header(header::ORIGIN, origin(self.api.port));
        if !self.cookies.is_empty() {
            let cookies: Vec<String> = self
                .cookies
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            request = request.header(header::COOKIE, cookies.join("; "));
        }
        if let Some(token) = &self.csrf_token {
            request = request.header("X-CSRF-Token", token);
        }
        if let Some((name, password)) = self.api.login.as_ref().filter(|_| self.is_basic) {
            let credentials = STANDARD.encode(format!("{name}:{}", password.expose()));
            request = request.header(header::AUTHORIZATION, format!("Basic {credentials}"));
        }
        let request = request
            .body(Full::new(body))
            .map_err(|cause| Trouble::Unreadable(io::Error::other(cause)))?;
        let answer = exchange(self.api.port, request, DEADLINE)
            .await
            .map_err(Trouble::Unreachable)?;
        self.keep_cookies(&answer.headers);
        Ok(answer)
    }

    fn keep_cookies(&mut self, headers: &HeaderMap) {
        let set = headers.get_all(header::SET_COOKIE).iter();
        for cookie in set.filter_map(|value| value.to_str().ok()) {
            let pair = cookie.split(';').next().unwrap_or_default();
            if let Some((name, value)) = pair.split_once('=') {
                self.cookies.insert(name.trim().to_owned(), value.trim().to_owned());
            }
        }
    }
}

/// Reads a refusal. Its texts are put between quotes without being escaped, so they often are no JSON.
pub(super) fn refusal(answer: &Answer) -> Trouble {
    let text = answer.text.trim();
    let parsed = serde_json::from_str::<Value>(text).ok();
    let said = parsed.as_ref().and_then(|body| body["error"].as_str());
    let unquoted = || text.strip_prefix("{\"error\": \"")?.strip_suffix("\"}");
    let text = said.or_else(unquoted).unwrap_or(text);
    Trouble::Refused {
        status: answer.status,
        text: text.chars().take(MAX_TEXT_CHARS).collect(),
    }
}

/// Writes a form as browsers send it.
fn form(fields: &[(&str, &str)]) -> String {
    let escaped = |text: &str| -> String {
        text.bytes()
            .map(|byte| match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => char::from(byte).to_string(),
                other => format!("%{other:02X}"),
            })
            .collect()
    };
    let pairs: Vec<String> = fields
        .iter()
        .map(|(name, value)| format!("{name}={}", escaped(value)))
        .collect();
    pairs.join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text_of(answer: &str) -> String {
        let answer = Answer {
            status: 500,
            headers: HeaderMap::new(),
            text: answer.to_owned(),
        };
        match refusal(&answer) {
            Trouble::Refused { text, .. } => text,
            other => panic!("{other}"),
        }
    }

    #[test]
    fn refusals_are_read_whether_they_are_json_or_not() {
        assert_eq!(text_of(r#"{"error": "plain"}"#), "plain");
        assert_eq!(text_of("{\"error\": \"a \"quoted\"\nline\"}"), "a \"quoted\"\nline");
        assert_eq!(text_of("Internal Server Error"), "Internal Server Error");
    }

    #[test]
    fn a_form_is_escaped() {
        assert_eq!(
            form(&[("username", "a b"), ("password", "p&=ü")]),
            "username=a%20b&password=p%26%3D%C3%BC"
        );
    }
}
