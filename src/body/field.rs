//! What several bodies have in their fields.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};

/// The id of something, as clients write it: a whole number from 1.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(try_from = "i64")]
#[schemars(inline, extend("minimum" = 1, "maximum" = i64::MAX))]
pub struct Id(i64);

impl Id {
    /// Returns the number.
    pub fn get(self) -> i64 {
        self.0
    }
}

impl TryFrom<i64> for Id {
    type Error = &'static str;

    fn try_from(number: i64) -> Result<Self, Self::Error> {
        match number {
            1.. => Ok(Self(number)),
            _ => Err("must be a positive whole number"),
        }
    }
}

/// A whole number within bounds.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(try_from = "i64")]
#[schemars(inline, extend("format" = "int32", "minimum" = MIN, "maximum" = MAX))]
pub struct Bounded<const MIN: i32, const MAX: i32>(i32);

impl<const MIN: i32, const MAX: i32> Bounded<MIN, MAX> {
    /// Returns the number.
    pub fn get(self) -> i32 {
        self.0
    }
}

impl<const MIN: i32, const MAX: i32> TryFrom<i64> for Bounded<MIN, MAX> {
    type Error = String;

    fn try_from(number: i64) -> Result<Self, Self::Error> {
        match i32::try_from(number) {
            Ok(number) if (MIN..=MAX).contains(&number) => Ok(Self(number)),
            _ => Err(format!("must be a whole number from {MIN} to {MAX}")),
        }
    }
}

/// A point in time.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(inline, extend("format" = "date-time"))]
pub struct Time(DateTime<Utc>);

impl Time {
    /// Returns the time.
    pub fn get(self) -> DateTime<Utc> {
        self.0
    }
}

impl TryFrom<String> for Time {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        match DateTime::parse_from_rfc3339(&text) {
            Ok(time) => Ok(Self(time.to_utc())),
            Err(_) => Err("must be an RFC 3339 time such as `2024-01-15T10:30:00Z`"),
        }
    }
}

/// Reads a field that may be absent and must not be `null`: absent leaves what is there, and it cannot be cleared.
///
/// # Errors
/// Those of the value.
pub fn not_null<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// Reads a field that may be absent, which leaves what is there, or `null`, which clears it.
///
/// # Errors
/// Those of the value.
pub fn nullable<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}
