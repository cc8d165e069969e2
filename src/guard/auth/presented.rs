//! The credential that a request carries, as far as it can be read.

use base64::{Engine, engine::general_purpose::STANDARD};
use warp::http::{
    HeaderMap, StatusCode,
    header::{AUTHORIZATION, SEC_WEBSOCKET_PROTOCOL, UPGRADE},
    request::Parts,
};

use crate::{problem::Problem, query::unescape};

/// Subprotocols of `/ws` that are credentials.
const BEARER_PROTOCOL: &str = "borgos.bearer.";
const TICKET_PROTOCOL: &str = "borgos.ticket.";
/// Parameters that people put credentials into.
const CREDENTIAL_PARAMETERS: [&str; 8] = [
    "token",
    "access_token",
    "auth_token",
    "api_key",
    "apikey",
    "ticket",
    "password",
    "authorization",
];

/// What a request carries.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Presented<'a> {
    Nothing,
    /// A token or an access token.
    Bearer(&'a str),
    Basic {
        name: String,
        password: String,
    },
    Ticket(&'a str),
    /// Something that cannot be understood.
    Unreadable,
}

impl<'a> Presented<'a> {
    /// Looks at a request. On a handshake the subprotocol counts, as a browser may add a header of its own.
    pub(super) fn by(parts: &'a Parts) -> Self {
        if parts.headers.contains_key(UPGRADE)
            && let Some(presented) = by_protocol(&parts.headers)
        {
            return presented;
        }
        let mut values = parts.headers.get_all(AUTHORIZATION).iter();
        match (values.next(), values.next()) {
            (None, _) => Self::Nothing,
            (Some(value), None) => value.to_str().ok().and_then(by_header).unwrap_or(Self::Unreadable),
            (Some(_), Some(_)) => Self::Unreadable,
        }
    }
}

fn by_header(value: &str) -> Option<Presented<'_>> {
    let (scheme, credential) = value.split_once(' ')?;
    let credential = credential.trim();
    match scheme.to_ascii_lowercase().as_str() {
        "bearer" if !credential.is_empty() => Some(Presented::Bearer(credential)),
        "basic" => basic(credential),
        _ => None,
    }
}

fn basic(credential: &str) -> Option<Presented<'static>> {
    let decoded = String::from_utf8(STANDARD.decode(credential).ok()?).ok()?;
    let (name, password) = decoded.split_once(':')?;
    Some(Presented::Basic {
        name: name.to_owned(),
        password: password.to_owned(),
    })
}

fn by_protocol(headers: &HeaderMap) -> Option<Presented<'_>> {
    let values = headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter();
    let offered = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    let mut presented = offered.map(str::trim).filter_map(|protocol| {
        let bearer = protocol.strip_prefix(BEARER_PROTOCOL).map(Presented::Bearer);
        bearer.or_else(|| protocol.strip_prefix(TICKET_PROTOCOL).map(Presented::Ticket))
    });
    match (presented.next(), presented.next()) {
        (first, None) => first,
        (_, Some(_)) => Some(Presented::Unreadable),
    }
}

/// Refuses a credential in an address, which ends up in logs and histories.
///
/// # Errors
/// 400, without repeating it.
pub fn check_query(parts: &Parts) -> Result<(), Problem> {
    let query = parts.uri.query().unwrap_or_default();
    let names = query.split('&').map(|pair| pair.split('=').next().unwrap_or_default());
    let is_credential = |name: &str| {
        let name = unescape(name).unwrap_or_default().to_ascii_lowercase();
        CREDENTIAL_PARAMETERS.contains(&name.as_str())
    };
    if names.into_iter().any(is_credential) {
        let message = "a credential must not be in the address, which ends up in logs; send `Authorization: Bearer`, or for \
                       a WebSocket the subprotocol `borgos.ticket.…` with a ticket of `POST /api/v1/auth/ticket`";
        return Err(Problem::new(StatusCode::BAD_REQUEST, "CREDENTIAL_IN_QUERY", message));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use warp::http::Request;

    use super::*;

    fn parts(uri: &str, headers: &[(&str, &str)]) -> Parts {
        let mut request = Request::builder().uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn headers_are_read() {
        let read = |value: &str| format!("{:?}", Presented::by(&parts("/", &[("authorization", value)])));
        assert_eq!(read("BEARER  abc "), r#"Bearer("abc")"#);
        assert_eq!(read("basic YWRhOmE6Yg=="), r#"Basic { name: "ada", password: "a:b" }"#);
        for bad in ["", "Bearer", "Bearer ", "Basic x", "Basic YWRh", "Digest abc", "abc"] {
            assert_eq!(read(bad), "Unreadable", "{bad}");
        }
        assert_eq!(Presented::by(&parts("/", &[])), Presented::Nothing);
        let twice = parts("/", &[("authorization", "Bearer a"), ("authorization", "Bearer a")]);
        assert_eq!(Presented::by(&twice), Presented::Unreadable);
    }

    #[test]
    fn subprotocols_count_on_a_handshake_only() {
        let offered = ("sec-websocket-protocol", "borgos, borgos.ticket.abc");
        let basic = ("authorization", "Basic YWRhOmE6Yg==");
        let handshake = parts("/ws", &[("upgrade", "websocket"), offered, basic]);
        assert_eq!(Presented::by(&handshake), Presented::Ticket("abc"));
        assert_eq!(Presented::by(&parts("/ws", &[offered])), Presented::Nothing);
        let bearer = ("sec-websocket-protocol", "borgos.bearer.a.b.c,borgos");
        assert_eq!(
            Presented::by(&parts("/ws", &[("upgrade", "websocket"), bearer])),
            Presented::Bearer("a.b.c")
        );
        assert_eq!(
            Presented::by(&parts("/ws", &[("upgrade", "websocket"), offered, bearer])),
            Presented::Unreadable
        );
    }

    #[test]
    fn a_credential_in_the_address_is_refused_without_repeating_it() {
        for bad in [
            "/ws?token=canary",
            "/ws?a=1&access_token=canary",
            "/ws?%74oken=canary",
            "/ws?Ticket=canary",
            "/ws?api_key",
        ] {
            let problem = check_query(&parts(bad, &[])).unwrap_err();
            assert_eq!(problem.code(), "CREDENTIAL_IN_QUERY", "{bad}");
            assert!(!problem.message().contains("canary"));
        }
        for good in ["/ws", "/api/v1/search/code?query=token", "/ws?tokens=1"] {
            assert!(check_query(&parts(good, &[])).is_ok(), "{good}");
        }
    }
}
