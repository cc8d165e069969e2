//! Environment variables.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Invalid;

/// The environment that a deployment is given: at most 500 variables, names as POSIX has them (letters, digits, `_`,
/// not beginning with a digit), values of at most 32 KiB without NUL characters. Numbers and booleans are taken as
/// their text, since that is what a program sees.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "BTreeMap<String, Scalar>", into = "BTreeMap<String, String>")]
#[schemars(inline, extend("maxProperties" = MAX_VARIABLES, "propertyNames" = json!({"pattern": NAME_PATTERN})))]
pub struct Environment(BTreeMap<String, String>);

/// A JSON value that has one obvious text.
#[derive(Deserialize, JsonSchema)]
#[schemars(inline)]
#[serde(untagged, expecting = "each value must be a string, a number or a boolean")]
enum Scalar {
    Text(#[schemars(length(max = MAX_VALUE_BYTES), regex(pattern = r"^[^\x00]*$"))] String),
    Number(serde_json::Number),
    Boolean(bool),
}

const NAME_PATTERN: &str = "^[A-Za-z_][A-Za-z0-9_]{0,255}$";
const MAX_VARIABLES: usize = 500;
const MAX_VALUE_BYTES: usize = 32 * 1024;

impl Environment {
    /// Iterates over names and values in the order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl TryFrom<BTreeMap<String, Scalar>> for Environment {
    type Error = Invalid;

    fn try_from(variables: BTreeMap<String, Scalar>) -> Result<Self, Invalid> {
        if variables.len() > MAX_VARIABLES {
            return Err(Invalid::new(format!("must have at most {MAX_VARIABLES} variables")));
        }
        let variables = variables
            .into_iter()
            .map(|(name, value)| Ok((checked_name(name)?, checked_value(value)?)));
        variables.collect::<Result<_, _>>().map(Self)
    }
}

impl From<Environment> for BTreeMap<String, String> {
    fn from(environment: Environment) -> Self {
        environment.0
    }
}

/// Shows the names only: values may be secrets.
impl std::fmt::Debug for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_map().entries(self.0.keys().map(|name| (name, "***"))).finish()
    }
}

fn checked_name(name: String) -> Result<String, Invalid> {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let begins_well = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if begins_well && name.len() <= 256 && name.chars().all(is_allowed) {
        return Ok(name);
    }
    Err(Invalid::new(
        "each name must consist of at most 256 ASCII letters, digits and `_`, and not begin with a digit",
    ))
}

fn checked_value(value: Scalar) -> Result<String, Invalid> {
    let text = match value {
        Scalar::Text(text) => text,
        Scalar::Number(number) => number.to_string(),
        Scalar::Boolean(boolean) => boolean.to_string(),
    };
    if text.len() > MAX_VALUE_BYTES || text.contains('\0') {
        return Err(Invalid::new(format!(
            "each value must have at most {MAX_VALUE_BYTES} bytes and no NUL character"
        )));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn scalars_become_text_and_the_rest_is_refused() {
        let environment: Environment = serde_json::from_value(json!({"A": 1, "B": true, "_C": "x y"})).unwrap();
        assert_eq!(
            environment.iter().collect::<Vec<_>>(),
            [("A", "1"), ("B", "true"), ("_C", "x y")]
        );
        for bad in [
            json!({"1A": "x"}),
            json!({"A-B": "x"}),
            json!({"": "x"}),
            json!({"A": null}),
            json!({"A": "\0"}),
        ] {
            assert!(serde_json::from_value::<Environment>(bad.clone()).is_err(), "{bad}");
        }
    }

    #[test]
    fn values_are_not_shown() {
        let environment: Environment = serde_json::from_value(json!({"TOKEN": "canary"})).unwrap();
        assert!(!format!("{environment:?}").contains("canary"));
    }
}
