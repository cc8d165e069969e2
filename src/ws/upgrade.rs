//! Takes a connection out of HTTP.

use hyper::{
    HeaderMap, Response, StatusCode,
    header::{
        CONNECTION, HeaderName, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE,
    },
    upgrade::OnUpgrade,
};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::{Sessions, Visitor};

/// A key is 16 bytes in base64: 22 digits and two fillers.
const KEY_DIGITS: usize = 22;

/// Why a request does not become a WebSocket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is an ordinary request.
    #[error("this is a WebSocket: connect with `Upgrade: websocket`")]
    NotWebSocket,
    /// It wants another version of the protocol.
    #[error("only version 13 of the WebSocket protocol is spoken here")]
    Version,
    /// It wants a WebSocket in a way that is not the protocol's.
    #[error("the WebSocket handshake is malformed: {0}")]
    Malformed(&'static str),
    /// The service stops.
    #[error("the service is stopping")]
    Stopping,
}

impl Refusal {
    /// Returns the status of the answer.
    pub fn status(self) -> StatusCode {
        match self {
            Self::NotWebSocket | Self::Version => StatusCode::UPGRADE_REQUIRED,
            Self::Malformed(_) => StatusCode::BAD_REQUEST,
            Self::Stopping => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// Returns the stable code of the answer.
    pub fn code(self) -> &'static str {
        match self {
            Self::NotWebSocket | Self::Version => "UPGRADE_REQUIRED",
            Self::Malformed(_) => "INVALID_HANDSHAKE",
            Self::Stopping => "STOPPING",
        }
    }

    /// Returns the header that tells the client how to do better.
    pub fn header(self) -> Option<(HeaderName, HeaderValue)> {
        match self {
            Self::NotWebSocket => Some((UPGRADE, HeaderValue::from_static("websocket"))),
            Self::Version => Some((SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"))),
            Self::Malformed(_) | Self::Stopping => None,
        }
    }
}

/// Answers a request for a WebSocket, and starts its session as soon as that answer has been sent. The request's method
/// and path, `Host` and `Origin`, and who is asking have been checked before.
///
/// `on_upgrade` is what hyper has put among the request's extensions.
///
/// # Errors
/// Says why the request is refused, so that the caller can answer in its own words.
pub fn upgrade(
    headers: &HeaderMap,
    on_upgrade: Option<OnUpgrade>,
    sessions: &Sessions,
    visitor: Visitor,
) -> Result<Response<()>, Refusal> {
    let key = check(headers)?;
    let on_upgrade = on_upgrade.ok_or(Refusal::Malformed("this connection cannot be upgraded; use HTTP/1.1"))?;
    let accept = HeaderValue::try_from(derive_accept_key(key.as_bytes()))
        .map_err(|_| Refusal::Malformed("`Sec-WebSocket-Key` is not valid"))?;
    sessions.start(on_upgrade, visitor)?;

    let mut response = Response::new(());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
    Ok(response)
}

/// Checks the headers as RFC 6455, 4.2.1 wants it and returns the key.
fn check(headers: &HeaderMap) -> Result<&HeaderValue, Refusal> {
    if !has_token(headers, &UPGRADE, "websocket") {
        return Err(Refusal::NotWebSocket);
    }
    if !has_token(headers, &CONNECTION, "upgrade") {
        return Err(Refusal::Malformed("`Connection: Upgrade` is missing"));
    }
    if headers.get(SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
        return Err(Refusal::Version);
    }
    let mut keys = headers.get_all(SEC_WEBSOCKET_KEY).iter();
    match (keys.next(), keys.next()) {
        (Some(key), None) if is_key(key.as_bytes()) => Ok(key),
        (None, _) => Err(Refusal::Malformed("`Sec-WebSocket-Key` is missing")),
        _ => Err(Refusal::Malformed("`Sec-WebSocket-Key` is not valid")),
    }
}

fn has_token(headers: &HeaderMap, name: &HeaderName, wanted: &str) -> bool {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values
        .flat_map(|value| value.split(','))
        .any(|token| token.trim().eq_ignore_ascii_case(wanted))
}

fn is_key(key: &[u8]) -> bool {
    let is_digit = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    key.split_at_checked(KEY_DIGITS)
        .is_some_and(|(digits, filler)| digits.iter().all(is_digit) && filler == b"==")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 6455.
    const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

    fn headers(changed: &[(HeaderName, Option<&'static str>)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(UPGRADE, HeaderValue::from_static("WebSocket"));
        headers.insert(CONNECTION, HeaderValue::from_static("keep-alive, Upgrade"));
        headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        headers.insert(SEC_WEBSOCKET_KEY, HeaderValue::from_static(KEY));
        for (name, value) in changed {
            match value {
                Some(value) => headers.insert(name, HeaderValue::from_static(value)),
                None => headers.remove(name),
            };
        }
        headers
    }

    fn status(changed: &[(HeaderName, Option<&'static str>)]) -> Option<u16> {
        check(&headers(changed)).err().map(|refusal| refusal.status().as_u16())
    }

    #[test]
    fn a_handshake_is_checked() {
        assert_eq!(status(&[]), None);
        assert_eq!(status(&[(UPGRADE, None)]), Some(426));
        assert_eq!(status(&[(UPGRADE, Some("h2c"))]), Some(426));
        assert_eq!(status(&[(CONNECTION, None)]), Some(400));
        assert_eq!(status(&[(CONNECTION, Some("close"))]), Some(400));
        assert_eq!(status(&[(SEC_WEBSOCKET_VERSION, None)]), Some(426));
        assert_eq!(status(&[(SEC_WEBSOCKET_VERSION, Some("8"))]), Some(426));
        assert_eq!(status(&[(SEC_WEBSOCKET_KEY, None)]), Some(400));
        assert_eq!(status(&[(SEC_WEBSOCKET_KEY, Some("short=="))]), Some(400));
        assert_eq!(
            status(&[(SEC_WEBSOCKET_KEY, Some("dGhlIHNhbXBsZSBub25jZQ=a"))]),
            Some(400)
        );
    }

    #[test]
    fn a_wrong_version_is_told_the_right_one() {
        assert_eq!(
            Refusal::Version.header(),
            Some((SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13")))
        );
    }
}
