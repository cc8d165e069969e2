//! Who sent a request.

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use warp::http::{HeaderMap, header::AUTHORIZATION};

use crate::{config::Secret, routes::Scope};

/// Who sent a request. Kept in the request's extensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caller {
    /// Anyone on this machine: no credential is configured and only this machine reaches the listener.
    Local,
    /// The owner of `BORGOS_TOKEN`.
    Bootstrap,
}

impl Caller {
    /// Returns what the caller may do.
    pub fn scope(self) -> Scope {
        match self {
            Self::Local | Self::Bootstrap => Scope::Admin,
        }
    }

    /// Returns the caller's name for logs and the audit.
    pub fn name(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Bootstrap => "bootstrap-token",
        }
    }
}

/// Tells callers by their credential.
#[derive(Debug)]
pub struct Authorizer {
    /// Only a hash is held, and hashes are compared: the time that takes says nothing about length or content.
    token: Option<[u8; 32]>,
}

impl Authorizer {
    /// Accepts the given token; without one everybody is [`Caller::Local`].
    pub fn new(token: Option<&Secret>) -> Self {
        Self {
            token: token.map(|token| hash(token.expose().as_bytes())),
        }
    }

    /// Returns who sent the request, if its credential is good.
    pub fn caller(&self, headers: &HeaderMap) -> Option<Caller> {
        let Some(token) = &self.token else {
            return Some(Caller::Local);
        };
        let is_right: bool = hash(bearer(headers)?).ct_eq(token).into();
        is_right.then_some(Caller::Bootstrap)
    }
}

fn bearer(headers: &HeaderMap) -> Option<&[u8]> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (value, None) = (values.next()?, values.next()) else {
        return None;
    };
    let (scheme, credential) = value.as_bytes().split_at_checked("Bearer ".len())?;
    scheme.eq_ignore_ascii_case(b"Bearer ").then(|| credential.trim_ascii())
}

fn hash(text: &[u8]) -> [u8; 32] {
    Sha256::digest(text).into()
}

#[cfg(test)]
mod tests {
    use warp::http::HeaderValue;

    use super::*;

    fn caller(sent: &[&'static str]) -> Option<Caller> {
        let token = Secret::from("s3cret-s3cret-s3cret".to_owned());
        let mut headers = HeaderMap::new();
        for value in sent {
            headers.append(AUTHORIZATION, HeaderValue::from_static(value));
        }
        Authorizer::new(Some(&token)).caller(&headers)
    }

    #[test]
    fn only_the_exact_token_is_accepted() {
        assert_eq!(caller(&["Bearer s3cret-s3cret-s3cret"]), Some(Caller::Bootstrap));
        assert_eq!(caller(&["bearer s3cret-s3cret-s3cret"]), Some(Caller::Bootstrap));
        for bad in [
            &["Bearer S3cret-s3cret-s3cret"][..],
            &["Bearer s3cret-s3cret-s3cretx"],
            &["Bearer s3cret"],
            &["Bearer "],
            &["Bearer"],
            &["Basic s3cret-s3cret-s3cret"],
            &["s3cret-s3cret-s3cret"],
            &["Bearer s3cret-s3cret-s3cret", "Bearer s3cret-s3cret-s3cret"],
            &[],
        ] {
            assert_eq!(caller(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn without_a_token_everybody_is_local() {
        assert_eq!(Authorizer::new(None).caller(&HeaderMap::new()), Some(Caller::Local));
    }
}
