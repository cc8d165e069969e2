//! Credentials that should not be there: few rules, each for a form that nothing else has.
//!
//! What was found is never shown. The answer has its kind and the beginning of its SHA-256, enough to tell two apart and to
//! ask whether a known one is meant.

use std::{collections::HashSet, sync::LazyLock};

use regex::bytes::{Regex, RegexSet};
use sha2::{Digest, Sha256};

use super::finding::{Issue, Kind};

const MAX_PER_FILE: usize = 20;
const SHOWN_HASH_BYTES: usize = 6;
/// Keys are random: fewer different characters are a placeholder.
const MIN_DISTINCT_CHARACTERS: usize = 9;
/// What people write where a key would stand.
const DUMMY_PARTS: [&str; 12] = [
    "EXAMPLE",
    "example",
    "xxxx",
    "XXXX",
    "0000000",
    "123456789",
    "abcdefgh",
    "ABCDEFGH",
    "dummy",
    "fake",
    "placeholder",
    "redacted",
];

/// Each kind of credential with its form.
const RULES: [(&str, &str); 19] = [
    ("an AWS access key id", r"\b(?:AKIA|ASIA)[A-Z2-7]{16}\b"),
    ("a GitHub token", r"\bgh[pousr]_[A-Za-z0-9]{36}\b"),
    ("a GitHub token", r"\bgithub_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}\b"),
    ("a GitLab token", r"\bglpat-[A-Za-z0-9_-]{20}\b"),
    ("a Slack token", r"\bxox[abprs]-[0-9]{10,13}-[0-9A-Za-z-]{10,90}\b"),
    (
        "a Slack webhook",
        r"https://hooks\.slack\.com/services/T[A-Z0-9]{8,12}/B[A-Z0-9]{8,12}/[A-Za-z0-9]{24}\b",
    ),
    ("a Stripe live key", r"\b[sr]k_live_[A-Za-z0-9]{24,99}\b"),
    ("an npm token", r"\bnpm_[A-Za-z0-9]{36}\b"),
    ("a PyPI token", r"\bpypi-AgEIcHlwaS5vcmc[A-Za-z0-9_-]{50,500}"),
    ("a Google API key", r"\bAIza[A-Za-z0-9_-]{35}\b"),
    ("a Google client secret", r"\bGOCSPX-[A-Za-z0-9_-]{28}\b"),
    (
        "an Anthropic key",
        r"\bsk-ant-[a-z]{3,8}[0-9]{2}-[A-Za-z0-9_-]{80,120}\b",
    ),
    (
        "an OpenAI key",
        r"\bsk-[A-Za-z0-9_-]{20,90}T3BlbkFJ[A-Za-z0-9_-]{20,90}\b",
    ),
    ("a SendGrid key", r"\bSG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}\b"),
    ("a DigitalOcean token", r"\bdop_v1_[a-f0-9]{64}\b"),
    ("a Hugging Face token", r"\bhf_[A-Za-z]{34}\b"),
    ("a Docker Hub token", r"\bdckr_pat_[A-Za-z0-9_-]{27}\b"),
    ("a Shopify token", r"\bshp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}\b"),
    (
        "a private key",
        r"-----BEGIN (?:RSA |EC |DSA |OPENSSH |ENCRYPTED )?PRIVATE KEY-----(?:\s|\\n)+(?:[A-Za-z-]+: [^\n]+\n)*\s*[A-Za-z0-9+/=]{48,76}",
    ),
];

static ANY: LazyLock<RegexSet> =
    LazyLock::new(|| RegexSet::new(RULES.map(|(_, form)| form)).expect("the forms are constants"));
static EACH: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    let compile = |(_, form): &(&str, &str)| Regex::new(form).expect("the forms are constants");
    RULES.iter().map(compile).collect()
});

/// Finds the credentials in a file.
pub(super) fn find(content: &[u8], is_fixture: bool) -> Vec<Issue> {
    let mut issues = Vec::new();
    for rule in &ANY.matches(content) {
        for found in EACH[rule]
            .find_iter(content)
            .filter(|found| !is_dummy(found.as_bytes()))
        {
            if issues.len() >= MAX_PER_FILE {
                return issues;
            }
            issues.push(Issue {
                kind: Kind::Secret,
                line: line_of(content, found.start()),
                message: describe(RULES[rule].0, found.as_bytes()),
                is_fixture,
            });
        }
    }
    issues
}

fn describe(kind: &str, secret: &[u8]) -> String {
    let shown = crate::hex::hex(&Sha256::digest(secret)[..SHOWN_HASH_BYTES]);
    format!("This looks like {kind} (SHA-256 {shown}…)")
}

/// Tells whether the text has a credential's form and cannot be one.
fn is_dummy(secret: &[u8]) -> bool {
    let distinct: HashSet<u8> = secret.iter().copied().collect();
    let text = String::from_utf8_lossy(secret);
    distinct.len() < MIN_DISTINCT_CHARACTERS || DUMMY_PARTS.iter().any(|part| text.contains(part))
}

fn line_of(content: &[u8], offset: usize) -> u32 {
    let num_breaks = content[..offset].iter().filter(|&&byte| byte == b'\n').count();
    u32::try_from(num_breaks + 1).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Random letters and digits; put together here, so that no key's form stands in this file.
    const RANDOM: &str = "q7RzT2mKx9VbN4wLcY8dPfHs3gJ6kAeU5tZrMvXnQyWbCdFhGjKpLs2T4uV6w8";

    #[track_caller]
    fn check(text: &str, kind: &str) {
        let content = format!("first\nkey = \"{text}\"\n");
        let issues = find(content.as_bytes(), false);
        let [issue] = &issues[..] else {
            panic!("one secret must be found in {content:?}: {issues:?}");
        };
        assert_eq!(issue.line, 2);
        assert!(issue.message.contains(kind), "{issue:?}");
        assert!(!issue.message.contains(&text[..12]), "{issue:?}");
    }

    #[test]
    fn each_form_is_found_and_not_shown() {
        check(&format!("AKIA{}", "QZ7XK4MWTV2RNB5J"), "AWS");
        check(&format!("ghp_{}", &RANDOM[..36]), "GitHub");
        check(&format!("glpat-{}", &RANDOM[..20]), "GitLab");
        check(&format!("xoxb-{}-{}", "1738495027", &RANDOM[..24]), "Slack");
        check(&format!("sk_live_{}", &RANDOM[..24]), "Stripe");
        check(&format!("npm_{}", &RANDOM[..36]), "npm");
        check(&format!("pypi-AgEIcHlwaS5vcmc{}", &RANDOM[..60]), "PyPI");
        check(&format!("AIza{}", &RANDOM[..35]), "Google");
        check(
            &format!("-----BEGIN RSA PRIVATE KEY-----\n{}", &RANDOM[..60]),
            "private key",
        );
    }

    #[test]
    fn placeholders_and_bare_headers_are_no_secrets() {
        let harmless = [
            format!("AKIA{}", "IOSFODNN7EXAMPLE"),
            format!("ghp_{}", "x".repeat(36)),
            "-----BEGIN RSA PRIVATE KEY-----".to_owned(),
            format!("AKIA{}", "lowercaselettersx"),
        ];
        for text in harmless {
            assert_eq!(find(text.as_bytes(), false), [], "{text}");
        }
    }
}
