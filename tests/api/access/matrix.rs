//! Every endpoint with every kind of credential, good and bad.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use borgos::routes::{Endpoint, Scope, TABLE};
use borgos_actors::value;
use serde_json::{Value, json};

use super::TOKEN;
use crate::support::{Answer, Http, Runtime, Setup, World, eventually};

/// Fewer than the wrong credentials after which an address is slowed.
const ENDPOINTS_PER_ADDRESS: usize = 15;
const PASSWORD: &str = "correct horse battery";

/// Makes a token and returns its secret.
async fn token(world: &World, scope: &str, lifetime: Option<u32>) -> (i64, String) {
    let mut body = json!({"name": format!("{scope} token"), "scope": scope});
    if let Some(seconds) = lifetime {
        body["expires_in_s"] = seconds.into();
    }
    let created = world.post("/api/v1/tokens", &body).await.expect(201);
    (
        created["id"].as_i64().unwrap(),
        created["token"].as_str().unwrap().to_owned(),
    )
}

async fn access_token(client: &Http) -> String {
    let answer = client.post_nothing("/api/v1/auth/token").await.expect(200);
    answer["access_token"].as_str().unwrap().to_owned()
}

fn bearer(text: &str) -> Option<String> {
    Some(format!("Bearer {text}"))
}

/// Public, and lets in who has signed the body; a credential of ours is none of its business.
const SIGNED: &str = "/api/v1/hooks/{id}";

/// Nothing has the ids of these paths, so that no request takes another's credential away.
fn path(endpoint: &Endpoint) -> String {
    endpoint
        .path
        .replace("/assets/{file}", "/assets/app.js")
        .replace("{id}", "999")
        .replace("{path}", "event-bus")
        .replace("{delivery}", "999")
        .replace("{file}", "README.md")
}

async fn ask(client: &Http, endpoint: &Endpoint) -> Answer {
    let (path, body) = (path(endpoint), json!({}));
    let sent = client.try_send(endpoint.method.clone(), &path, Some(&body));
    sent.await.unwrap()
}

#[tokio::test]
async fn a_credential_opens_what_its_scope_covers_and_nothing_else() {
    let world = Setup::new(Runtime::Process).token(TOKEN).start().await;
    let (_, read) = token(&world, "read", None).await;
    let (_, deploy) = token(&world, "deploy", Some(3600)).await;
    let (_, admin) = token(&world, "admin", None).await;
    let ada = json!({"name": "ada", "password": PASSWORD, "scope": "read"});
    world.post("/api/v1/users", &ada).await.expect(201);
    let of_user = access_token(&world.with_password("ada", PASSWORD)).await;
    let of_token = access_token(&world.with(bearer(&deploy).as_deref())).await;

    let roles = [
        ("read", world.with(bearer(&read).as_deref()), value::Scope::Read),
        ("deploy", world.with(bearer(&deploy).as_deref()), value::Scope::Deploy),
        ("admin", world.with(bearer(&admin).as_deref()), value::Scope::Admin),
        ("basic", world.with_password("ada", PASSWORD), value::Scope::Read),
        ("of a user", world.with(bearer(&of_user).as_deref()), value::Scope::Read),
        (
            "of a token",
            world.with(bearer(&of_token).as_deref()),
            value::Scope::Deploy,
        ),
    ];
    for (role, client, scope) in &roles {
        for endpoint in TABLE {
            let answer = ask(client, endpoint).await;
            let what = format!("{role}: {} {}", endpoint.method, endpoint.path);
            if endpoint.scope.is_met_by(*scope) {
                let is_own_rule = endpoint.path == SIGNED || answer.json["code"] == "LASTING_CREDENTIAL_NEEDED";
                assert!(
                    is_own_rule || !matches!(answer.status, 401 | 403 | 405 | 429),
                    "{what}: {answer:?}"
                );
            } else {
                assert_eq!(answer.expect(403)["code"], "INSUFFICIENT_SCOPE", "{what}");
            }
        }
    }
    world.close().await;
}

#[tokio::test]
async fn without_a_good_credential_only_what_is_public_answers() {
    let world = Setup::new(Runtime::Process).token(TOKEN).start().await;
    for number in 0..TABLE.len().div_ceil(ENDPOINTS_PER_ADDRESS) {
        let ada = json!({"name": format!("ada{number}"), "password": PASSWORD, "scope": "admin"});
        world.post("/api/v1/users", &ada).await.expect(201);
    }
    let num_rows = world.num_rows().await;
    let bad = bad_credentials(&world).await;
    for (number, (role, bad)) in bad.iter().enumerate() {
        let chunks = TABLE.chunks(ENDPOINTS_PER_ADDRESS);
        for (chunk_number, chunk) in chunks.enumerate() {
            let address = [127, 1, number as u8, chunk_number as u8 + 1];
            let client = match bad {
                Bad::Header(text) => world.with(text.as_deref()),
                // Each name is slowed by itself, too.
                Bad::Login { name, password } => world.with_password(&format!("{name}{chunk_number}"), password),
            };
            let client = client.from(address);
            for endpoint in chunk {
                let answer = ask(&client, endpoint).await;
                let what = format!("{role}: {} {}", endpoint.method, endpoint.path);
                match endpoint.scope {
                    Scope::Public if endpoint.path == SIGNED => {
                        assert_eq!(answer.expect(401)["code"], "INVALID_SIGNATURE", "{what}");
                    }
                    Scope::Public => assert_eq!(answer.status, 200, "{what}"),
                    Scope::Read | Scope::Deploy | Scope::Admin => assert_documented_refusal(answer, &what),
                }
            }
        }
    }
    // Two tokens were made for this, and one of them was revoked.
    assert_eq!(world.num_rows().await, num_rows + 2);
    world.close().await;
}

/// What looks like a credential and is none.
enum Bad {
    Header(Option<String>),
    Login { name: &'static str, password: &'static str },
}

async fn bad_credentials(world: &World) -> Vec<(&'static str, Bad)> {
    let (id, revoked) = token(world, "admin", None).await;
    let of_revoked = access_token(&world.with(bearer(&revoked).as_deref())).await;
    world.delete(&format!("/api/v1/tokens/{id}")).await.expect(200);
    let (_, expired) = token(world, "admin", Some(1)).await;
    let of_expired = access_token(&world.with(bearer(&expired).as_deref())).await;
    for text in [&expired, &of_expired] {
        let client = world.with(bearer(text).as_deref());
        eventually("it has expired", async || match client.get("/api/v1/status").await {
            Answer { status: 401, .. } => Ok(()),
            other => Err(other),
        })
        .await;
    }
    let elsewhere = Setup::new(Runtime::Process).token(TOKEN).start().await;
    let foreign = access_token(&elsewhere).await;
    elsewhere.close().await;
    let ours = access_token(world).await;
    let header = |text: &str| Bad::Header(bearer(text));
    let login = |name, password| Bad::Login { name, password };
    vec![
        ("nothing", Bad::Header(None)),
        (
            "wrong token",
            header("borgos_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
        ),
        ("wrong bootstrap token", header("let-me-in-0123456788")),
        ("revoked token", header(&revoked)),
        ("expired token", header(&expired)),
        ("access token of a revoked token", header(&of_revoked)),
        ("expired access token", header(&of_expired)),
        ("access token of another installation", header(&foreign)),
        ("unsigned access token", header(&unsigned(&ours))),
        ("changed access token", header(&changed(&ours))),
        ("wrong password", login("ada", "correct horse batterz")),
        ("unknown user", login("eve", PASSWORD)),
        ("another scheme", Bad::Header(Some(format!("Digest {TOKEN}")))),
    ]
}

/// The same claims under `alg: none`.
fn unsigned(token: &str) -> String {
    let claims = token.split('.').nth(1).unwrap();
    let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"JWT"}"#);
    format!("{header}.{claims}.")
}

/// Other claims under the same signature.
fn changed(token: &str) -> String {
    let parts: Vec<&str> = token.split('.').collect();
    let mut claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(parts[1]).unwrap()).unwrap();
    claims["exp"] = json!(claims["exp"].as_i64().unwrap() + 3600);
    format!(
        "{}.{}.{}",
        parts[0],
        URL_SAFE_NO_PAD.encode(claims.to_string()),
        parts[2]
    )
}

fn assert_documented_refusal(answer: Answer, what: &str) {
    assert!(
        answer.header("www-authenticate").starts_with("Bearer"),
        "{what}: {answer:?}"
    );
    let body = answer.expect(401);
    assert_eq!(body["error"], "Unauthorized", "{what}");
    assert_eq!(body["message"], "Invalid or missing authentication token", "{what}");
}
