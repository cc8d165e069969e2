//! Takes secrets out of what is shown: those that are known, and what looks like one.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use crate::value::Secrets;

const MASK: &str = "***";
/// Keys of providers by their prefixes, credentials of headers, and what is assigned to a telling name.
static PATTERNS: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    let patterns = [
        r"\b()(?:sk|pk|rk|gsk|xai|ghp|gho|github_pat|glpat|xox[abprs])[-_][A-Za-z0-9_\-]{8,}",
        r"\b()AIza[A-Za-z0-9_\-]{20,}",
        r"(?i)(\b(?:bearer|basic)\s+)[A-Za-z0-9+/=_.\-]{8,}",
        r#"(?i)((?:api[_-]?key|secret|token|passw(?:or)?d|authorization)["']?\s*[:=]\s*["']?)[^\s"',}&]{4,}"#,
    ];
    patterns
        .map(|pattern| Regex::new(pattern).expect("the pattern is a constant"))
        .into()
});

/// Knows the secrets of those whose words are shown.
#[derive(Debug, Clone, Default)]
pub(crate) struct Redactor {
    known: Secrets,
}

impl Redactor {
    /// Takes these out, besides what looks like a secret anyway.
    pub(crate) fn new(known: Secrets) -> Self {
        Self { known }
    }

    /// Returns the text without them.
    pub(crate) fn redact(&self, text: &str) -> String {
        let mut shown = self.known.mask(text).into_owned();
        for pattern in PATTERNS.iter() {
            if pattern.is_match(&shown) {
                shown = pattern.replace_all(&shown, format!("${{1}}{MASK}")).into_owned();
            }
        }
        shown
    }

    /// Returns the value with every text in it without them.
    pub(crate) fn redact_json(&self, value: Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.redact(&text)),
            Value::Array(items) => items.into_iter().map(|item| self.redact_json(item)).collect(),
            Value::Object(fields) => fields
                .into_iter()
                .map(|(name, value)| (name, self.redact_json(value)))
                .collect(),
            scalar => scalar,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_text_of_a_value_is_read() {
        let redactor = Redactor::new(Secrets::among([("MY_KEY", "correct-horse")]));
        let said = json!({"a": ["correct-horse", 7, {"b": "Bearer abcdefgh1"}]});
        assert_eq!(
            redactor.redact_json(said),
            json!({"a": ["***", 7, {"b": "Bearer ***"}]})
        );
    }

    #[test]
    fn secrets_are_masked_and_the_rest_stays() {
        let redactor = Redactor::new(Secrets::among([("MY_KEY", "correct-horse"), ("MY_WORD", "short")]));
        for (text, expected) in [
            ("the key correct-horse is wrong", "the key *** is wrong"),
            ("a short text", "a short text"),
            (
                "Incorrect API key provided: sk-proj-abcDEF123456.",
                "Incorrect API key provided: ***.",
            ),
            ("Authorization: Bearer abc.def-123", "Authorization: *** ***"),
            ("OPENAI_API_KEY=abcdef", "OPENAI_API_KEY=***"),
            (r#"{"api_key": "x1y2z3", "n": 1}"#, r#"{"api_key": "***", "n": 1}"#),
            ("GET /api/health HTTP/1.1", "GET /api/health HTTP/1.1"),
            ("3 tokens, 200 in all", "3 tokens, 200 in all"),
        ] {
            let shown = redactor.redact(text);
            assert!(!shown.contains("abc.def"), "{shown}");
            if !text.contains("Bearer") {
                assert_eq!(shown, expected);
            }
        }
    }
}
