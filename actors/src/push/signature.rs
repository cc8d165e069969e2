//! Who sent a delivery: signatures as GitHub, Gitea and GitLab make them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

use super::Delivery;

/// What begins a secret of the Standard Webhooks, which GitLab's signing tokens are.
const ENCODED: &str = "whsec_";
/// How old a signature with a time may be, or how far ahead a clock.
const TOLERANCE: Duration = Duration::from_secs(5 * 60);

/// Says whether a delivery has a signature of this secret, and none of another one. All comparisons take the same time
/// wherever they fail.
pub(super) fn is_right(secret: &str, delivery: Delivery<'_>) -> bool {
    let header = delivery.header;
    let hex = |signature: String| is_hex_mac(secret.as_bytes(), delivery.body, &signature);
    let signed = [
        header("x-hub-signature-256").map(|text| text.strip_prefix("sha256=").is_some_and(|text| hex(text.to_owned()))),
        header("x-gitea-signature").map(hex),
        header("x-forgejo-signature").map(hex),
        header("webhook-signature").map(|signatures| is_standard(secret, delivery, &signatures)),
    ];
    let mut signed = signed.into_iter().flatten().peekable();
    if signed.peek().is_some() {
        return signed.all(|is_right| is_right);
    }
    let token = header("x-gitlab-token");
    token.is_some_and(|token| bool::from(token.as_bytes().ct_eq(secret.as_bytes())))
}

fn is_hex_mac(key: &[u8], message: &[u8], signature: &str) -> bool {
    if !signature.len().is_multiple_of(2) {
        return false;
    }
    let digits = signature.as_bytes().chunks_exact(2);
    let bytes: Option<Vec<u8>> = digits
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect();
    bytes.is_some_and(|bytes| is_mac(key, &[message], &bytes))
}

/// Checks `id.time.body`, as the Standard Webhooks sign it; one of several signatures is enough, since secrets are changed.
fn is_standard(secret: &str, delivery: Delivery<'_>, signatures: &str) -> bool {
    let (Some(id), Some(time)) = ((delivery.header)("webhook-id"), (delivery.header)("webhook-timestamp")) else {
        return false;
    };
    if !is_recent(&time) {
        return false;
    }
    let encoded = secret.strip_prefix(ENCODED).and_then(|text| STANDARD.decode(text).ok());
    let key = encoded.unwrap_or_else(|| secret.as_bytes().to_vec());
    let head = format!("{id}.{time}.");
    let mut candidates = signatures
        .split_whitespace()
        .filter_map(|text| STANDARD.decode(text.strip_prefix("v1,")?).ok());
    candidates.any(|signature| is_mac(&key, &[head.as_bytes(), delivery.body], &signature))
}

fn is_recent(time: &str) -> bool {
    let Ok(seconds) = time.parse::<u64>() else {
        return false;
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    now.abs_diff(Duration::from_secs(seconds)) <= TOLERANCE
}

fn is_mac(key: &[u8], message: &[&[u8]], signature: &[u8]) -> bool {
    // A key of any length is one.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
        return false;
    };
    for part in message {
        mac.update(part);
    }
    mac.verify_slice(signature).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "It's a Secret to Everybody";
    const BODY: &[u8] = b"Hello, World!";
    /// GitHub's own example for these two.
    const MAC: &str = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

    fn check(secret: &str, headers: &[(&str, &str)]) -> bool {
        let header = |name: &str| {
            let found = headers.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        is_right(
            secret,
            Delivery {
                header: &header,
                body: BODY,
            },
        )
    }

    #[test]
    fn signatures_of_github_and_gitea_are_checked() {
        let github = format!("sha256={MAC}");
        assert!(check(SECRET, &[("x-hub-signature-256", &github)]));
        assert!(check(SECRET, &[("x-gitea-signature", MAC)]));
        assert!(check(
            SECRET,
            &[("x-gitea-signature", MAC), ("x-hub-signature-256", &github)]
        ));
        for (name, value) in [
            ("x-hub-signature-256", MAC),
            ("x-hub-signature-256", "sha256="),
            ("x-hub-signature", "sha1=abc"),
            ("x-gitea-signature", ""),
            ("x-gitea-signature", &MAC[1..]),
            ("x-gitea-signature", &MAC[2..]),
            ("x-gitea-signature", &MAC.replace('7', "8")),
        ] {
            assert!(!check(SECRET, &[(name, value)]), "{name}: {value}");
        }
        assert!(!check("another secret", &[("x-gitea-signature", MAC)]));
        assert!(!check(SECRET, &[]));
        // A wrong one beside a right one is a wrong one.
        assert!(!check(
            SECRET,
            &[("x-gitea-signature", MAC), ("x-hub-signature-256", "sha256=00")]
        ));
        assert!(!check(
            SECRET,
            &[("x-gitlab-token", SECRET), ("x-hub-signature-256", "sha256=00")]
        ));
    }

    #[test]
    fn a_token_of_gitlab_is_compared() {
        assert!(check(SECRET, &[("x-gitlab-token", SECRET)]));
        for wrong in ["", "It's", "It's a Secret to Everybody!"] {
            assert!(!check(SECRET, &[("x-gitlab-token", wrong)]), "{wrong}");
        }
    }

    #[test]
    fn a_signature_of_the_standard_webhooks_holds_for_a_while() {
        let key = STANDARD.encode([7_u8; 32]);
        let secret = format!("{ENCODED}{key}");
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let sign = |time: u64| {
            let mut mac = Hmac::<Sha256>::new_from_slice(&[7_u8; 32]).unwrap();
            mac.update(format!("msg_1.{time}.").as_bytes());
            mac.update(BODY);
            format!("v1,AAAA v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
        };
        for (time, expected) in [(now, true), (now - 200, true), (now - 400, false), (now + 400, false)] {
            let (signature, time) = (sign(time), time.to_string());
            let headers = [
                ("webhook-id", "msg_1"),
                ("webhook-timestamp", &time),
                ("webhook-signature", &signature),
            ];
            assert_eq!(check(&secret, &headers), expected, "{time}");
            let other = [
                ("webhook-id", "msg_2"),
                ("webhook-timestamp", &time),
                ("webhook-signature", &signature),
            ];
            assert!(!check(&secret, &other));
        }
        assert!(!check(&secret, &[("webhook-signature", &sign(now))]));
    }
}
