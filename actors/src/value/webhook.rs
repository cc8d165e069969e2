//! Values of a webhook.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use reqwest::Url;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Invalid, TEXT_PATTERN, check_text};

const MAX_URL_CHARS: usize = 2000;
/// What a [`WebhookUrl`] looks like, as JSON Schema says it.
const URL_PATTERN: &str = r"^https?://[^\s\x00-\x1f\x7f-\x9f/?#@]+([/?][^\s\x00-\x1f\x7f-\x9f#]*)?$";
/// What a secret begins with that is the Base64 of its key.
const PREFIX: &str = "whsec_";
/// The length of a key, as Standard Webhooks wants it.
const KEY_BYTES: std::ops::RangeInclusive<usize> = 24..=64;
const FRESH_KEY_BYTES: usize = 32;
const MIN_SECRET_CHARS: usize = 16;
const MAX_SECRET_CHARS: usize = 256;

/// Where messages go: an address of HTTP without a credential, which would end up in logs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(inline, extend("format" = "uri", "pattern" = URL_PATTERN, "maxLength" = MAX_URL_CHARS))]
pub struct WebhookUrl(Url);

impl WebhookUrl {
    /// Returns the address.
    pub fn as_url(&self) -> &Url {
        &self.0
    }
}

impl TryFrom<String> for WebhookUrl {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        check_text(&text, 1, MAX_URL_CHARS)?;
        let example = "must be an address such as `https://example.com/hook`";
        let url: Url = text.parse().map_err(|_| Invalid::new(example))?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
            return Err(Invalid::new("must begin with http:// or https:// and name a host"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Invalid::new(
                "must hold no user and no password; messages are signed with the secret",
            ));
        }
        if url.fragment().is_some() {
            return Err(Invalid::new("must hold no fragment, which is never sent"));
        }
        Ok(Self(url))
    }
}

impl From<WebhookUrl> for String {
    fn from(url: WebhookUrl) -> Self {
        url.0.into()
    }
}

/// What messages are signed with. It is never shown, but once to whoever has it made.
#[derive(Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(
    inline,
    extend("pattern" = TEXT_PATTERN, "minLength" = MIN_SECRET_CHARS, "maxLength" = MAX_SECRET_CHARS)
)]
pub struct WebhookSecret {
    text: String,
    key: Vec<u8>,
}

impl WebhookSecret {
    /// Makes one that nobody can guess.
    pub fn generate() -> Self {
        let key: [u8; FRESH_KEY_BYTES] = rand::random();
        Self {
            text: format!("{PREFIX}{}", STANDARD.encode(key)),
            key: key.to_vec(),
        }
    }

    /// Returns the text, for the answer that shows it and the row that keeps it.
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// Returns what messages are signed with.
    pub fn key(&self) -> &[u8] {
        &self.key
    }
}

impl TryFrom<String> for WebhookSecret {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        check_text(&text, MIN_SECRET_CHARS, MAX_SECRET_CHARS)?;
        let key = match text.strip_prefix(PREFIX).map(|encoded| STANDARD.decode(encoded)) {
            None => text.clone().into_bytes(),
            Some(Ok(key)) if KEY_BYTES.contains(&key.len()) => key,
            Some(_) => {
                let (min, max) = (KEY_BYTES.start(), KEY_BYTES.end());
                return Err(Invalid::new(format!(
                    "must have the Base64 of {min} to {max} bytes after `{PREFIX}`"
                )));
            }
        };
        Ok(Self { text, key })
    }
}

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Result<WebhookUrl, Invalid> {
        WebhookUrl::try_from(text.to_owned())
    }

    fn secret(text: &str) -> Result<WebhookSecret, Invalid> {
        WebhookSecret::try_from(text.to_owned())
    }

    #[test]
    fn a_target_is_an_address_of_http_without_a_credential() {
        assert!(url("https://example.com/hook?team=7").is_ok() && url("http://10.0.0.1:9000/").is_ok());
        for bad in [
            "",
            "example.com",
            "ftp://example.com",
            "file:///etc/passwd",
            "http://",
            "https://user@example.com",
            "https://user:canary@example.com",
            "https://:canary@example.com",
            "https://example.com/#part",
            "http://example.com/\n",
            "http://a b/",
        ] {
            let refused = url(bad).unwrap_err().to_string();
            assert!(!refused.contains("canary"), "{bad}: {refused}");
        }
    }

    #[test]
    fn a_secret_is_base64_of_its_key_or_the_key_itself_and_never_shown() {
        let plain = secret("your-webhook-secret").unwrap();
        assert_eq!(plain.key(), b"your-webhook-secret");
        let fresh = WebhookSecret::generate();
        assert_eq!(fresh.key().len(), 32);
        assert_eq!(secret(fresh.expose()).unwrap(), fresh);
        assert_eq!(format!("{fresh:?}"), "***");
        for bad in [
            "",
            "short",
            "whsec_not base64 not base64",
            "whsec_c2hvcnRzaG9ydA==",
            "a\nbcdefghijklmnop",
        ] {
            assert!(secret(bad).is_err(), "{bad}");
        }
    }
}
