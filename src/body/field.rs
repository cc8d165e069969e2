//! What several bodies have in their fields.

use serde::{Deserialize, Deserializer};

/// The id of something, as clients write it: a whole number from 1.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "i64")]
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
