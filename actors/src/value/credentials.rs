//! Values of tokens and users.

use std::{fmt, num::NonZeroU32};

use schemars::JsonSchema;
use sea_orm::{DeriveActiveEnum, EnumIter};
use serde::{Deserialize, Serialize};

use super::{Invalid, TEXT_PATTERN, check_text};

/// The largest [`Count`].
const MAX_COUNT: u32 = 1_000_000;

/// What a credential allows; each includes the ones before it.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, EnumIter, DeriveActiveEnum, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum Scope {
    /// To see.
    Read,
    /// To act on projects, deployments, tasks and Agent Zero.
    Deploy,
    /// To manage actors, credentials and secrets.
    Admin,
}

impl Scope {
    /// Returns the scope's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Deploy => "deploy",
            Self::Admin => "admin",
        }
    }
}

/// A user's name: 1 to 64 lower-case letters, digits, `.`, `_`, `@` or `-`. HTTP Basic allows no colon in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(inline, extend("pattern" = "^[a-z0-9._@-]{1,64}$"))]
pub struct UserName(String);

impl UserName {
    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for UserName {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        check_text(&text, 1, 64)?;
        let is_allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._@-".contains(c);
        if !text.chars().all(is_allowed) {
            return Err(Invalid::new(
                "must consist of lower-case letters, digits, `.`, `_`, `@` and `-`",
            ));
        }
        Ok(Self(text))
    }
}

impl From<UserName> for String {
    fn from(name: UserName) -> Self {
        name.0
    }
}

/// A password that is about to be kept: 10 to 1000 characters, none of them a control character. Never shown.
#[derive(Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(inline, extend("pattern" = TEXT_PATTERN, "minLength" = 10, "maxLength" = 1000))]
pub struct Password(String);

impl Password {
    /// Returns the text itself, for who hashes it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Password {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        check_text(&text, 10, 1000)?;
        Ok(Self(text))
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// How many requests a token may send: each number from 1 to 1,000,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// How many a minute in the long run.
    pub per_minute: Count,
    /// How many at once.
    pub burst: Count,
}

/// A number of requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "i64", into = "i64")]
#[schemars(inline, extend("format" = "int32", "minimum" = 1, "maximum" = MAX_COUNT))]
pub struct Count(NonZeroU32);

impl Count {
    /// Returns the number.
    pub fn get(self) -> NonZeroU32 {
        self.0
    }
}

impl TryFrom<i64> for Count {
    type Error = Invalid;

    fn try_from(number: i64) -> Result<Self, Invalid> {
        let count = u32::try_from(number).ok().filter(|count| *count <= MAX_COUNT);
        let count = count.and_then(NonZeroU32::new);
        count
            .map(Self)
            .ok_or_else(|| Invalid::new(format!("must be a whole number from 1 to {MAX_COUNT}")))
    }
}

impl From<Count> for i64 {
    fn from(count: Count) -> Self {
        count.0.get().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain() {
        for good in ["ada", "a.b_c@d-1", &"x".repeat(64)] {
            assert!(UserName::try_from(good.to_owned()).is_ok(), "{good}");
        }
        for bad in ["", "Ada", "a:b", "a b", "é", &"x".repeat(65)] {
            assert!(UserName::try_from(bad.to_owned()).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_password_is_long_enough_and_never_shown() {
        assert!(Password::try_from("short".to_owned()).is_err());
        let password = Password::try_from("canary canary".to_owned()).unwrap();
        assert_eq!(format!("{password:?}"), "***");
    }

    #[test]
    fn a_rate_is_two_positive_numbers() {
        assert!(serde_json::from_str::<Rate>(r#"{"per_minute": 600, "burst": 1}"#).is_ok());
        for bad in [
            r#"{"per_minute": 0, "burst": 1}"#,
            r#"{"per_minute": 1, "burst": 1000001}"#,
            r#"{"per_minute": 1}"#,
        ] {
            assert!(serde_json::from_str::<Rate>(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn scopes_include_the_ones_before_them() {
        assert!(Scope::Read < Scope::Deploy && Scope::Deploy < Scope::Admin);
    }
}
