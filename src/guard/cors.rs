//! What pages of other sites may do: nothing, unless their origin was listed.

use warp::http::{
    HeaderMap, HeaderName, HeaderValue, Method,
    header::{
        ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
        ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, ALLOW, ORIGIN, VARY,
    },
    request::Parts,
};

use crate::config::WebOrigin;

/// What a page may send beside what every page may.
const ALLOWED_HEADERS: &str = "Authorization, Content-Type, Idempotency-Key, X-Request-Id, Mcp-Protocol-Version, \
                               Mcp-Session-Id, Mcp-Method, Mcp-Name";
/// What a page may read beside what every page may.
const EXPOSED_HEADERS: &str = "Link, Location, RateLimit, RateLimit-Policy, Retry-After, WWW-Authenticate, \
                               X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, X-Request-Id, X-Total-Count, \
                               X-Truncated";
/// How long a browser need not ask again, in seconds.
const MAX_AGE: HeaderValue = HeaderValue::from_static("600");

/// The origins whose pages may use the API.
#[derive(Debug, Default)]
pub struct Cors(Vec<WebOrigin>);

/// What an answer says to a page of a listed origin.
#[derive(Debug)]
pub struct Grant {
    origin: HeaderValue,
    is_preflight: bool,
}

impl Cors {
    /// Lets pages of these origins use the API.
    pub fn new(origins: Vec<WebOrigin>) -> Self {
        Self(origins)
    }

    /// Says whether a page of this origin may.
    pub(super) fn allows(&self, origin: &HeaderValue) -> bool {
        self.0.iter().any(|allowed| origin == allowed.as_str())
    }

    /// Returns what the answer to a request says, if the request is from a page that may.
    pub fn grant(&self, parts: &Parts) -> Option<Grant> {
        let origin = parts.headers.get(ORIGIN).filter(|origin| self.allows(origin))?;
        Some(Grant {
            origin: origin.clone(),
            is_preflight: parts.method == Method::OPTIONS && parts.headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD),
        })
    }

    /// Says whether answers differ by origin, which caches have to know.
    pub fn is_on(&self) -> bool {
        !self.0.is_empty()
    }
}

impl Grant {
    /// Writes the headers of an answer.
    pub fn write(self, headers: &mut HeaderMap) {
        let mut insert = |name: HeaderName, value: HeaderValue| headers.insert(name, value);
        insert(ACCESS_CONTROL_ALLOW_ORIGIN, self.origin);
        insert(VARY, HeaderValue::from_name(ORIGIN));
        if !self.is_preflight {
            insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED_HEADERS));
            return;
        }
        insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(ALLOWED_HEADERS));
        insert(ACCESS_CONTROL_MAX_AGE, MAX_AGE);
        if let Some(methods) = headers.get(ALLOW).cloned() {
            headers.insert(ACCESS_CONTROL_ALLOW_METHODS, methods);
        }
    }
}

#[cfg(test)]
mod tests {
    use warp::http::Request;

    use super::*;

    fn headers(method: Method, origin: &str) -> Option<HeaderMap> {
        let cors = Cors::new(vec!["https://board.example".parse().unwrap()]);
        let request = Request::builder().method(method).header(ORIGIN, origin);
        let request = request.header(ACCESS_CONTROL_REQUEST_METHOD, "POST");
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let mut headers = HeaderMap::from_iter([(ALLOW, HeaderValue::from_static("GET, POST"))]);
        cors.grant(&parts)?.write(&mut headers);
        Some(headers)
    }

    #[test]
    fn a_preflight_is_told_what_a_page_may_send() {
        let headers = headers(Method::OPTIONS, "https://board.example").unwrap();
        assert_eq!(headers[ACCESS_CONTROL_ALLOW_ORIGIN], "https://board.example");
        assert_eq!(headers[ACCESS_CONTROL_ALLOW_METHODS], "GET, POST");
        assert!(
            headers[ACCESS_CONTROL_ALLOW_HEADERS]
                .to_str()
                .unwrap()
                .contains("Authorization")
        );
        assert_eq!(headers[VARY], "origin");
        assert!(!headers.contains_key("access-control-allow-credentials"));
    }

    #[test]
    fn other_origins_are_told_nothing() {
        for origin in [
            "https://board.example.evil",
            "http://board.example",
            "https://board.example:8443",
            "null",
            "*",
        ] {
            assert!(headers(Method::GET, origin).is_none(), "{origin}");
        }
    }
}
