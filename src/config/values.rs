//! Values of the configuration, checked where they are read.

use std::{fmt, num::NonZeroU32, str::FromStr};

use borgos_actors::value::{Invalid, Port};
use reqwest::Url;
use serde::{Deserialize, Deserializer, de::Error as _};
use tracing_subscriber::EnvFilter;
use warp::http::uri::Authority;

use crate::guard::rate::Limiter;

/// A text that is never shown.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub struct Secret(String);

impl Secret {
    /// Returns the text itself, for the one place that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl FromStr for Secret {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Which runtime deployments get.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum RuntimeChoice {
    /// Docker where the engine answers, else processes.
    #[default]
    Auto,
    /// Containers of a Docker engine.
    Docker,
    /// Processes of this machine.
    Process,
}

impl FromStr for RuntimeChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            "docker" => Ok(Self::Docker),
            "process" => Ok(Self::Process),
            "swarm" => Err("`swarm` is not supported yet; use `auto`, `docker` or `process`".to_owned()),
            _ => Err("must be `auto`, `docker` or `process`".to_owned()),
        }
    }
}

/// A yes or no, as people write it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum YesNo {
    /// Yes.
    Yes,
    /// No.
    #[default]
    No,
}

impl FromStr for YesNo {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "yes" | "true" => Ok(Self::Yes),
            "no" | "false" => Ok(Self::No),
            _ => Err("must be `yes` or `no`".to_owned()),
        }
    }
}

/// Reads a port from the command line.
pub(super) fn parse_port(text: &str) -> Result<Port, Invalid> {
    Port::try_from(text.to_owned())
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

impl FromStr for LogFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err("must be `text` or `json`".to_owned()),
        }
    }
}

/// Which log lines are written, such as `info` or `borgos_actors=debug,info`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogFilter(String);

impl LogFilter {
    /// Returns the filter in the logger's own form.
    pub fn to_env_filter(&self) -> EnvFilter {
        EnvFilter::new(&self.0)
    }
}

impl Default for LogFilter {
    fn default() -> Self {
        // The library that applies migrations says at `info` what the store says in one line of its own.
        // The library of the Model Context Protocol tells at `info` of every request.
        Self("info,sea_orm_migration=warn,rmcp=warn".to_owned())
    }
}

impl FromStr for LogFilter {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match EnvFilter::try_new(text) {
            Ok(_) if !text.trim().is_empty() => Ok(Self(text.to_owned())),
            Ok(_) => Err("must not be empty; try `info`".to_owned()),
            Err(cause) => Err(format!(
                "must be a filter such as `info` or `borgos=debug,info`: {cause}"
            )),
        }
    }
}

/// The rate limit: `PER_MINUTE/BURST` or `off`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RateLimit {
    /// Nothing is limited.
    Off,
    /// So many requests for each caller.
    On {
        /// How many a minute in the long run.
        per_minute: NonZeroU32,
        /// How many at once.
        burst: NonZeroU32,
    },
}

impl RateLimit {
    /// Makes the buckets, unless the limit is off.
    pub fn limiter(self) -> Option<Limiter> {
        match self {
            Self::Off => None,
            Self::On { per_minute, burst } => Some(Limiter::new(per_minute, burst)),
        }
    }
}

impl Default for RateLimit {
    fn default() -> Self {
        Self::On {
            per_minute: const { NonZeroU32::new(60).expect("60 is not zero") },
            burst: const { NonZeroU32::new(100).expect("100 is not zero") },
        }
    }
}

/// The most that a rate limit can be; governor counts in nanoseconds.
const MAX_RATE: u32 = 1_000_000;

impl FromStr for RateLimit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "off" {
            return Ok(Self::Off);
        }
        let number = |part: &str| part.parse().ok().filter(|number: &NonZeroU32| number.get() <= MAX_RATE);
        match text.split_once('/').map(|(rate, burst)| (number(rate), number(burst))) {
            Some((Some(per_minute), Some(burst))) => Ok(Self::On { per_minute, burst }),
            _ => Err(format!(
                "must be PER_MINUTE/BURST such as `60/100`, each from 1 to {MAX_RATE}, or `off`"
            )),
        }
    }
}

/// A host name or address without a port, in lower case; an IPv6 address in brackets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostName(String);

impl HostName {
    /// Returns the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for HostName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_plain = text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b".-_[]:".contains(&byte));
        match text.parse::<Authority>() {
            Ok(authority) if is_plain && authority.host() == text => Ok(Self(text.to_ascii_lowercase())),
            _ => Err("must be a host name such as `borgos.example`, without scheme or port".to_owned()),
        }
    }
}

/// Where pages come from: scheme, host and port, as a browser writes it in `Origin`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebOrigin(String);

impl WebOrigin {
    /// Returns the origin as browsers write it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for WebOrigin {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let origin = text.parse::<Url>().ok().map(|url| url.origin().ascii_serialization());
        let is_web = text.starts_with("http://") || text.starts_with("https://");
        match origin {
            Some(origin) if is_web && origin == text.trim_end_matches('/') => Ok(Self(origin)),
            _ => Err("must be an origin such as `https://board.example`, in lower case and without a path".to_owned()),
        }
    }
}

/// Where an API is: an http address without a credential, which would end up in logs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUrl(Url);

impl FromStr for BaseUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_plain = |url: &Url| url.username().is_empty() && url.password().is_none() && url.query().is_none();
        match text.parse::<Url>() {
            Ok(url) if !matches!(url.scheme(), "http" | "https") => {
                Err("must begin with http:// or https://".to_owned())
            }
            Ok(url) if is_plain(&url) => Ok(Self(url)),
            Ok(_) => Err("must hold no credential and no query; a key belongs into an environment variable".to_owned()),
            Err(cause) => Err(format!("must be an address such as https://api.openai.com/v1: {cause}")),
        }
    }
}

impl From<BaseUrl> for Url {
    fn from(url: BaseUrl) -> Self {
        url.0
    }
}

macro_rules! deserialize_from_text {
    ($($name:ty),+) => {$(
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
            }
        }
    )+};
}

deserialize_from_text!(
    RuntimeChoice,
    YesNo,
    LogFormat,
    LogFilter,
    RateLimit,
    HostName,
    WebOrigin,
    BaseUrl
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_shown() {
        assert_eq!(format!("{:?}", Secret::from("canary".to_owned())), "***");
    }

    #[test]
    fn swarm_is_refused_by_name() {
        assert!(
            "swarm"
                .parse::<RuntimeChoice>()
                .unwrap_err()
                .contains("not supported yet")
        );
        assert!("kubernetes".parse::<RuntimeChoice>().is_err());
    }

    #[test]
    fn rate_limits_are_two_numbers_or_off() {
        assert_eq!("60/100".parse(), Ok(RateLimit::default()));
        assert_eq!("off".parse(), Ok(RateLimit::Off));
        for bad in ["", "60", "0/1", "1/0", "-1/1", "60/", "60/100/1", "1/1000001", "on"] {
            assert!(bad.parse::<RateLimit>().is_err(), "{bad}");
        }
    }

    #[test]
    fn hosts_are_plain_names() {
        assert_eq!("Borg.Example".parse::<HostName>().unwrap().as_str(), "borg.example");
        assert_eq!("[::1]".parse::<HostName>().unwrap().as_str(), "[::1]");
        for bad in ["", "*", "*.example", "http://a", "a:80", "a/b", "user@a", "a b"] {
            assert!(bad.parse::<HostName>().is_err(), "{bad}");
        }
    }

    #[test]
    fn origins_are_written_as_browsers_do() {
        for good in ["https://board.example", "http://localhost:3000", "http://[::1]:3000"] {
            assert_eq!(good.parse::<WebOrigin>().unwrap().as_str(), good);
        }
        for bad in [
            "*",
            "null",
            "board.example",
            "https://Board.example",
            "https://a/b",
            "https://a:443",
            "file:///a",
            "",
        ] {
            assert!(bad.parse::<WebOrigin>().is_err(), "{bad}");
        }
    }

    #[test]
    fn an_address_of_an_api_holds_no_credential() {
        assert!("https://api.openai.com/v1".parse::<BaseUrl>().is_ok());
        for bad in [
            "",
            "api.openai.com",
            "ftp://a",
            "http://user:canary@a",
            "http://canary@a",
            "http://a?key=canary",
        ] {
            let refused = bad.parse::<BaseUrl>().unwrap_err();
            assert!(!refused.contains("canary"), "{refused}");
        }
    }

    #[test]
    fn a_log_filter_is_checked_when_it_is_read() {
        assert!("borgos=debug,info".parse::<LogFilter>().is_ok());
        for bad in ["", "borgos=loud", "a=b=c"] {
            assert!(bad.parse::<LogFilter>().is_err(), "{bad}");
        }
    }
}
