//! What every request passes before anything else looks at it, whatever it is for: one deny-by-default check.
//!
//! In this order: is the message unambiguous, is it meant for this host, does a page of another site send it, is there an
//! endpoint, may the caller send more requests, who is the caller and what may they do, are the path's ids well formed.

pub mod auth;
pub mod host;
pub mod rate;
pub mod request_id;

use std::net::{IpAddr, SocketAddr};

use warp::http::{HeaderValue, Method, StatusCode, header::TRANSFER_ENCODING, request::Parts};

use self::{
    auth::{Authorizer, Caller},
    host::Hosts,
    rate::{Allowance, Key, Limiter},
};
use crate::{
    problem::Problem,
    routes::{Endpoint, Miss, Scope},
};

/// Decides about requests.
#[derive(Debug)]
pub struct Guard {
    hosts: Hosts,
    authorizer: Authorizer,
    limiter: Option<Limiter>,
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
    /// Brings the checks together; no limiter means no limit.
    pub fn new(hosts: Hosts, authorizer: Authorizer, limiter: Option<Limiter>) -> Self {
        Self {
            hosts,
            authorizer,
            limiter,
        }
    }

    /// Decides about one request, and says what is left of the rate limit where it was taken from.
    pub fn judge(&self, parts: &Parts, arrival: Arrival, found: Found) -> (Verdict, Option<Allowance>) {
        let checked = check_message(parts, arrival.is_ambiguous).and_then(|()| self.hosts.check(parts));
        if let Err(problem) = checked {
            return (Verdict::Refuse(problem), None);
        }
        let caller = self.authorizer.caller(&parts.headers);
        let is_counted = found.as_ref().map_or(true, |endpoint| endpoint.is_counted);
        let allowance = match &self.limiter {
            Some(limiter) if is_counted => Some(limiter.take(key(caller, arrival.peer))),
            _ => None,
        };
        let verdict = match allowance.and_then(|allowance| allowance.wait_seconds()) {
            Some(wait_seconds) => Verdict::Refuse(Problem::rate_limited(wait_seconds)),
            None => decide(parts, found, caller),
        };
        (verdict, allowance)
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

fn key(caller: Option<Caller>, peer: IpAddr) -> Key {
    match caller {
        Some(Caller::Bootstrap) => Key::Bootstrap,
        Some(Caller::Local) | None => Key::from(peer),
    }
}

fn decide(parts: &Parts, found: Found, caller: Option<Caller>) -> Verdict {
    let endpoint = match found {
        Ok(endpoint) => endpoint,
        Err(Miss::Path) => return Verdict::Refuse(Problem::unknown_path()),
        Err(Miss::Method(allow)) if parts.method == Method::OPTIONS => return Verdict::Methods(allow),
        Err(Miss::Method(allow)) => return Verdict::Refuse(Problem::method_not_allowed(allow)),
    };
    let checked = check_scope(endpoint.scope, caller).and_then(|()| endpoint.check_parameters(parts.uri.path()));
    match checked {
        Ok(()) => Verdict::Pass(caller),
        Err(problem) => Verdict::Refuse(problem),
    }
}

/// Refuses who may not do what needs this scope.
///
/// # Errors
/// 401 without a caller, 403 for one whose credential is not enough.
pub(crate) fn check_scope(needed: Scope, caller: Option<Caller>) -> Result<(), Problem> {
    match caller {
        _ if needed == Scope::Public => Ok(()),
        None => Err(Problem::unauthorized()),
        Some(caller) if caller.scope() >= needed => Ok(()),
        Some(_) => Err(Problem::new(
            StatusCode::FORBIDDEN,
            "INSUFFICIENT_SCOPE",
            "this credential may not do that",
        )),
    }
}

#[cfg(test)]
mod tests {
    use warp::http::Request;

    use super::*;
    use crate::{
        config::{RateLimit, Secret},
        routes::{TABLE, find},
    };

    const ARRIVAL: Arrival = Arrival {
        peer: IpAddr::V4(std::net::Ipv4Addr::LOCALHOST),
        is_ambiguous: false,
    };

    fn guard(token: Option<&str>, rate_limit: &str) -> Guard {
        let token = token.map(|token| Secret::from(token.to_owned()));
        let limiter = rate_limit.parse::<RateLimit>().unwrap().limiter();
        Guard::new(Hosts::new(true, Vec::new()), Authorizer::new(token.as_ref()), limiter)
    }

    fn refusal(guard: &Guard, method: &str, path: &str, authorization: Option<&str>) -> Option<(u16, &'static str)> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "localhost:8081");
        if let Some(authorization) = authorization {
            request = request.header("authorization", authorization);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let found = find(TABLE, &parts.method, path);
        match guard.judge(&parts, ARRIVAL, found).0 {
            Verdict::Refuse(problem) => Some((problem.status().as_u16(), problem.code())),
            _ => None,
        }
    }

    #[test]
    fn every_endpoint_but_the_public_ones_needs_the_token() {
        let guard = guard(Some("correct horse battery"), "off");
        for endpoint in TABLE {
            let path = endpoint
                .path
                .replace("{id}", "1")
                .replace("{path}", "root")
                .replace("{file}", "README.md");
            let method = endpoint.method.as_str();
            let expected = (endpoint.scope != Scope::Public).then_some((401, "UNAUTHORIZED"));
            assert_eq!(refusal(&guard, method, &path, None), expected, "{path}");
            assert_eq!(refusal(&guard, method, &path, Some("Bearer wrong")), expected, "{path}");
            assert_eq!(
                refusal(&guard, method, &path, Some("Bearer correct horse battery")),
                None,
                "{path}"
            );
        }
    }

    #[test]
    fn what_is_not_listed_does_not_exist() {
        let guard = guard(None, "off");
        assert_eq!(refusal(&guard, "GET", "/metrics", None), Some((404, "NOT_FOUND")));
        assert_eq!(
            refusal(&guard, "TRACE", "/health", None),
            Some((405, "METHOD_NOT_ALLOWED"))
        );
        assert_eq!(refusal(&guard, "OPTIONS", "/health", None), None);
    }

    #[test]
    fn the_limit_counts_everything_but_health() {
        let guard = guard(None, "1/2");
        for path in ["/api/v1/status", "/no/such/path"] {
            assert_ne!(refusal(&guard, "GET", path, None), Some((429, "RATE_LIMITED")));
        }
        assert_eq!(
            refusal(&guard, "GET", "/api/v1/status", None),
            Some((429, "RATE_LIMITED"))
        );
        assert_eq!(refusal(&guard, "GET", "/health", None), None);
    }

    #[test]
    fn wrong_tokens_take_from_the_address_and_not_from_the_owner() {
        let guard = guard(Some("correct horse battery"), "1/1");
        assert_eq!(
            refusal(&guard, "GET", "/api/v1/status", Some("Bearer a")),
            Some((401, "UNAUTHORIZED"))
        );
        assert_eq!(
            refusal(&guard, "GET", "/api/v1/status", Some("Bearer b")),
            Some((429, "RATE_LIMITED"))
        );
        assert_eq!(
            refusal(&guard, "GET", "/api/v1/status", Some("Bearer correct horse battery")),
            None
        );
    }
}
