//! Values of a project.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Invalid, TEXT_PATTERN, check_text};

/// What a [`ProjectName`] looks like, as JSON Schema says it.
const NAME_PATTERN: &str = r"^[^\s\x00-\x1f\x7f-\x9f]([^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f])?$";

/// A project's display name: 1 to 200 characters, none of them a control character, no white space at either end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(inline, extend("pattern" = NAME_PATTERN, "minLength" = 1, "maxLength" = 200))]
pub struct ProjectName(String);

impl TryFrom<String> for ProjectName {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        check_text(&text, 1, 200)?;
        if text.trim() != text {
            return Err(Invalid::new("must not begin or end with white space"));
        }
        Ok(Self(text))
    }
}

impl From<ProjectName> for String {
    fn from(name: ProjectName) -> Self {
        name.0
    }
}

/// A project's kind, such as `web` or `api`: 1 to 50 lower-case letters, digits, `-` or `_`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(inline, extend("pattern" = "^[a-z0-9_-]{1,50}$"))]
pub struct ProjectType(String);

impl TryFrom<String> for ProjectType {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        check_text(&text, 1, 50)?;
        let is_allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
        if !text.chars().all(is_allowed) {
            return Err(Invalid::new("must consist of lower-case letters, digits, `-` and `_`"));
        }
        Ok(Self(text))
    }
}

impl From<ProjectType> for String {
    fn from(kind: ProjectType) -> Self {
        kind.0
    }
}

/// A word or two that name a kind of something: 1 to 100 characters, none of them a control character.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(inline, extend("pattern" = TEXT_PATTERN, "minLength" = 1, "maxLength" = 100))]
pub struct ShortText(String);

impl TryFrom<String> for ShortText {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        check_text(&text, 1, 100)?;
        Ok(Self(text))
    }
}

impl From<ShortText> for String {
    fn from(text: ShortText) -> Self {
        text.0
    }
}

/// The technologies of a project: at most 100 names of 1 to 64 characters.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
#[schemars(inline, transform = has_short_entries)]
pub struct TechStack(Vec<String>);

impl TechStack {
    /// More technologies than this are not listed.
    pub const MAX_ENTRIES: usize = 100;
    /// No name of one is longer.
    pub const MAX_ENTRY_CHARS: usize = 64;
}

impl TryFrom<Vec<String>> for TechStack {
    type Error = Invalid;

    fn try_from(names: Vec<String>) -> Result<Self, Invalid> {
        if names.len() > Self::MAX_ENTRIES {
            return Err(Invalid::new("must have at most 100 entries"));
        }
        for name in &names {
            check_text(name, 1, Self::MAX_ENTRY_CHARS)
                .map_err(|invalid| Invalid::new(format!("each entry {invalid}")))?;
        }
        Ok(Self(names))
    }
}

fn has_short_entries(schema: &mut schemars::Schema) {
    let entry =
        json!({"type": "string", "minLength": 1, "maxLength": TechStack::MAX_ENTRY_CHARS, "pattern": TEXT_PATTERN});
    schema.insert("maxItems".to_owned(), json!(TechStack::MAX_ENTRIES));
    schema.insert("items".to_owned(), entry);
}

impl From<TechStack> for Vec<String> {
    fn from(stack: TechStack) -> Self {
        stack.0
    }
}

/// The directory of a project: absolute, existing, with symbolic links resolved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProjectPath(PathBuf);

impl ProjectPath {
    /// Resolves a path that a client named.
    ///
    /// Reads the file system, so call it from a blocking task.
    ///
    /// # Errors
    /// Says so when the path is relative, has `..` in it, is not valid UTF-8 once resolved, or is no directory.
    pub fn resolve(text: &str) -> Result<Self, Invalid> {
        check_text(text, 1, 4096)?;
        let path = Path::new(text);
        if !path.is_absolute() {
            return Err(Invalid::new("must be an absolute path"));
        }
        if path.components().any(|part| part == std::path::Component::ParentDir) {
            return Err(Invalid::new("must not contain `..`"));
        }
        let resolved = path
            .canonicalize()
            .map_err(|cause| Invalid::new(format!("cannot be opened: {cause}")))?;
        if !resolved.is_dir() {
            return Err(Invalid::new("must be a directory"));
        }
        match resolved.to_str() {
            Some(_) => Ok(Self(resolved)),
            None => Err(Invalid::new("must be valid UTF-8 once its links are resolved")),
        }
    }

    /// Returns the resolved path.
    pub fn as_path(&self) -> &Path {
        &self.0
    }
}

impl From<ProjectPath> for String {
    fn from(path: ProjectPath) -> Self {
        path.0.to_string_lossy().into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_neither_blank_nor_padded_nor_endless() {
        for bad in ["", " ", " a", "a\n", "a\u{0}b", &"x".repeat(201)] {
            assert!(ProjectName::try_from(bad.to_owned()).is_err(), "{bad:?}");
        }
        assert!(ProjectName::try_from("Ünïcode 项目".to_owned()).is_ok());
    }

    #[test]
    fn a_path_is_absolute_and_a_directory() {
        for bad in [
            "",
            "relative",
            "/proc/../etc",
            "/no/such/directory",
            "/etc/passwd",
            "/tmp\u{0}",
        ] {
            assert!(ProjectPath::resolve(bad).is_err(), "{bad:?}");
        }
        assert_eq!(ProjectPath::resolve("/").unwrap().as_path(), Path::new("/"));
    }
}
