//! Secrets that those who call hooks share with us.

use std::fmt;

use schemars::JsonSchema;
use serde::Deserialize;

use super::Invalid;

const GENERATED_BYTES: usize = 32;
const MIN_CHARS: usize = 16;
const MAX_CHARS: usize = 256;

/// A secret of 16 to 256 printable ASCII characters. It is never shown by accident.
#[derive(Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(inline, extend("pattern" = "^[!-~]{16,256}$"))]
pub struct HookSecret(String);

impl HookSecret {
    /// Makes one that cannot be guessed.
    pub fn generate() -> Self {
        Self(crate::hex::hex(&rand::random::<[u8; GENERATED_BYTES]>()))
    }

    /// Returns the text itself, for those who check signatures, keep it, or show it once.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for HookSecret {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        let is_long_enough = (MIN_CHARS..=MAX_CHARS).contains(&text.len());
        match is_long_enough && text.bytes().all(|byte| byte.is_ascii_graphic()) {
            true => Ok(Self(text)),
            false => Err(Invalid::new(format!(
                "must have {MIN_CHARS} to {MAX_CHARS} printable ASCII characters without spaces"
            ))),
        }
    }
}

impl fmt::Debug for HookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_that_could_be_guessed_is_none() {
        for bad in ["", "short", "with a space in it", "ümlaut-ümlaut-ümlaut"] {
            assert!(HookSecret::try_from(bad.to_owned()).is_err(), "{bad}");
        }
        let (one, other) = (HookSecret::generate(), HookSecret::generate());
        assert_eq!(one.expose().len(), 64);
        assert!(one != other && HookSecret::try_from(one.expose().to_owned()).is_ok());
        assert_eq!(format!("{one:?}"), "***");
    }
}
