//! Whether a request was meant for this service: defends browsers on this machine against names that are pointed at it
//! (DNS rebinding) and against pages of other sites.
//!
//! A listener that only this machine reaches takes the loopback's names and addresses. A wider one also takes any IP
//! address, because rebinding needs a name and behind a published container port the service cannot know the address it
//! was reached by. Any other name must be listed with `--allowed-host`.
//!
//! A page that may send requests is one of this service's own port. Other ports of the loopback are other sites: the apps
//! that are deployed here answer there, and the pages of an app must not operate the service that runs it.

use std::net::IpAddr;

use warp::http::{
    HeaderMap, Method, StatusCode,
    header::{HOST, ORIGIN, UPGRADE},
    request::Parts,
    uri::Authority,
};

use super::cors::Cors;
use crate::{config::HostName, problem::Problem};

/// Which hosts a request may name.
#[derive(Debug)]
pub struct Hosts {
    is_loopback_only: bool,
    allowed: Vec<HostName>,
    cors: Cors,
}

/// A host and port as compared: lower case, the port of the scheme filled in where it is known.
#[derive(Debug, PartialEq, Eq)]
struct Site {
    host: String,
    port: Option<u16>,
}

impl Hosts {
    /// Accepts the named hosts, and addresses according to how far the listener reaches.
    /// Pages may send requests from this service's own port, from the named hosts and from the origins of `cors`.
    pub fn new(is_loopback_only: bool, allowed: Vec<HostName>, cors: Cors) -> Self {
        Self {
            is_loopback_only,
            allowed,
            cors,
        }
    }

    /// Returns which pages of other sites may use the API.
    pub(super) fn cors(&self) -> &Cors {
        &self.cors
    }

    /// Checks the host that a request names, and the site that it comes from where that could do harm.
    ///
    /// # Errors
    /// 400 without a usable host, 403 for one of another service or for a page of another site.
    pub fn check(&self, parts: &Parts) -> Result<(), Problem> {
        let site = named(parts)?;
        if !self.is_allowed(&site) {
            let message = "this service is not known under the name of the `Host` header; see `--allowed-host`";
            return Err(Problem::new(StatusCode::FORBIDDEN, "HOST_NOT_ALLOWED", message));
        }
        let is_harmless = matches!(parts.method, Method::GET | Method::HEAD | Method::OPTIONS);
        if is_harmless && !parts.headers.contains_key(UPGRADE) {
            return Ok(());
        }
        self.check_origin(&parts.headers, &site)
    }

    fn check_origin(&self, headers: &HeaderMap, own: &Site) -> Result<(), Problem> {
        for value in headers.get_all(ORIGIN) {
            let origin = value.to_str().ok().and_then(origin);
            let is_own = origin.is_some_and(|(scheme, site)| self.is_friend(scheme, &site, own));
            if !is_own && !self.cors.allows(value) {
                let message = "pages of other sites may not send this request; see `--cors-origin`";
                return Err(Problem::new(StatusCode::FORBIDDEN, "ORIGIN_NOT_ALLOWED", message));
            }
        }
        Ok(())
    }

    fn is_friend(&self, scheme: Scheme, origin: &Site, own: &Site) -> bool {
        let is_same_host = origin.host == own.host || (is_loopback(&origin.host) && is_loopback(&own.host));
        let own_port = own.port.unwrap_or(scheme.port());
        (is_same_host && origin.port == Some(own_port)) || self.is_listed(&origin.host)
    }

    fn is_allowed(&self, site: &Site) -> bool {
        let is_address = !self.is_loopback_only && address(&site.host).is_some();
        is_loopback(&site.host) || is_address || self.is_listed(&site.host)
    }

    fn is_listed(&self, host: &str) -> bool {
        self.allowed.iter().any(|allowed| allowed.as_str() == host)
    }
}

#[derive(Clone, Copy)]
enum Scheme {
    Http,
    Https,
}

impl Scheme {
    fn port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

/// Returns the host that a request names in its target or its only `Host` header; both must agree.
fn named(parts: &Parts) -> Result<Site, Problem> {
    let invalid = |message| Err(Problem::new(StatusCode::BAD_REQUEST, "INVALID_HOST", message));
    let mut values = parts.headers.get_all(HOST).iter();
    let header = values.next();
    if values.next().is_some() {
        return invalid("there must be one `Host` header");
    }
    let header = match header.map(|value| value.to_str().ok().and_then(site)) {
        Some(None) => return invalid("the `Host` header must be a host name or address with an optional port"),
        Some(Some(site)) => Some(site),
        None => None,
    };
    let target = match parts.uri.authority().map(|authority| site(authority.as_str())) {
        Some(None) => return invalid("the request's target must name a host without user and password"),
        Some(Some(site)) => Some(site),
        None => None,
    };
    match (target, header) {
        (Some(target), Some(header)) if target != header => invalid("the target and the `Host` header must agree"),
        (Some(site), _) | (None, Some(site)) => Ok(site),
        (None, None) => invalid("the `Host` header is missing"),
    }
}

fn site(text: &str) -> Option<Site> {
    let authority: Authority = text.parse().ok()?;
    if text.contains('@') || authority.host().is_empty() {
        return None;
    }
    Some(Site {
        host: authority.host().to_ascii_lowercase(),
        port: authority.port_u16(),
    })
}

fn origin(text: &str) -> Option<(Scheme, Site)> {
    let (scheme, rest) = text.split_once("://")?;
    let scheme = match scheme {
        "http" => Scheme::Http,
        "https" => Scheme::Https,
        _ => return None,
    };
    let mut site = site(rest)?;
    site.port.get_or_insert(scheme.port());
    Some((scheme, site))
}

fn address(host: &str) -> Option<IpAddr> {
    let bare = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host);
    bare.parse().ok()
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || address(host).is_some_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use warp::http::Request;

    use super::*;

    fn hosts(is_loopback_only: bool) -> Hosts {
        Hosts::new(is_loopback_only, vec!["borg.example".parse().unwrap()], Cors::default())
    }

    fn code(hosts: &Hosts, method: &str, uri: &str, headers: &[(&str, &str)]) -> &'static str {
        let mut request = Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        match hosts.check(&parts) {
            Ok(()) => "ok",
            Err(problem) => problem.code(),
        }
    }

    #[test]
    fn a_loopback_listener_takes_loopback_and_listed_names_only() {
        let hosts = hosts(true);
        for good in [
            "localhost",
            "LocalHost:8081",
            "127.0.0.1",
            "127.0.0.1:1",
            "[::1]:8081",
            "borg.example:443",
        ] {
            assert_eq!(code(&hosts, "GET", "/", &[("host", good)]), "ok", "{good}");
        }
        for bad in [
            "evil.example",
            "127.0.0.1.evil",
            "localhost.evil",
            "evil-localhost",
            "192.168.1.2",
            "0.0.0.0",
            "[::2]",
            "2130706433",
            "xborg.example",
        ] {
            assert_eq!(code(&hosts, "GET", "/", &[("host", bad)]), "HOST_NOT_ALLOWED", "{bad}");
        }
    }

    #[test]
    fn a_wider_listener_also_takes_addresses() {
        let hosts = hosts(false);
        for good in ["192.168.1.2:8081", "[2001:db8::1]", "localhost"] {
            assert_eq!(code(&hosts, "GET", "/", &[("host", good)]), "ok", "{good}");
        }
        assert_eq!(
            code(&hosts, "GET", "/", &[("host", "evil.example")]),
            "HOST_NOT_ALLOWED"
        );
    }

    #[test]
    fn a_host_is_named_once_and_plainly() {
        let hosts = hosts(true);
        for headers in [
            &[][..],
            &[("host", "")],
            &[("host", "user@localhost")],
            &[("host", "local host")],
            &[("host", "localhost"), ("host", "localhost")],
        ] {
            assert_eq!(code(&hosts, "GET", "/", headers), "INVALID_HOST", "{headers:?}");
        }
        assert_eq!(
            code(&hosts, "GET", "http://evil.example/", &[("host", "localhost")]),
            "INVALID_HOST"
        );
        assert_eq!(code(&hosts, "GET", "http://localhost/", &[]), "ok");
    }

    #[test]
    fn pages_of_other_sites_may_not_change_anything() {
        let hosts = hosts(true);
        let post = |origin| {
            code(
                &hosts,
                "POST",
                "/",
                &[("host", "borg.example:8081"), ("origin", origin)],
            )
        };
        for good in ["http://borg.example:8081", "https://borg.example"] {
            assert_eq!(post(good), "ok", "{good}");
        }
        for bad in [
            "null",
            "http://evil.example",
            "http://localhost:8081",
            "http://borg.example.evil",
            "http://evilborg.example",
            "file://localhost",
            "http://user@localhost",
            "http://localhost/path",
            "",
        ] {
            assert_eq!(post(bad), "ORIGIN_NOT_ALLOWED", "{bad}");
        }
        let evil = [("host", "localhost"), ("origin", "http://evil.example")];
        assert_eq!(code(&hosts, "GET", "/", &evil), "ok");
        let upgrade = [evil[0], evil[1], ("upgrade", "websocket")];
        assert_eq!(code(&hosts, "GET", "/", &upgrade), "ORIGIN_NOT_ALLOWED");
    }

    #[test]
    fn a_page_of_an_app_on_another_port_may_not_change_anything() {
        let hosts = hosts(true);
        for (origin, expected) in [
            ("http://localhost:8081", "ok"),
            ("http://127.0.0.1:8081", "ok"),
            ("http://[::1]:8081", "ok"),
            ("http://localhost:8090", "ORIGIN_NOT_ALLOWED"),
            ("http://127.0.0.1:8090", "ORIGIN_NOT_ALLOWED"),
            ("http://localhost", "ORIGIN_NOT_ALLOWED"),
        ] {
            let post = code(&hosts, "POST", "/", &[("host", "localhost:8081"), ("origin", origin)]);
            assert_eq!(post, expected, "{origin}");
        }
    }

    #[test]
    fn a_page_of_a_listed_origin_may() {
        let cors = Cors::new(vec!["https://board.example".parse().unwrap()]);
        let hosts = Hosts::new(true, Vec::new(), cors);
        for (origin, expected) in [
            ("https://board.example", "ok"),
            ("http://board.example", "ORIGIN_NOT_ALLOWED"),
            ("https://board.example:444", "ORIGIN_NOT_ALLOWED"),
        ] {
            let post = code(&hosts, "POST", "/", &[("host", "localhost:8081"), ("origin", origin)]);
            assert_eq!(post, expected, "{origin}");
        }
    }

    #[test]
    fn a_page_of_an_unlisted_name_is_compared_with_its_port() {
        let hosts = Hosts::new(false, Vec::new(), Cors::default());
        let post = |origin| code(&hosts, "POST", "/", &[("host", "10.0.0.5:8081"), ("origin", origin)]);
        assert_eq!(post("http://10.0.0.5:8081"), "ok");
        assert_eq!(post("http://10.0.0.5:9000"), "ORIGIN_NOT_ALLOWED");
        assert_eq!(post("http://10.0.0.5"), "ORIGIN_NOT_ALLOWED");
    }
}
