use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::*;
use crate::store::users::Login;

const KEY: &[u8] = b"0123456789abcdef0123456789abcdef";

fn signer() -> Signer {
    Signer::new(KEY, Uuid::nil())
}

fn ada() -> Caller {
    Caller::of_user(&Login {
        id: UserId(7),
        name: "ada".to_owned(),
        password_hash: String::new(),
        scope: Scope::Deploy,
        generation: 3,
    })
}

fn claims() -> Value {
    let now = Utc::now().timestamp();
    json!({
        "iss": format!("borgos:{}", Uuid::nil()), "aud": "borgos", "sub": "user:7", "version": "3", "scope": "deploy",
        "iat": now, "exp": now + 60, "jti": Uuid::new_v4(),
    })
}

/// Signs any header and claims with a key.
fn signed(header: &Value, claims: &Value, key: &[u8]) -> String {
    use hmac::{Hmac, KeyInit, Mac};
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", part(header), part(claims));
    let mac = Hmac::<sha2::Sha256>::new_from_slice(key)
        .unwrap()
        .chain_update(&message);
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

fn is_read(header: Value, claims: Value, key: &[u8]) -> bool {
    signer().read(&signed(&header, &claims, key)).is_some()
}

#[test]
fn what_was_issued_is_read_and_narrows_the_scope() {
    let signer = signer();
    let issued = signer.issue(&ada(), "").unwrap();
    let claims = signer.read(&issued.text).unwrap();
    let subject = Subject::User {
        id: UserId(7),
        generation: 3,
    };
    assert_eq!(claims.subject(), Some(subject));
    let promoted = Caller {
        scope: Scope::Admin,
        ..ada()
    };
    let caller = claims.limit(promoted).unwrap();
    assert_eq!((caller.method, caller.scope), (Method::AccessToken, Scope::Deploy));
    let seconds = (caller.expires_at.unwrap() - Utc::now()).num_seconds();
    assert!((895..=900).contains(&seconds), "{seconds}");
}

#[test]
fn an_access_token_does_not_outlive_what_it_was_got_with() {
    let soon = Utc::now() + TimeDelta::seconds(60);
    let caller = Caller {
        expires_at: Some(soon),
        ..ada()
    };
    assert_eq!(signer().issue(&caller, "").unwrap().expires_at, soon);
    assert!(signer().issue(&Caller::local(), "").is_err());
}

#[test]
fn only_our_own_signature_counts() {
    let hs256 = json!({"alg": "HS256", "typ": "JWT"});
    assert!(is_read(hs256.clone(), claims(), KEY));
    assert!(!is_read(hs256, claims(), b"another key of the same length!!"));
    for algorithm in ["none", "None", "HS384", "HS512", "RS256", "ES256", "EdDSA", ""] {
        assert!(!is_read(json!({"alg": algorithm}), claims(), KEY), "{algorithm}");
    }
    assert!(!is_read(json!({}), claims(), KEY));
    let unsigned = signed(&json!({"alg": "none"}), &claims(), KEY);
    let (unsigned, _) = unsigned.rsplit_once('.').unwrap();
    for text in [
        unsigned.to_owned(),
        format!("{unsigned}."),
        String::new(),
        "..".to_owned(),
    ] {
        assert!(signer().read(&text).is_none(), "{text}");
    }
}

#[test]
fn every_claim_is_checked() {
    let now = Utc::now().timestamp();
    let changes = [
        ("exp", json!(now - 1)),
        ("exp", json!(format!("{}", now + 60))),
        ("exp", Value::Null),
        ("iat", json!(now + 3600)),
        ("iat", json!("yesterday")),
        ("iss", json!("borgos:another")),
        ("aud", json!("others")),
        ("sub", json!("user:x")),
        ("sub", json!("root")),
        ("scope", json!("owner")),
        ("jti", json!("")),
        ("version", json!(3)),
    ];
    let hs256 = || json!({"alg": "HS256"});
    for (claim, value) in changes {
        let mut changed = claims();
        changed[claim] = value.clone();
        assert!(!is_read(hs256(), changed, KEY), "{claim}: {value}");
        let mut without = claims();
        without.as_object_mut().unwrap().remove(claim);
        assert!(!is_read(hs256(), without, KEY), "without {claim}");
    }
}
