//! Keeps what is secret unreadable wherever it is written down: environments are sealed with XChaCha20-Poly1305 before they
//! reach the database, and opened only where a program is started or something is shown without its secrets.
//!
//! A sealed value is the text `key id:base64 of nonce and ciphertext`. The id tells which key it needs and nothing of it.

mod key_file;

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::STANDARD};
use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use sha2::{Digest, Sha256};

pub use key_file::Error as KeyFileError;
pub(crate) use key_file::KeyFiles;

use crate::{Error, value::Environment};

const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 24;
/// Bound to every sealed environment, so that nothing else that is ever sealed can be taken for one.
const PURPOSE: &[u8] = b"borgos environment";
/// Makes the id of a key a value of its own.
const ID_PURPOSE: &[u8] = b"borgos key id";
const ID_BYTES: usize = 4;

/// A key. Shows nothing but its id. Cheap to clone.
#[derive(Clone)]
pub struct Key {
    id: Arc<str>,
    cipher: Arc<XChaCha20Poly1305>,
}

/// Why a text is no key. It is not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be 64 hexadecimal digits, such as `openssl rand -hex 32` prints")]
pub struct NoKey;

impl Key {
    /// Reads a key as it is written: 64 hexadecimal digits.
    ///
    /// # Errors
    /// Fails for anything else.
    pub fn parse(text: &str) -> Result<Self, NoKey> {
        let digits = text.trim();
        if digits.len() != 2 * KEY_BYTES || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(NoKey);
        }
        let mut key = [0; KEY_BYTES];
        for (byte, place) in key.iter_mut().zip((0..).step_by(2)) {
            *byte = u8::from_str_radix(&digits[place..place + 2], 16).map_err(|_| NoKey)?;
        }
        Ok(Self {
            id: crate::hex::hex(&Sha256::new().chain_update(ID_PURPOSE).chain_update(key).finalize()[..ID_BYTES])
                .into(),
            cipher: Arc::new(XChaCha20Poly1305::new(&key.into())),
        })
    }

    /// Returns what tells this key from others, and nothing of it.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Seals an environment; never twice to the same text.
    pub(crate) fn seal(&self, environment: &Environment) -> Result<Sealed, Error> {
        let failed = || Error::Internal("an environment cannot be sealed".to_owned());
        let plain = serde_json::to_vec(environment).map_err(|_| failed())?;
        let nonce: [u8; NONCE_BYTES] = rand::random();
        let payload = Payload {
            msg: &plain,
            aad: PURPOSE,
        };
        let sealed = self
            .cipher
            .encrypt(&XNonce::from(nonce), payload)
            .map_err(|_| failed())?;
        let text = STANDARD.encode([&nonce[..], &sealed].concat());
        Ok(Sealed(format!("{}:{text}", self.id)))
    }

    /// Opens a sealed environment.
    pub(crate) fn open(&self, sealed: &Sealed) -> Result<Environment, Error> {
        let damaged = || Error::Internal(format!("a sealed environment is damaged, or not of key `{}`", self.id));
        let (id, text) = sealed.0.split_once(':').ok_or_else(damaged)?;
        if *id != *self.id {
            return Err(Error::Internal(format!(
                "an environment is sealed with key `{id}`, and the key in use is `{}`",
                self.id
            )));
        }
        let bytes = STANDARD.decode(text).map_err(|_| damaged())?;
        let (nonce, sealed) = bytes.split_at_checked(NONCE_BYTES).ok_or_else(damaged)?;
        let payload = Payload {
            msg: sealed,
            aad: PURPOSE,
        };
        let nonce = XNonce::try_from(nonce).map_err(|_| damaged())?;
        let plain = self.cipher.decrypt(&nonce, payload).map_err(|_| damaged())?;
        serde_json::from_slice(&plain).map_err(|_| damaged())
    }
}

/// Keys are the same if their ids are.
impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for Key {}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Key({})", self.id)
    }
}

/// An environment as it is kept. Nobody reads it without the key; still, it is not shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed(String);

impl Sealed {
    /// Takes what a column holds.
    pub(crate) fn from_column(text: String) -> Self {
        Self(text)
    }

    /// Returns what a column is to hold.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Sealed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sealed(***)")
    }
}

/// Makes a key that nobody knows, as it is written.
pub(crate) fn new_key() -> String {
    crate::hex::hex(&rand::random::<[u8; KEY_BYTES]>())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn environment() -> Environment {
        serde_json::from_value(json!({"TOKEN": "canary", "MODE": "x"})).unwrap()
    }

    #[test]
    fn what_is_sealed_opens_with_its_key_alone_and_shows_nothing() {
        let key = Key::parse(&new_key()).unwrap();
        let sealed = key.seal(&environment()).unwrap();
        assert_eq!(key.open(&sealed).unwrap(), environment());
        assert_ne!(key.seal(&environment()).unwrap(), sealed);
        assert!(!sealed.as_str().contains("canary") && !sealed.as_str().contains("TOKEN"));

        let other = Key::parse(&new_key()).unwrap();
        let refused = other.open(&sealed).unwrap_err();
        let Error::Internal(reason) = refused else {
            panic!("{refused:?}")
        };
        assert!(reason.contains(key.id()) && reason.contains(other.id()), "{reason}");
    }

    #[test]
    fn what_was_changed_does_not_open() {
        let key = Key::parse(&new_key()).unwrap();
        let sealed = key.seal(&environment()).unwrap();
        let text = sealed.as_str();
        let changed = match text.strip_suffix('=').unwrap_or(text) {
            rest if rest.ends_with('A') => text.replacen(":", ":B", 1),
            _ => text.replacen(":", ":A", 1),
        };
        for bad in [
            changed.as_str(),
            "",
            "x",
            &format!("{}:", key.id()),
            &format!("{}:%", key.id()),
        ] {
            assert!(key.open(&Sealed::from_column(bad.to_owned())).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_key_is_64_hexadecimal_digits() {
        for bad in ["", "abc", &"g".repeat(64), &"é".repeat(32), &"a".repeat(63)] {
            assert!(Key::parse(bad).is_err(), "{bad}");
        }
        let text = new_key();
        assert_eq!(
            Key::parse(&format!("{text}\n")).unwrap().id(),
            Key::parse(&text).unwrap().id()
        );
        assert!(!format!("{:?}", Key::parse(&text).unwrap()).contains(&text));
    }
}
