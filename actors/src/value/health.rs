//! How an app is asked whether it is well.

use super::{HealthPath, Invalid};
use schemars::JsonSchema;

/// The longest time that can be set, in seconds: an hour.
const MAX_SECONDS: u32 = 3600;
/// More failures in a row than that are no patience any more.
const MAX_RETRIES: u32 = 100;

/// How an app is asked whether it is well, and how patiently.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealthCheck {
    /// Must answer 2xx or 3xx; without it `/health` is asked leniently.
    pub path: Option<HealthPath>,
    /// How long a fresh instance may take to become healthy.
    pub timeout_s: Seconds,
    /// The pause between two probes of a running instance.
    pub interval_s: Seconds,
    /// So many failures in a row make it unhealthy, and as many again have it replaced.
    pub retries: Retries,
}

impl Default for HealthCheck {
    fn default() -> Self {
        Self {
            path: None,
            timeout_s: Seconds(60),
            interval_s: Seconds(10),
            retries: Retries(3),
        }
    }
}

/// A number of seconds from 1 to 3600.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, JsonSchema)]
#[serde(try_from = "i64", into = "i64")]
#[schemars(inline, extend("minimum" = 1, "maximum" = MAX_SECONDS))]
pub struct Seconds(u32);

impl Seconds {
    /// Returns the number.
    pub fn get(self) -> u32 {
        self.0
    }

    /// Returns the time.
    pub fn duration(self) -> std::time::Duration {
        std::time::Duration::from_secs(self.0.into())
    }
}

impl TryFrom<i64> for Seconds {
    type Error = Invalid;

    fn try_from(number: i64) -> Result<Self, Invalid> {
        match u32::try_from(number) {
            Ok(seconds @ 1..=MAX_SECONDS) => Ok(Self(seconds)),
            _ => Err(Invalid::new(format!(
                "must be a number of seconds from 1 to {MAX_SECONDS}"
            ))),
        }
    }
}

impl From<Seconds> for i64 {
    fn from(seconds: Seconds) -> Self {
        seconds.0.into()
    }
}

/// A number of failed probes from 1 to 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, JsonSchema)]
#[serde(try_from = "i64", into = "i64")]
#[schemars(inline, extend("minimum" = 1, "maximum" = MAX_RETRIES))]
pub struct Retries(u32);

impl Retries {
    /// Returns the number.
    pub fn get(self) -> u32 {
        self.0
    }
}

impl TryFrom<i64> for Retries {
    type Error = Invalid;

    fn try_from(number: i64) -> Result<Self, Invalid> {
        match u32::try_from(number) {
            Ok(retries @ 1..=MAX_RETRIES) => Ok(Self(retries)),
            _ => Err(Invalid::new(format!("must be from 1 to {MAX_RETRIES}"))),
        }
    }
}

impl From<Retries> for i64 {
    fn from(retries: Retries) -> Self {
        retries.0.into()
    }
}
