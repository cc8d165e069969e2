//! Container image references.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Invalid, check_text};

/// What a reference looks like, as JSON Schema says it: `[host[:port]/]name[/name…][:tag][@sha256:digest]`.
const PATTERN: &str = concat!(
    r"^([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*(:[0-9]{1,4})?/)?",
    r"[a-z0-9]([a-z0-9._-]*[a-z0-9])?(/[a-z0-9]([a-z0-9._-]*[a-z0-9])?)*",
    r"(:[A-Za-z0-9_][A-Za-z0-9._-]{0,127})?(@sha256:[0-9a-f]{64})?$",
);

/// The name of a container image: `[host[:port]/]path[:tag][@digest]`, as the OCI distribution specification and the
/// Docker reference grammar have it, at most 255 characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(inline, extend("pattern" = PATTERN, "maxLength" = 255))]
pub struct ImageRef(String);

impl ImageRef {
    /// Returns the reference as the engine takes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ImageRef {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        check_text(&text, 1, 255)?;
        if is_reference(&text) {
            return Ok(Self(text));
        }
        Err(Invalid::new(
            "must be an image reference such as `registry.example:5000/team/app:1.2`",
        ))
    }
}

impl From<ImageRef> for String {
    fn from(image: ImageRef) -> Self {
        image.0
    }
}

fn is_reference(text: &str) -> bool {
    let (name_and_tag, digest) = match text.split_once('@') {
        Some((name, digest)) => (name, Some(digest)),
        None => (text, None),
    };
    let path_start = name_and_tag.rfind('/').map_or(0, |slash| slash + 1);
    let (name, tag) = match name_and_tag[path_start..].split_once(':') {
        Some((last, tag)) => (&name_and_tag[..path_start + last.len()], Some(tag)),
        None => (name_and_tag, None),
    };
    is_name(name) && tag.is_none_or(is_tag) && digest.is_none_or(is_digest)
}

fn is_name(name: &str) -> bool {
    let mut parts = name.split('/').peekable();
    let first = parts.next().unwrap_or_default();
    let is_first_fine = if parts.peek().is_some() {
        is_host(first) || is_path_part(first)
    } else {
        is_path_part(first)
    };
    is_first_fine && parts.all(is_path_part)
}

fn is_host(part: &str) -> bool {
    let (host, port) = match part.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (part, None),
    };
    let is_label = |label: &str| {
        let is_edge_fine = |c: char| c.is_ascii_alphanumeric();
        label.starts_with(is_edge_fine)
            && label.ends_with(is_edge_fine)
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    };
    host.split('.').all(is_label) && port.is_none_or(|port| port.parse::<u16>().is_ok())
}

fn is_path_part(part: &str) -> bool {
    let is_alphanumeric = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    part.starts_with(is_alphanumeric)
        && part.ends_with(is_alphanumeric)
        && part.chars().all(|c| is_alphanumeric(c) || matches!(c, '.' | '_' | '-'))
}

fn is_tag(tag: &str) -> bool {
    tag.len() <= 128
        && tag.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
        && tag
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))
}

fn is_digest(digest: &str) -> bool {
    digest
        .strip_prefix("sha256:")
        .is_some_and(|hex| hex.len() == 64 && hex.chars().all(|c| c.is_ascii_digit() || ('a'..='f').contains(&c)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_told_from_other_text() {
        let digest = format!("app@sha256:{}", "a1".repeat(32));
        for good in [
            "app",
            "app:1",
            "team/app",
            "localhost:5000/team/app:v1.2_3",
            "r.example/a/b-c.d",
            &digest,
        ] {
            assert!(ImageRef::try_from(good.to_owned()).is_ok(), "{good}");
        }
        for bad in [
            "",
            "App",
            "app:",
            "-app",
            "a//b",
            "a:b:c",
            "app@sha256:12",
            "$(id)",
            "a b",
            "../x",
            "a;b",
            "a:-x",
        ] {
            assert!(ImageRef::try_from(bad.to_owned()).is_err(), "{bad}");
        }
    }
}
