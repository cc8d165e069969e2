//! Requests to a running service.

use std::{env, net::IpAddr, time::Duration};

use clap::Args;
use reqwest::{RequestBuilder, StatusCode, Url};
use serde::Deserialize;
use serde_json::Value;

use super::{
    Failure,
    output::{plain, sentence},
};
use crate::{config::Secret, problem::chain};

const CONNECT_DEADLINE: Duration = Duration::from_secs(5);
/// Longer than any answer of the service takes; a restart of an actor may wait for its shutdown.
const ANSWER_DEADLINE: Duration = Duration::from_secs(60);

/// Which service to talk to.
#[derive(Debug, Clone, Args)]
pub(super) struct Remote {
    /// Address of the service; BORGOS_TOKEN is sent along if it is set
    #[arg(
        long,
        env = "BORGOS_URL",
        value_name = "URL",
        default_value = "http://127.0.0.1:8081",
        global = true
    )]
    url: Url,
}

/// Talks to a service. Cheap to clone.
#[derive(Clone)]
pub(super) struct Client {
    http: reqwest::Client,
    base: Url,
    token: Option<Secret>,
}

/// What an error answer says; everything may be missing, as a proxy may have written it.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Problem {
    message: Option<String>,
    code: Option<String>,
    request_id: Option<String>,
}

impl Client {
    /// Prepares to talk to a service.
    pub(super) fn new(remote: &Remote) -> Result<Self, Failure> {
        let base = remote.url.clone();
        if !matches!(base.scheme(), "http" | "https") || base.host_str().is_none() {
            return Err(Failure::Usage(
                "`--url` must be an address such as http://127.0.0.1:8081".to_owned(),
            ));
        }
        let mut builder = reqwest::Client::builder()
            .connect_timeout(CONNECT_DEADLINE)
            .timeout(ANSWER_DEADLINE)
            .redirect(reqwest::redirect::Policy::none());
        if is_local(&base) {
            builder = builder.no_proxy();
        }
        let http = builder
            .build()
            .map_err(|error| Failure::General(format!("cannot prepare requests: {}", chain(&error))))?;
        let token = env::var("BORGOS_TOKEN").ok().filter(|token| !token.is_empty());
        Ok(Self {
            http,
            base,
            token: token.map(Secret::from),
        })
    }

    /// Returns the address of a path of the service.
    pub(super) fn url(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        url.set_path(&format!("{}{path}", self.base.path().trim_end_matches('/')));
        url
    }

    /// Returns the credential to send, if there is one.
    pub(super) fn token(&self) -> Option<&Secret> {
        self.token.as_ref()
    }

    /// Gets a JSON answer.
    pub(super) async fn get(&self, path: &str) -> Result<Value, Failure> {
        self.get_with(path, &[]).await
    }

    /// Gets a JSON answer to a path with these parameters.
    pub(super) async fn get_with(&self, path: &str, query: &[(&str, &str)]) -> Result<Value, Failure> {
        let mut url = self.url(path);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let (status, body) = self.send(self.http.get(url)).await?;
        success(status, &body)
    }

    /// Posts without a body and gets a JSON answer.
    pub(super) async fn post(&self, path: &str) -> Result<Value, Failure> {
        let (status, body) = self.send(self.http.post(self.url(path))).await?;
        success(status, &body)
    }

    /// Posts JSON and gets a JSON answer.
    pub(super) async fn post_json(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        let (status, body) = self.send(self.http.post(self.url(path)).json(body)).await?;
        success(status, &body)
    }

    /// Posts a message with these headers and gets the answer, if there is one.
    pub(super) async fn post_message(
        &self,
        path: &str,
        headers: &[(&'static str, String)],
        message: &Value,
    ) -> Result<Option<Value>, Failure> {
        let mut request = self.http.post(self.url(path)).json(message);
        request = request.header("accept", "application/json, text/event-stream");
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let (status, body) = self.send(request).await?;
        // The protocol's own refusals come with a status, too.
        match serde_json::from_slice::<Value>(&body) {
            Ok(answer) if answer.get("jsonrpc").is_some() => Ok(Some(answer)),
            _ if status == StatusCode::ACCEPTED => Ok(None),
            _ => success(status, &body).map(Some),
        }
    }

    /// Gets a JSON answer whatever its status says.
    pub(super) async fn get_any(&self, path: &str) -> Result<(StatusCode, Value), Failure> {
        let (status, body) = self.send(self.http.get(self.url(path))).await?;
        Ok((status, serde_json::from_slice(&body).unwrap_or(Value::Null)))
    }

    async fn send(&self, request: RequestBuilder) -> Result<(StatusCode, Vec<u8>), Failure> {
        let response = self
            .authorized(request)
            .send()
            .await
            .map_err(|error| self.unreachable(&error))?;
        let status = response.status();
        let body = response.bytes().await.map_err(|error| self.unreachable(&error))?;
        Ok((status, body.to_vec()))
    }

    fn authorized(&self, request: RequestBuilder) -> RequestBuilder {
        match &self.token {
            Some(token) => request.bearer_auth(token.expose()),
            None => request,
        }
    }

    fn unreachable(&self, error: &reqwest::Error) -> Failure {
        if error.is_connect() {
            return self.absent();
        }
        Failure::General(format!("{} did not answer: {}", self.base, chain(error)))
    }

    /// Says that nothing answers at the address.
    pub(super) fn absent(&self) -> Failure {
        let base = self.base.as_str().trim_end_matches('/');
        Failure::General(format!(
            "no BorgOS answers at {base}; start it with `borgos serve`, or name another address with `--url`"
        ))
    }
}

fn is_local(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

fn success(status: StatusCode, body: &[u8]) -> Result<Value, Failure> {
    if !status.is_success() {
        return Err(refusal(status, body));
    }
    serde_json::from_slice(body)
        .map_err(|_| Failure::General("the answer is not JSON; is this the address of a BorgOS?".to_owned()))
}

/// Says in one line why the service refused.
pub(super) fn refusal(status: StatusCode, body: &[u8]) -> Failure {
    let problem: Problem = serde_json::from_slice(body).unwrap_or_default();
    let message = problem
        .message
        .as_deref()
        .map_or_else(|| format!("the service answered {status}"), sentence);
    let details: Vec<String> = [problem.code, problem.request_id]
        .into_iter()
        .flatten()
        .map(|text| plain(&text))
        .collect();
    let text = match details.is_empty() {
        true => message,
        false => format!("{message} ({})", details.join(", ")),
    };
    match status {
        StatusCode::UNAUTHORIZED => Failure::Auth(format!("{text}; set BORGOS_TOKEN to the service's token")),
        StatusCode::FORBIDDEN => Failure::Auth(text),
        StatusCode::NOT_FOUND => Failure::NotFound(text),
        _ => Failure::General(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_have_the_exit_code_of_their_status() {
        let body = br#"{"error": "Not found", "message": "Actor with id x not found", "code": "NOT_FOUND", "request_id": "req_1"}"#;
        let failure = refusal(StatusCode::NOT_FOUND, body);
        assert_eq!(failure.exit_code(), 5);
        assert_eq!(failure.to_string(), "Actor with id x not found (NOT_FOUND, req_1)");
        assert_eq!(refusal(StatusCode::UNAUTHORIZED, b"{}").exit_code(), 4);
        assert_eq!(
            refusal(StatusCode::BAD_GATEWAY, b"<html>").to_string(),
            "the service answered 502 Bad Gateway"
        );
    }

    #[test]
    fn loopback_addresses_are_told_from_others() {
        for (url, is_expected) in [
            ("http://localhost:1", true),
            ("http://[::1]:1", true),
            ("http://127.0.0.1", true),
            ("http://localhost.example", false),
            ("http://10.0.0.1", false),
        ] {
            assert_eq!(is_local(&url.parse().unwrap()), is_expected, "{url}");
        }
    }
}
