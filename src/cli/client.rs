//! Requests to a running service.

use std::{env, net::IpAddr, time::Duration};

use borgos_actors::error::chain;
use clap::Args;
use reqwest::{
    Method, RequestBuilder, Response, StatusCode, Url,
    header::{HeaderMap, RETRY_AFTER},
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use tokio::time::sleep;

use super::{
    Failure,
    output::{plain, sentence},
};
use crate::config::Secret;

const CONNECT_DEADLINE: Duration = Duration::from_secs(5);
/// Longer than any answer of the service takes; a restart of an actor may wait for its shutdown.
const ANSWER_DEADLINE: Duration = Duration::from_secs(60);
/// A request that comes too early is sent again, as often as a rate limit can want it.
const MAX_ATTEMPTS: usize = 10;
/// Whoever is told to wait longer is told so, rather than left without an answer.
const MAX_WAIT: Duration = Duration::from_secs(5);

/// Whoever follows is not interrupted.
const STREAM_DEADLINE: Duration = Duration::from_secs(365 * 24 * 60 * 60);

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
        self.request(Method::GET, path, None).await
    }

    /// Gets a JSON answer to a question with parameters, and its headers.
    pub(super) async fn find(&self, path: &str, parameters: &[(&str, &str)]) -> Result<(HeaderMap, Value), Failure> {
        let mut url = self.url(path);
        url.query_pairs_mut().extend_pairs(parameters);
        let response = self.send(|| self.http.get(url.clone())).await?;
        let headers = response.headers().clone();
        let (status, body) = self.read(response).await?;
        Ok((headers, success(status, &body)?))
    }

    /// Posts without a body and gets a JSON answer.
    pub(super) async fn post(&self, path: &str) -> Result<Value, Failure> {
        self.request(Method::POST, path, None).await
    }

    /// Sends a body, if there is one, and gets a JSON answer.
    pub(super) async fn request(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, Failure> {
        let (status, body) = self.ask(method, path, body).await?;
        success(status, &body)
    }

    /// Gets an answer that is read as it comes, for as long as it does.
    pub(super) async fn stream(&self, path: &str, query: &[(&str, String)]) -> Result<Coming, Failure> {
        let mut url = self.url(path);
        url.query_pairs_mut().extend_pairs(query);
        let request = || self.http.get(url.clone()).timeout(STREAM_DEADLINE);
        let response = self.send(request).await?;
        if response.status().is_success() {
            return Ok(Coming(response));
        }
        let (status, body) = self.read(response).await?;
        Err(refusal(status, &body))
    }

    /// Posts a message with these headers and gets the answer, if there is one.
    pub(super) async fn post_message(
        &self,
        path: &str,
        headers: &[(&'static str, String)],
        message: &Value,
    ) -> Result<Option<Value>, Failure> {
        let request = || {
            let request = self.http.post(self.url(path)).json(message);
            let request = request.header("accept", "application/json, text/event-stream");
            headers
                .iter()
                .fold(request, |request, (name, value)| request.header(*name, value))
        };
        let (status, body) = self.read(self.send(request).await?).await?;
        // The protocol's own refusals come with a status, too.
        match serde_json::from_slice::<Value>(&body) {
            Ok(answer) if answer.get("jsonrpc").is_some() => Ok(Some(answer)),
            _ if status == StatusCode::ACCEPTED => Ok(None),
            _ => success(status, &body).map(Some),
        }
    }

    /// Gets a JSON answer whatever its status says.
    pub(super) async fn get_any(&self, path: &str) -> Result<(StatusCode, Value), Failure> {
        let (status, body) = self.ask(Method::GET, path, None).await?;
        Ok((status, serde_json::from_slice(&body).unwrap_or(Value::Null)))
    }

    async fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> Result<(StatusCode, Vec<u8>), Failure> {
        let request = || {
            let request = self.http.request(method.clone(), self.url(path));
            match body {
                Some(body) => request.json(body),
                None => request,
            }
        };
        self.read(self.send(request).await?).await
    }

    /// Sends a request, and sends it again when it is told that it came a little too early.
    async fn send(&self, request: impl Fn() -> RequestBuilder) -> Result<Response, Failure> {
        let attempt = async || {
            let sent = self.authorized(request()).send().await;
            sent.map_err(|error| self.unreachable(&error))
        };
        for _ in 1..MAX_ATTEMPTS {
            let response = attempt().await?;
            match wait(response.status(), response.headers()) {
                Some(time) => sleep(time).await,
                None => return Ok(response),
            }
        }
        attempt().await
    }

    async fn read(&self, response: Response) -> Result<(StatusCode, Vec<u8>), Failure> {
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

    /// Says whether the address is one of this machine.
    pub(super) fn is_local(&self) -> bool {
        is_local(&self.base)
    }

    /// Says whether something takes connections at the address.
    pub(super) async fn is_there(&self) -> bool {
        match self.http.get(self.url("/health")).send().await {
            Ok(_) => true,
            Err(error) => !error.is_connect(),
        }
    }

    /// Says that nothing answers at the address.
    pub(super) fn absent(&self) -> Failure {
        let base = self.base.as_str().trim_end_matches('/');
        Failure::General(format!(
            "no BorgOS answers at {base}; start it with `borgos serve`, or name another address with `--url`"
        ))
    }
}

/// An answer that comes piece by piece.
pub(super) struct Coming(Response);

impl Coming {
    /// Waits for the next piece; none when that was all.
    pub(super) async fn chunk(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        match self.0.chunk().await {
            Ok(chunk) => Ok(chunk.map(|chunk| chunk.to_vec())),
            Err(error) => Err(Failure::General(format!("the connection was lost: {}", chain(&error)))),
        }
    }
}

/// Says how long to wait before a request is sent again, if that is worth it.
fn wait(status: StatusCode, headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    let time = Duration::from_secs(seconds);
    (status == StatusCode::TOO_MANY_REQUESTS && time <= MAX_WAIT).then_some(time)
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

/// Understands an answer, which may come from a service of another version.
pub(super) fn understood<T: DeserializeOwned>(answer: Value) -> Result<T, Failure> {
    serde_json::from_value(answer)
        .map_err(|error| Failure::General(format!("the answer cannot be understood: {error}; versions may differ")))
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
        StatusCode::UNAUTHORIZED => Failure::Auth(format!("{text}; set BORGOS_TOKEN to a token of the service")),
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
    fn only_a_short_wait_for_the_rate_limit_is_waited() {
        let headers = |seconds: &'static str| HeaderMap::from_iter([(RETRY_AFTER, seconds.parse().unwrap())]);
        let refused = StatusCode::TOO_MANY_REQUESTS;
        assert_eq!(wait(refused, &headers("2")), Some(Duration::from_secs(2)));
        for (status, headers) in [
            (refused, headers("600")),
            (refused, headers("soon")),
            (refused, HeaderMap::new()),
            (StatusCode::SERVICE_UNAVAILABLE, headers("1")),
        ] {
            assert_eq!(wait(status, &headers), None, "{status} {headers:?}");
        }
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
