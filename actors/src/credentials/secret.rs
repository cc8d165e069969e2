//! The secrets of tokens and tickets.

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use rand::{TryRng, rngs::SysRng};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::Error;

/// By this, people and programs that look for secrets in code recognise a token.
const PREFIX: &str = "borgos_";
/// Nobody guesses 256 bits.
const NUM_BYTES: usize = 32;

/// A secret that was just made. It is shown once and kept nowhere.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Makes the secret of a token.
    ///
    /// # Errors
    /// Fails when the system has no random numbers.
    pub fn token() -> Result<Self, Error> {
        Ok(Self(format!("{PREFIX}{}", random()?)))
    }

    /// Makes the secret of a ticket.
    ///
    /// # Errors
    /// Fails when the system has no random numbers.
    pub fn ticket() -> Result<Self, Error> {
        random().map(Self)
    }

    /// Says whether a text looks like the secret of a token.
    pub fn is_token(text: &str) -> bool {
        text.starts_with(PREFIX)
    }

    /// Returns the secret itself, for who is to have it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// What is held of `BORGOS_TOKEN`. Hashes are compared: the time that takes says nothing about length or content.
#[derive(Clone)]
pub(super) struct Bootstrap {
    hash: [u8; 32],
    /// Tells it from another one, and tells nothing about it.
    pub(super) fingerprint: String,
}

impl Bootstrap {
    pub(super) fn new(secret: &str) -> Self {
        let hash = Sha256::digest(secret);
        Self {
            fingerprint: digest(&format!("bootstrap:{}", digest(secret))),
            hash: hash.into(),
        }
    }

    pub(super) fn is(&self, secret: &str) -> bool {
        let hash: [u8; 32] = Sha256::digest(secret).into();
        hash.ct_eq(&self.hash).into()
    }
}

/// Returns the hash under which a secret is kept, in hexadecimal digits. A fast one does: nobody can try 256 bits.
pub fn digest(secret: &str) -> String {
    crate::hex::hex(&Sha256::digest(secret))
}

fn random() -> Result<String, Error> {
    Ok(URL_SAFE_NO_PAD.encode(random_bytes()?))
}

/// Returns random bytes of the system.
pub(super) fn random_bytes() -> Result<[u8; NUM_BYTES], Error> {
    let mut bytes = [0; NUM_BYTES];
    SysRng
        .try_fill_bytes(&mut bytes)
        .map_err(|cause| Error::Internal(format!("the system has no random numbers: {cause}")))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_long_recognisable_and_not_shown() {
        let token = Secret::token().unwrap();
        assert!(
            Secret::is_token(token.expose()) && token.expose().len() == 50,
            "{}",
            token.expose()
        );
        assert_ne!(token, Secret::token().unwrap());
        assert_eq!(format!("{token:?}"), "***");
        assert!(!digest(token.expose()).contains(token.expose()));
        assert_eq!(digest("").len(), 64);
    }

    #[test]
    fn only_the_exact_bootstrap_token_is_recognised() {
        let known = Bootstrap::new("s3cret-s3cret-s3cret");
        assert!(known.is("s3cret-s3cret-s3cret"));
        for bad in ["S3cret-s3cret-s3cret", "s3cret-s3cret-s3cretx", "s3cret", ""] {
            assert!(!known.is(bad), "{bad}");
        }
        assert_ne!(known.fingerprint, Bootstrap::new("another").fingerprint);
    }
}
