//! Secrets among the variables of an environment, and how they are kept out of what programs print.

use std::borrow::Cow;

use aho_corasick::{AhoCorasick, MatchKind};

use super::Environment;

/// Words in the name of a variable whose value is nobody's business.
const WORDS: [&str; 7] = ["SECRET", "TOKEN", "PASSW", "KEY", "CREDENTIAL", "AUTH", "PRIVATE"];
/// Shorter values, such as `1` or `yes`, are everywhere and no secret.
const MIN_SECRET_BYTES: usize = 4;
const MASK: &str = "***";

/// Tells whether a variable of that name looks like a secret.
pub fn looks_secret(name: &str) -> bool {
    let upper = name.to_ascii_uppercase();
    WORDS.iter().any(|word| upper.contains(word))
}

/// The secret values of some environments. Shows none of them.
#[derive(Clone, Default)]
pub struct Secrets(Option<AhoCorasick>);

impl Secrets {
    /// Collects what looks secret. A value of several lines, such as a private key, is masked line by line.
    pub fn of<'a>(environments: impl IntoIterator<Item = &'a Environment>) -> Self {
        let variables = environments.into_iter().flat_map(Environment::iter);
        Self::among(variables)
    }

    /// Collects what looks secret among names and values.
    pub fn among<'a>(variables: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let values = variables.into_iter().filter(|(name, _)| looks_secret(name));
        let lines = values.flat_map(|(_, value)| value.lines().map(str::trim));
        let mut lines: Vec<&str> = lines.filter(|line| line.len() >= MIN_SECRET_BYTES).collect();
        lines.sort_unstable();
        lines.dedup();
        if lines.is_empty() {
            return Self(None);
        }
        let matcher = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .build(lines);
        Self(Some(
            matcher.expect("environments are too small for more patterns than fit"),
        ))
    }

    /// Replaces each secret in a line by `***`.
    pub fn mask<'a>(&self, line: &'a str) -> Cow<'a, str> {
        match &self.0 {
            Some(matcher) if matcher.is_match(line) => {
                let masks = vec![MASK; matcher.patterns_len()];
                Cow::Owned(matcher.replace_all(line, &masks))
            }
            _ => Cow::Borrowed(line),
        }
    }
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secrets(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_secret_is_known_by_its_name() {
        for name in ["API_KEY", "db_password", "GITHUB_TOKEN", "AWS_SECRET_ACCESS"] {
            assert!(looks_secret(name), "{name}");
        }
        assert!(!looks_secret("NODE_ENV"));
    }

    #[test]
    fn secrets_are_masked_wherever_they_stand_and_the_longest_wins() {
        let variables = [
            ("API_KEY", "abcd"),
            ("TOKEN", "abcdef"),
            ("MODE", "plain"),
            ("PRIVATE", "-----\n  first line\nsecond line"),
            ("AUTH", "yes"),
        ];
        let secrets = Secrets::among(variables);
        assert_eq!(secrets.mask("abcdefabcd plain yes"), "****** plain yes");
        assert_eq!(secrets.mask("the second line of it"), "the *** of it");
        assert!(matches!(secrets.mask("nothing"), Cow::Borrowed("nothing")));
        assert!(!format!("{secrets:?}").contains("abcd"));
    }
}
