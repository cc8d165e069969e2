//! Values of a deployment.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Invalid, check_text};

const MAX_ARGUMENTS: usize = 256;
const MAX_ARGUMENT_CHARS: usize = 4096;

/// A deployment's name: 1 to 63 lower-case or upper-case ASCII letters, digits, `-`, `_` or `.`, beginning with a
/// letter or digit. Fit for a host name, a label or a file name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(inline, extend("pattern" = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$"))]
pub struct DeploymentName(String);

impl TryFrom<String> for DeploymentName {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        check_text(&text, 1, 63)?;
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if !text.chars().all(is_allowed) || !text.starts_with(|c: char| c.is_ascii_alphanumeric()) {
            return Err(Invalid::new(
                "must consist of ASCII letters, digits, `-`, `_` and `.`, and begin with a letter or digit",
            ));
        }
        Ok(Self(text))
    }
}

impl std::fmt::Display for DeploymentName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<DeploymentName> for String {
    fn from(name: DeploymentName) -> Self {
        name.0
    }
}

/// A TCP port that a deployment can have: 1 to 65535.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "i64", into = "u16")]
#[schemars(inline, extend("format" = "int32", "minimum" = 1, "maximum" = 65_535))]
pub struct Port(u16);

impl Port {
    /// Returns the number.
    pub fn get(self) -> u16 {
        self.0
    }
}

impl TryFrom<i64> for Port {
    type Error = Invalid;

    fn try_from(number: i64) -> Result<Self, Invalid> {
        match u16::try_from(number) {
            Ok(port) if port > 0 => Ok(Self(port)),
            _ => Err(Invalid::new("must be a port number from 1 to 65535")),
        }
    }
}

impl TryFrom<String> for Port {
    type Error = Invalid;

    /// Reads plain digits, as they are written in a query.
    fn try_from(text: String) -> Result<Self, Invalid> {
        let is_digits = text.bytes().all(|byte| byte.is_ascii_digit());
        let number: i64 = text.parse().ok().filter(|_| is_digits).unwrap_or(0);
        Self::try_from(number)
    }
}

impl From<Port> for u16 {
    fn from(port: Port) -> Self {
        port.0
    }
}

impl std::fmt::Display for Port {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// An argument vector: a program and its arguments, never a shell line. 1 to 256 arguments of at most 4096 characters,
/// the first not empty, none with a NUL character.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
#[schemars(inline, transform = begins_with_a_program)]
pub struct Command(Vec<String>);

impl Command {
    /// Returns the program and its arguments.
    pub fn as_argv(&self) -> &[String] {
        &self.0
    }
}

impl TryFrom<Vec<String>> for Command {
    type Error = Invalid;

    fn try_from(argv: Vec<String>) -> Result<Self, Invalid> {
        if argv.first().is_none_or(String::is_empty) {
            return Err(Invalid::new("must begin with a program"));
        }
        if argv.len() > MAX_ARGUMENTS
            || argv
                .iter()
                .any(|argument| argument.chars().count() > MAX_ARGUMENT_CHARS)
        {
            return Err(Invalid::new(format!(
                "must have at most {MAX_ARGUMENTS} arguments of at most {MAX_ARGUMENT_CHARS} characters"
            )));
        }
        if argv.iter().any(|argument| argument.contains('\0')) {
            return Err(Invalid::new("must not contain NUL characters"));
        }
        Ok(Self(argv))
    }
}

fn begins_with_a_program(schema: &mut schemars::Schema) {
    let argument = |min_chars: usize| json!({"type": "string", "minLength": min_chars, "maxLength": MAX_ARGUMENT_CHARS, "pattern": r"^[^\x00]*$"});
    schema.insert("minItems".to_owned(), json!(1));
    schema.insert("maxItems".to_owned(), json!(MAX_ARGUMENTS));
    schema.insert("prefixItems".to_owned(), json!([argument(1)]));
    schema.insert("items".to_owned(), argument(0));
}

impl From<Command> for Vec<String> {
    fn from(command: Command) -> Self {
        command.0
    }
}

/// The path of a health check: begins with `/`, at most 1024 printable ASCII characters, no white space or `#`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(inline, extend("pattern" = r##"^/([!-"$-.0-~][!-"$-~]{0,1022})?$"##))]
pub struct HealthPath(String);

impl HealthPath {
    /// Returns the path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for HealthPath {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        check_text(&text, 1, 1024)?;
        if !text.starts_with('/') || text.starts_with("//") {
            return Err(Invalid::new("must begin with one `/`"));
        }
        if !text.chars().all(|c| c.is_ascii_graphic() && c != '#') {
            return Err(Invalid::new(
                "must consist of printable ASCII characters without spaces or `#`",
            ));
        }
        Ok(Self(text))
    }
}

impl From<HealthPath> for String {
    fn from(path: HealthPath) -> Self {
        path.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_could_mean_something_else_are_refused() {
        for bad in ["", "-rf", ".hidden", "a b", "a/b", "ä", "a\n", &"x".repeat(64)] {
            assert!(DeploymentName::try_from(bad.to_owned()).is_err(), "{bad:?}");
        }
        assert!(DeploymentName::try_from("myproject-prod_2.1".to_owned()).is_ok());
    }

    #[test]
    fn ports_are_one_to_65535() {
        for bad in [-1, 0, 65_536, i64::MAX] {
            assert!(Port::try_from(bad).is_err(), "{bad}");
        }
        assert_eq!(Port::try_from(65_535).unwrap().get(), 65_535);
    }

    #[test]
    fn a_command_begins_with_a_program() {
        for bad in [
            vec![],
            vec![String::new()],
            vec!["a".into(), "b\0".into()],
            vec!["a".to_owned(); 257],
        ] {
            assert!(Command::try_from(bad).is_err());
        }
    }

    #[test]
    fn a_health_path_stays_on_its_host() {
        for bad in ["", "health", "//evil.example/", "/a b", "/a#b", "/ä"] {
            assert!(HealthPath::try_from(bad.to_owned()).is_err(), "{bad:?}");
        }
    }
}
