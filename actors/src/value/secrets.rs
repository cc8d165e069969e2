//! Secrets among the variables of an environment, and how they are kept out of what programs print.

use std::borrow::Cow;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

use super::Environment;

/// Words in the name of a variable whose value is nobody's business.
const WORDS: [&str; 12] = [
    "SECRET",
    "TOKEN",
    "PASS",
    "PWD",
    "KEY",
    "CREDENTIAL",
    "AUTH",
    "PRIVATE",
    "COOKIE",
    "SESSION",
    "SALT",
    "DSN",
];
/// Names of shells that look like secrets and are directories.
const DIRECTORIES: [&str; 2] = ["PWD", "OLDPWD"];
/// Shorter values, such as `1` or `yes`, are everywhere and no secret.
const MIN_SECRET_BYTES: usize = 4;
/// Shorter numbers are settings, such as how long a token lives.
const MIN_SECRET_DIGITS: usize = 8;
const MASK: &str = "***";

/// Tells whether a variable of that name looks like a secret.
fn looks_secret(name: &str) -> bool {
    let upper = name.to_ascii_uppercase();
    WORDS.iter().any(|word| upper.contains(word)) && !DIRECTORIES.contains(&upper.as_str())
}

/// Returns what people may see of a variable's value: nothing where the name looks like a secret, and of an address all but
/// the password.
pub fn shown<'a>(name: &str, value: &'a str) -> Cow<'a, str> {
    match (looks_secret(name), password(value)) {
        (true, _) => Cow::Borrowed(MASK),
        (false, Some(password)) => Cow::Owned(value.replacen(&format!(":{password}@"), &format!(":{MASK}@"), 1)),
        (false, None) => Cow::Borrowed(value),
    }
}

/// Tells whether a value is what [`shown`] makes of a secret, which nobody means as a value.
pub fn has_mask(name: &str, value: &str) -> bool {
    (looks_secret(name) && value == MASK) || password(value) == Some(MASK)
}

/// Finds the password in an address such as `postgres://user:password@host/name`.
fn password(value: &str) -> Option<&str> {
    let (_, rest) = value.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let (user, _) = authority.rsplit_once('@')?;
    let (_, password) = user.split_once(':')?;
    (!password.is_empty()).then_some(password)
}

/// Tells whether a value could be a secret, rather than a setting whose name looks like one.
fn is_telling(value: &str) -> bool {
    let is_number = value.bytes().all(|byte| byte.is_ascii_digit());
    let is_setting = (is_number && value.len() < MIN_SECRET_DIGITS) || ["true", "false", "none"].contains(&value);
    value.len() >= MIN_SECRET_BYTES && !is_setting
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
        let values = variables
            .into_iter()
            .filter_map(|(name, value)| match looks_secret(name) {
                true => Some(value),
                false => password(value),
            });
        let lines = values.flat_map(|value| value.lines().map(str::trim));
        let mut lines: Vec<&str> = lines.filter(|line| is_telling(line)).collect();
        lines.sort_unstable();
        lines.dedup();
        if lines.is_empty() {
            return Self(None);
        }
        let matcher = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            // Grows with the secrets alone; the faster kinds can take hundreds of times as much.
            .kind(Some(AhoCorasickKind::ContiguousNFA))
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

impl Secrets {
    /// Returns how long the longest of them is.
    pub(crate) fn max_bytes(&self) -> usize {
        self.0.as_ref().map_or(0, AhoCorasick::max_pattern_len)
    }

    /// Finds the place at which a text that is longer than `at` can be cut without cutting a secret: there or before, or else
    /// after the secret that it begins with.
    pub(crate) fn cut(&self, text: &[u8], at: usize) -> usize {
        let matcher = self.0.iter();
        let mut secrets = matcher
            .flat_map(|matcher| matcher.find_iter(text))
            .take_while(|secret| secret.start() < at);
        match secrets.find(|secret| secret.end() > at) {
            None => at,
            Some(cut) if cut.start() > 0 => cut.start(),
            Some(cut) => cut.end(),
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
        for name in [
            "API_KEY",
            "db_password",
            "MYSQL_PWD",
            "DB_PASS",
            "GITHUB_TOKEN",
            "AWS_SECRET_ACCESS",
        ] {
            assert!(looks_secret(name), "{name}");
        }
        for name in ["NODE_ENV", "PWD", "HOME"] {
            assert!(!looks_secret(name), "{name}");
        }
    }

    #[test]
    fn an_address_hides_its_password_and_settings_are_no_secrets() {
        let address = "postgres://me:hunter2@host/name";
        assert_eq!(shown("DATABASE_URL", address), "postgres://me:***@host/name");
        assert_eq!(shown("DATABASE_URL", "postgres://host/a:b@c"), "postgres://host/a:b@c");
        assert_eq!(shown("API_KEY", "x"), "***");
        let secrets = Secrets::among([
            ("DATABASE_URL", address),
            ("TOKEN_TTL", "3600"),
            ("AUTH_ENABLED", "true"),
        ]);
        assert_eq!(secrets.mask("hunter2 3600 true"), "*** 3600 true");
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
