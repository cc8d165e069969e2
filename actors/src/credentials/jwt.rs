//! Access tokens: short-lived, signed by a key that never leaves the data directory, and worth nothing once the credential
//! that they were got with is.

mod hs256;
mod key;

use std::{path::Path, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Caller, Identity, Method};
use crate::{
    Error,
    id::{TokenId, UserId},
    value::Scope,
};

/// How long an access token is valid.
pub const LIFETIME: Duration = Duration::from_secs(15 * 60);
const AUDIENCE: &str = "borgos";
/// What a clock that was set back a little may be off.
const LEEWAY_SECONDS: i64 = 5;

/// An access token that was just made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessToken {
    /// The token.
    pub text: String,
    /// Until when it is valid.
    pub expires_at: DateTime<Utc>,
}

/// Makes access tokens and reads them.
pub(super) struct Signer {
    encoding: EncodingKey,
    decoding: DecodingKey,
    validation: Validation,
    issuer: String,
}

/// What an access token says. Every field must be there.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Claims {
    iss: String,
    aud: String,
    sub: Owner,
    /// Of the user's password and scope, or of the bootstrap token.
    version: String,
    scope: Scope,
    iat: i64,
    exp: i64,
    jti: Uuid,
}

/// Whom an access token was given to, as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
enum Owner {
    Bootstrap,
    Token(TokenId),
    User(UserId),
}

/// Whom an access token was given to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Subject<'a> {
    /// The owner of a bootstrap token with this fingerprint.
    Bootstrap { fingerprint: &'a str },
    /// A program.
    Token(TokenId),
    /// A user, as of this generation.
    User { id: UserId, generation: i64 },
}

impl Signer {
    /// Reads the key, or makes it.
    pub(super) fn load(data_dir: &Path, instance: Uuid) -> Result<Self, key::Error> {
        Ok(Self::new(&key::load(data_dir)?, instance))
    }

    fn new(key: &[u8], instance: Uuid) -> Self {
        hs256::install();
        let issuer = format!("borgos:{instance}");
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_audience(&[AUDIENCE]);
        validation.set_issuer(&[&issuer]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation.leeway = 0;
        Self {
            encoding: EncodingKey::from_secret(key),
            decoding: DecodingKey::from_secret(key),
            validation,
            issuer,
        }
    }

    /// Makes an access token. `fingerprint` tells one bootstrap token from another.
    pub(super) fn issue(&self, caller: &Caller, fingerprint: &str) -> Result<AccessToken, Error> {
        let now = Utc::now();
        let limit = now + TimeDelta::seconds(LIFETIME.as_secs() as i64);
        // It does not outlive what it was got with.
        let expires_at = caller.expires_at.map_or(limit, |at| at.min(limit));
        let (sub, version) = owner(caller, fingerprint)?;
        let claims = Claims {
            iss: self.issuer.clone(),
            aud: AUDIENCE.to_owned(),
            sub,
            version,
            scope: caller.scope,
            iat: now.timestamp(),
            exp: expires_at.timestamp(),
            jti: Uuid::new_v4(),
        };
        let text = encode(&Header::new(Algorithm::HS256), &claims, &self.encoding)
            .map_err(|cause| Error::Internal(format!("an access token cannot be signed: {cause}")))?;
        Ok(AccessToken { text, expires_at })
    }

    /// Reads an access token of ours that has not expired.
    pub(super) fn read(&self, text: &str) -> Option<Claims> {
        let claims: Claims = decode(text, &self.decoding, &self.validation).ok()?.claims;
        let is_of_the_past = claims.iat <= Utc::now().timestamp() + LEEWAY_SECONDS;
        is_of_the_past.then_some(claims)
    }
}

fn owner(caller: &Caller, fingerprint: &str) -> Result<(Owner, String), Error> {
    match caller.identity {
        Identity::Bootstrap => Ok((Owner::Bootstrap, fingerprint.to_owned())),
        Identity::Token(id) => Ok((Owner::Token(id), String::new())),
        Identity::User { id, generation } => Ok((Owner::User(id), generation.to_string())),
        Identity::Local => Err(Error::Conflict {
            code: "NO_CREDENTIAL",
            reason: "nobody has to show a credential here, so there is none to get an access token with".to_owned(),
        }),
    }
}

impl Claims {
    pub(super) fn subject(&self) -> Option<Subject<'_>> {
        Some(match self.sub {
            Owner::Bootstrap => Subject::Bootstrap {
                fingerprint: &self.version,
            },
            Owner::Token(id) => Subject::Token(id),
            Owner::User(id) => Subject::User {
                id,
                generation: self.version.parse().ok()?,
            },
        })
    }

    /// Narrows what the owner may do to what the token was made for.
    pub(super) fn limit(&self, owner: Caller) -> Option<Caller> {
        Some(Caller {
            method: Method::AccessToken,
            scope: owner.scope.min(self.scope),
            expires_at: Some(DateTime::from_timestamp(self.exp, 0)?),
            ..owner
        })
    }
}

impl From<Owner> for String {
    fn from(owner: Owner) -> Self {
        match owner {
            Owner::Bootstrap => "bootstrap".to_owned(),
            Owner::Token(id) => format!("token:{id}"),
            Owner::User(id) => format!("user:{id}"),
        }
    }
}

impl TryFrom<String> for Owner {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let parts = text.split_once(':').map(|(kind, id)| (kind, id.parse::<i64>()));
        match parts {
            None if text == "bootstrap" => Ok(Self::Bootstrap),
            Some(("token", Ok(id))) => Ok(Self::Token(TokenId(id))),
            Some(("user", Ok(id))) => Ok(Self::User(UserId(id))),
            _ => Err("is nobody"),
        }
    }
}

#[cfg(test)]
mod tests;
