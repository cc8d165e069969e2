//! What every request passes before anything else looks at it, whatever it is for: one deny-by-default check.
//!
//! In this order: is the message unambiguous, is it meant for this host, does a page of another site send it, is a
//! credential in its address, who is the caller, may they send more requests, is there an endpoint, may they use it, are
//! the path's ids well formed.

pub mod audit;
pub mod auth;
pub mod client;
pub mod cors;
pub mod host;
pub mod limits;
pub mod rate;
pub mod request_id;
mod slowing;
pub mod tickets;

use std::net::{IpAddr, SocketAddr};

use warp::http::{
    HeaderMap, HeaderName, HeaderValue, Method, StatusCode,
    header::{TRANSFER_ENCODING, UPGRADE},
    request::Parts,
};

use self::{
    audit::Refusal,
    auth::{Authorizer, Caller, Recognised, check_query},
    client::Proxies,
    cors::Cors,
    host::Hosts,
    limits::Limits,
    rate::Allowance,
};
use crate::{
    problem::{Challenge, Problem},
    routes::{Endpoint, Miss, Scope},
};

const SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");

/// Decides about requests.
pub struct Guard {
    hosts: Hosts,
    authorizer: Authorizer,
    limits: Limits,
    proxies: Proxies,
}

/// Who is at the other end of a connection. Kept in the request's extensions.
#[derive(Debug, Clone, Copy)]
pub struct PeerAddr(pub SocketAddr);

/// What the connection knows about a request that came over it.
#[derive(Debug, Clone, Copy)]
pub struct Arrival {
    /// The client's address.
    pub peer: IpAddr,
    /// Whether a request on this connection stated its length in two ways.
    pub is_ambiguous: bool,
}

/// What the route table says about a request.
pub type Found = Result<&'static Endpoint, Miss>;

/// What comes of looking at a request.
#[derive(Debug)]
pub struct Judgement {
    /// Whether it goes on.
    pub verdict: Verdict,
    /// What is left of the rate limit where it was taken from.
    pub allowance: Option<Allowance>,
    /// What is to be written down of a refusal.
    pub refusal: Option<Refusal>,
}

/// What is decided.
#[derive(Debug)]
pub enum Verdict {
    /// The request goes on. There is no caller on a public endpoint without a good credential.
    Pass(Option<Caller>),
    /// The client asked which methods there are.
    Methods(HeaderValue),
    /// The request ends here.
    Refuse(Problem),
}

impl Guard {
    /// Brings the checks together.
    pub fn new(hosts: Hosts, authorizer: Authorizer, limits: Limits, proxies: Proxies) -> Self {
        Self {
            hosts,
            authorizer,
            limits,
            proxies,
        }
    }

    /// Returns the address that a request comes from, whatever proxies stand in between.
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        self.proxies.client(peer, headers)
    }

    /// Returns what pages of listed origins may do.
    pub fn cors(&self) -> &Cors {
        self.hosts.cors()
    }

    /// Decides about one request.
    pub async fn judge(&self, parts: &Parts, arrival: Arrival, found: Found) -> Judgement {
        let checked = check_message(parts, arrival.is_ambiguous)
            .and_then(|()| self.hosts.check(parts))
            .and_then(|()| check_query(parts));
        let caller = match checked {
            // Nobody has to be known there, and a wrong credential must not keep a probe from its answer.
            Ok(()) if is_public(&found) => Ok(Recognised::Nobody),
            Ok(()) => self.authorizer.caller(parts, arrival.peer).await,
            Err(problem) => Err(problem),
        };
        let (caller, claim) = match caller {
            Ok(Recognised::Caller(caller)) => (Some(caller), None),
            Ok(Recognised::Nobody) => (None, None),
            Ok(Recognised::Wrong { claim }) => (None, Some(claim)),
            Err(problem) => return Judgement::refuse(problem),
        };
        let is_counted = found.as_ref().map_or(true, |endpoint| endpoint.is_counted);
        let allowance = match is_counted {
            true => self.limits.take(caller.as_ref(), arrival.peer),
            false => None,
        };
        let wait_seconds = match parts.headers.contains_key(UPGRADE) {
            true => self.limits.take_upgrade(caller.as_ref(), arrival.peer),
            false => None,
        };
        let wait_seconds = wait_seconds.or(allowance.and_then(|allowance| allowance.wait_seconds()));
        if let Some(wait_seconds) = wait_seconds {
            return Judgement {
                allowance,
                ..Judgement::refuse(Problem::rate_limited(wait_seconds))
            };
        }
        let endpoint = found.as_ref().ok().copied();
        let verdict = decide(parts, found, caller.clone());
        Judgement {
            refusal: refusal(&verdict, endpoint, caller, claim),
            verdict,
            allowance,
        }
    }
}

impl Judgement {
    fn refuse(problem: Problem) -> Self {
        Self {
            verdict: Verdict::Refuse(problem),
            allowance: None,
            refusal: None,
        }
    }
}

/// Returns what is to be written down of a verdict: logins that fail, and changes that the scope does not cover.
fn refusal(
    verdict: &Verdict,
    endpoint: Option<&'static Endpoint>,
    caller: Option<Caller>,
    claim: Option<String>,
) -> Option<Refusal> {
    let Verdict::Refuse(problem) = verdict else {
        return None;
    };
    match (problem.status(), claim, caller) {
        (StatusCode::UNAUTHORIZED, Some(claim), _) => Some(Refusal {
            actor: claim,
            action: "auth.login",
        }),
        (StatusCode::FORBIDDEN, _, Some(caller)) => {
            let endpoint = endpoint.filter(|endpoint| endpoint.is_change())?;
            Some(Refusal {
                actor: caller.name.to_string(),
                action: endpoint.name,
            })
        }
        _ => None,
    }
}

/// Refuses a message whose end can be seen in two ways; a proxy in front may have seen the other one.
fn check_message(parts: &Parts, is_ambiguous: bool) -> Result<(), Problem> {
    if is_ambiguous && parts.headers.contains_key(TRANSFER_ENCODING) {
        let message = "`Content-Length` and `Transfer-Encoding` must not be given together";
        return Err(Problem::new(StatusCode::BAD_REQUEST, "AMBIGUOUS_LENGTH", message));
    }
    Ok(())
}

fn is_public(found: &Found) -> bool {
    found.as_ref().is_ok_and(|endpoint| endpoint.scope == Scope::Public)
}

fn decide(parts: &Parts, found: Found, caller: Option<Caller>) -> Verdict {
    let endpoint = match found {
        Ok(endpoint) => endpoint,
        Err(Miss::Path) => return Verdict::Refuse(Problem::unknown_path()),
        Err(Miss::Method(allow)) if parts.method == Method::OPTIONS => return Verdict::Methods(allow),
        Err(Miss::Method(allow)) => return Verdict::Refuse(Problem::method_not_allowed(allow)),
    };
    let may = match &caller {
        None if endpoint.scope != Scope::Public => Err(Problem::unauthorized(challenge(parts))),
        _ => check_scope(endpoint.scope, caller.as_ref()),
    };
    let checked = may.and_then(|()| endpoint.check_parameters(parts.uri.path()));
    match checked {
        Ok(()) => Verdict::Pass(caller),
        Err(problem) => Verdict::Refuse(problem),
    }
}

/// Refuses who may not do what needs this scope.
///
/// # Errors
/// 401 without a caller, 403 for one whose credential is not enough.
pub(crate) fn check_scope(needed: Scope, caller: Option<&Caller>) -> Result<(), Problem> {
    match caller {
        _ if needed == Scope::Public => Ok(()),
        None => Err(Problem::unauthorized(Challenge::Bearer)),
        Some(caller) if needed.is_met_by(caller.scope) => Ok(()),
        Some(_) => Err(Problem::new(
            StatusCode::FORBIDDEN,
            "INSUFFICIENT_SCOPE",
            "this credential may not do that",
        )),
    }
}

/// A browser that is told of Basic asks for a password in a window of its own. That helps who opens an address, and
/// would get in the way of a page that asks in its own words.
fn challenge(parts: &Parts) -> Challenge {
    match parts.headers.get(SEC_FETCH_MODE) {
        None => Challenge::BearerOrBasic,
        Some(mode) if mode == "navigate" => Challenge::BearerOrBasic,
        Some(_) => Challenge::Bearer,
    }
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;
    use warp::http::Request;

    use super::*;
    use crate::{
        config::RateLimit,
        guard::auth::tests::authorizer,
        routes::{TABLE, find},
    };

    const ARRIVAL: Arrival = Arrival {
        peer: IpAddr::V4(std::net::Ipv4Addr::LOCALHOST),
        is_ambiguous: false,
    };

    async fn guard(token: Option<&str>, rate_limit: &str) -> (Guard, TempDir) {
        let limiter = rate_limit.parse::<RateLimit>().unwrap().limiter();
        let (authorizer, _, directory) = authorizer(token).await;
        let hosts = Hosts::new(true, Vec::new(), Cors::default());
        let guard = Guard::new(hosts, authorizer, Limits::new(limiter), Proxies::default());
        (guard, directory)
    }

    async fn refusal(
        guard: &Guard,
        method: &str,
        path: &str,
        authorization: Option<&str>,
    ) -> Option<(u16, &'static str)> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "localhost:8081");
        if let Some(authorization) = authorization {
            request = request.header("authorization", authorization);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let found = find(TABLE, &parts.method, path);
        match guard.judge(&parts, ARRIVAL, found).await.verdict {
            Verdict::Refuse(problem) => Some((problem.status().as_u16(), problem.code())),
            _ => None,
        }
    }

    #[tokio::test]
    async fn every_endpoint_but_the_public_ones_needs_the_token() {
        let (guard, _directory) = guard(Some("correct horse battery"), "off").await;
        for endpoint in TABLE {
            let path = endpoint
                .path
                .replace("{id}", "1")
                .replace("{delivery}", "1")
                .replace("{path}", "root")
                .replace("{file}", "README.md");
            let method = endpoint.method.as_str();
            let expected = (endpoint.scope != Scope::Public).then_some((401, "UNAUTHORIZED"));
            assert_eq!(refusal(&guard, method, &path, None).await, expected, "{path}");
            let right = Some("Bearer correct horse battery");
            assert_eq!(refusal(&guard, method, &path, right).await, None, "{path}");
        }
    }

    #[tokio::test]
    async fn what_is_not_listed_does_not_exist() {
        let (guard, _directory) = guard(None, "off").await;
        assert_eq!(
            refusal(&guard, "GET", "/no/such/path", None).await,
            Some((404, "NOT_FOUND"))
        );
        assert_eq!(
            refusal(&guard, "TRACE", "/health", None).await,
            Some((405, "METHOD_NOT_ALLOWED"))
        );
        assert_eq!(refusal(&guard, "OPTIONS", "/health", None).await, None);
    }

    #[tokio::test]
    async fn the_limit_counts_everything_but_health() {
        let (guard, _directory) = guard(None, "1/2").await;
        let limited = Some((429, "RATE_LIMITED"));
        for path in ["/api/v1/status", "/no/such/path"] {
            assert_ne!(refusal(&guard, "GET", path, None).await, limited);
        }
        assert_eq!(refusal(&guard, "GET", "/api/v1/status", None).await, limited);
        assert_eq!(refusal(&guard, "GET", "/health", None).await, None);
    }

    #[tokio::test]
    async fn wrong_tokens_take_from_the_address_and_not_from_the_owner() {
        let (guard, _directory) = guard(Some("correct horse battery"), "1/1").await;
        for (token, expected) in [
            ("Bearer a", Some((401, "UNAUTHORIZED"))),
            ("Bearer b", Some((429, "RATE_LIMITED"))),
            ("Bearer correct horse battery", None),
        ] {
            let refused = refusal(&guard, "GET", "/api/v1/status", Some(token)).await;
            assert_eq!(refused, expected, "{token}");
        }
    }

    #[tokio::test]
    async fn wrong_tokens_are_slowed_even_without_a_limit() {
        let (guard, _directory) = guard(Some("correct horse battery"), "off").await;
        let mut codes = Vec::new();
        for _ in 0..25 {
            let refused = refusal(&guard, "GET", "/api/v1/status", Some("Bearer wrong")).await;
            codes.extend(refused.map(|(_, code)| code));
        }
        assert_eq!(
            codes.iter().filter(|code| **code == "UNAUTHORIZED").count(),
            20,
            "{codes:?}"
        );
        assert_eq!(codes.last(), Some(&"LOGIN_SLOWED"));
        let right = Some("Bearer correct horse battery");
        assert_eq!(refusal(&guard, "GET", "/api/v1/status", right).await, None);
        assert_eq!(refusal(&guard, "GET", "/health", Some("Bearer wrong")).await, None);
    }
}
