//! Sorts what Agent Zero says went wrong. Its texts are those of the library that it talks to models with.

use std::time::Duration;

use serde::Serialize;

/// What kind of failure it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// The model's provider does not accept the key.
    LlmAuth,
    /// The provider wants fewer requests.
    RateLimited,
    /// The provider cannot be reached or does not work.
    LlmUnavailable,
    /// The provider refuses the request.
    LlmRefused,
    /// Agent Zero was started in a way in which it cannot run code.
    WrongStartMode,
    /// The chat was ended or emptied from outside.
    ChatReset,
    /// Agent Zero did not run, so nothing was begun.
    NotRunning,
    /// Agent Zero ended meanwhile.
    Interrupted,
    /// Agent Zero does not answer as it should.
    Unusable,
    /// It took longer than it may.
    TimedOut,
    /// It did more steps than it may.
    TooManySteps,
    /// It was called off.
    Cancelled,
    /// Anything else that Agent Zero reports.
    AgentError,
}

/// What in a text tells the class, the more telling first.
const SIGNS: [(&str, Class); 12] = [
    ("AuthenticationError", Class::LlmAuth),
    ("RateLimitError", Class::RateLimited),
    ("No RFC password", Class::WrongStartMode),
    ("PermissionDeniedError", Class::LlmRefused),
    ("BadRequestError", Class::LlmRefused),
    ("InternalServerError", Class::LlmUnavailable),
    ("ServiceUnavailableError", Class::LlmUnavailable),
    ("APIConnectionError", Class::LlmUnavailable),
    ("Connection error", Class::LlmUnavailable),
    ("Cannot connect", Class::LlmUnavailable),
    ("litellm.Timeout", Class::LlmUnavailable),
    ("APIError", Class::LlmRefused),
];
/// The whole text of an answer to a call whose chat was reset meanwhile.
const RESET: &str = "Internal Server Error";
/// A provider that was asked too often is left alone for at least so long.
const RATE_LIMIT_PAUSE: Duration = Duration::from_secs(30);
/// By then one that no longer answers is started again.
const UNUSABLE_PAUSE: Duration = Duration::from_secs(30);
/// A start takes that long.
const START_PAUSE: Duration = Duration::from_secs(15);

impl Class {
    /// Sorts a text of Agent Zero's.
    pub(super) fn of(text: &str) -> Self {
        if text.trim() == RESET {
            return Self::ChatReset;
        }
        let sign = SIGNS.iter().find(|(sign, _)| text.contains(sign));
        sign.map_or(Self::AgentError, |(_, class)| *class)
    }

    /// Returns the class as a stable word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::LlmAuth => "llm_auth",
            Self::RateLimited => "rate_limited",
            Self::LlmUnavailable => "llm_unavailable",
            Self::LlmRefused => "llm_refused",
            Self::WrongStartMode => "wrong_start_mode",
            Self::ChatReset => "chat_reset",
            Self::NotRunning => "not_running",
            Self::Interrupted => "interrupted",
            Self::Unusable => "unusable",
            Self::TimedOut => "timed_out",
            Self::TooManySteps => "too_many_steps",
            Self::Cancelled => "cancelled",
            Self::AgentError => "agent_error",
        }
    }

    /// Returns after which pause another attempt at the same prompt could help, or nothing when it would not.
    pub fn retry_after(self) -> Option<Duration> {
        match self {
            Self::RateLimited => Some(RATE_LIMIT_PAUSE),
            Self::Unusable => Some(UNUSABLE_PAUSE),
            Self::NotRunning => Some(START_PAUSE),
            // What was half done may be done again: tasks are carried out at least once.
            Self::LlmUnavailable | Self::Interrupted => Some(Duration::ZERO),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_sorted_by_what_they_name() {
        for (text, class) in [
            ("litellm.AuthenticationError: bad key\n\"x\"", Class::LlmAuth),
            ("litellm.RateLimitError: RateLimitError: 429", Class::RateLimited),
            ("litellm.InternalServerError: 500", Class::LlmUnavailable),
            ("litellm.InternalServerError: Connection error.", Class::LlmUnavailable),
            (
                "litellm.APIError: OpenrouterException - Cannot connect to host",
                Class::LlmUnavailable,
            ),
            ("litellm.APIError: APIError: 403 Forbidden", Class::LlmRefused),
            (
                "Exception: No RFC password, cannot handle RFC calls.",
                Class::WrongStartMode,
            ),
            ("Internal Server Error", Class::ChatReset),
            ("KeyError: 'x'", Class::AgentError),
        ] {
            assert_eq!(Class::of(text), class, "{text}");
        }
    }

    #[test]
    fn only_what_passes_by_itself_is_tried_again() {
        assert!(Class::RateLimited.retry_after() >= Some(Duration::from_secs(30)));
        for class in [Class::LlmUnavailable, Class::Interrupted, Class::NotRunning] {
            assert!(class.retry_after().is_some(), "{class:?}");
        }
        for class in [Class::LlmAuth, Class::TimedOut, Class::Cancelled] {
            assert_eq!(class.retry_after(), None, "{class:?}");
        }
    }
}
