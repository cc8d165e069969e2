//! Names of commits.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Invalid, check_text};

/// A branch, a tag or a commit id, at most 255 characters: what git allows in such names, and nothing that git would take
/// for an option or an expression.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(inline, extend("minLength" = 1, "maxLength" = 255))]
pub struct GitRef(String);

impl GitRef {
    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is a commit id in full.
    pub fn is_commit(&self) -> bool {
        matches!(self.0.len(), 40 | 64) && self.0.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    }
}

impl TryFrom<String> for GitRef {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        check_text(&text, 1, 255)?;
        let is_part_fine = |part: &str| !part.is_empty() && !part.starts_with(['.', '-']) && !part.ends_with(".lock");
        let is_fine = !text.contains([' ', '~', '^', ':', '?', '*', '[', '\\', '@'])
            && !text.contains("..")
            && !text.ends_with('.')
            && text.split('/').all(is_part_fine);
        match is_fine {
            true => Ok(Self(text)),
            false => Err(Invalid::new("must be the name of a branch or a tag, or a commit id")),
        }
    }
}

impl From<GitRef> for String {
    fn from(name: GitRef) -> Self {
        name.0
    }
}

impl std::fmt::Display for GitRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_from_options_and_expressions() {
        for good in ["main", "feature/a-b_c.1", "v1.2", "0123abc", "HEAD", "füße"] {
            assert!(GitRef::try_from(good.to_owned()).is_ok(), "{good}");
        }
        for bad in [
            "",
            "-x",
            "--upload-pack=touch /tmp/x",
            "a/-b",
            "a..b",
            "a b",
            "main^{tree}",
            "main~1",
            "main:path",
            ":/text",
            "@{u}",
            "a//b",
            "/a",
            "a/",
            ".a",
            "a/.b",
            "a.lock",
            "a.",
            "a\\b",
            "a*",
            "a\nb",
        ] {
            assert!(GitRef::try_from(bad.to_owned()).is_err(), "{bad}");
        }
        assert!(GitRef::try_from("a".repeat(40)).unwrap().is_commit());
        assert!(!GitRef::try_from("a".repeat(39)).unwrap().is_commit());
    }
}
