//! The name of a request, by which an answer, its log lines and a bug report find each other.

use uuid::Uuid;
use warp::http::{HeaderMap, HeaderName, HeaderValue};

/// The header that carries the id, both ways.
pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const MAX_CHARS: usize = 128;

/// The name of a request.
#[derive(Debug, Clone)]
pub struct RequestId(HeaderValue);

impl RequestId {
    /// Takes the id that the client chose, if it is 1 to 128 letters, digits, `.`, `_` or `-`, else makes one.
    pub fn of(headers: &HeaderMap) -> Self {
        match headers.get(X_REQUEST_ID) {
            Some(value) if is_sane(value) => Self(value.clone()),
            _ => Self::fresh(),
        }
    }

    fn fresh() -> Self {
        let text = format!("req_{}", Uuid::new_v4().simple());
        Self(HeaderValue::from_str(&text).expect("hexadecimal digits are fit for a header"))
    }

    /// Returns the id as text.
    pub fn as_str(&self) -> &str {
        self.0.to_str().expect("only ASCII is accepted or made")
    }

    /// Returns the id as it is sent.
    pub fn to_header(&self) -> HeaderValue {
        self.0.clone()
    }
}

fn is_sane(value: &HeaderValue) -> bool {
    let is_allowed = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    (1..=MAX_CHARS).contains(&value.len()) && value.as_bytes().iter().all(is_allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id_for(sent: &[u8]) -> String {
        let mut headers = HeaderMap::new();
        headers.insert(X_REQUEST_ID, HeaderValue::from_bytes(sent).unwrap());
        RequestId::of(&headers).as_str().to_owned()
    }

    #[test]
    fn a_sane_id_is_kept() {
        for sent in ["a", "req_abc123", "A-b.C_9", &"x".repeat(128)] {
            assert_eq!(id_for(sent.as_bytes()), sent);
        }
    }

    #[test]
    fn any_other_id_is_replaced() {
        for sent in [
            &b""[..],
            b"a b",
            b"a\"b",
            b"<x>",
            b"\xff\xfe",
            "x".repeat(129).as_bytes(),
        ] {
            let id = id_for(sent);
            assert!(id.starts_with("req_") && id.len() == 36, "{id}");
        }
    }
}
