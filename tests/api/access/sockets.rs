//! Who may listen at `/ws`, and for how long.

use serde_json::json;

use super::TOKEN;
use crate::support::{Answer, Http, Runtime, Setup, Socket, World};

async fn token(world: &World, scope: &str) -> (i64, String) {
    let body = json!({"name": "page", "scope": scope});
    let created = world.post("/api/v1/tokens", &body).await.expect(201);
    (
        created["id"].as_i64().unwrap(),
        created["token"].as_str().unwrap().to_owned(),
    )
}

async fn ticket(client: &Http) -> String {
    let answer = client.post_nothing("/api/v1/auth/ticket").await.expect(200);
    assert_eq!(answer["expires_in"], 30);
    answer["ticket"].as_str().unwrap().to_owned()
}

/// Waits until everything sent so far has been answered.
async fn settle(socket: &mut Socket) {
    socket.send(&json!({"type": "ping", "ref": "settled"})).await;
    while socket.next().await["type"] != "pong" {}
}

#[tokio::test]
async fn a_ticket_opens_one_connection() {
    let world = Setup::new(Runtime::Process).token(TOKEN).start().await;
    let url = world.socket_url();
    let ticket = ticket(&world).await;
    let offer = format!("borgos, borgos.ticket.{ticket}");
    let (mut socket, accepted) = Socket::offering(&url, &offer).await.unwrap();
    assert_eq!(accepted, "borgos", "the ticket is not sent back");
    settle(&mut socket).await;
    assert_eq!(Socket::offering(&url, &offer).await.unwrap_err(), 401, "used twice");
    let alone = format!("borgos.bearer.{TOKEN}");
    assert_eq!(Socket::offering(&url, &alone).await.unwrap_err(), 400);
    let (mut socket, accepted) = Socket::offering(&url, &format!("{alone}, borgos")).await.unwrap();
    assert_eq!(accepted, "borgos");
    settle(&mut socket).await;
    assert_eq!(Socket::offering(&url, "borgos").await.unwrap_err(), 401);
    world.close().await;
}

#[tokio::test]
async fn a_credential_in_the_address_is_refused() {
    let world = Setup::new(Runtime::Process).token(TOKEN).start().await;
    let stranger = world.with(None);
    for path in ["/ws", "/api/v1/projects"] {
        for name in ["token", "access_token", "ticket"] {
            let answer = stranger.get(&format!("{path}?{name}={TOKEN}")).await;
            assert!(!answer.text.contains(TOKEN), "{answer:?}");
            assert_eq!(answer.expect(400)["code"], "CREDENTIAL_IN_QUERY", "{path} {name}");
        }
    }
    world.close().await;
}

#[tokio::test]
async fn a_connection_ends_with_its_credential() {
    let world = Setup::new(Runtime::Process).token(TOKEN).start().await;
    let (id, secret) = token(&world, "read").await;
    let owner = world.with(Some(&format!("Bearer {secret}")));
    let by_header = Socket::connect(&world.socket_url(), Some(&secret)).await;
    let offer = format!("borgos, borgos.ticket.{}", ticket(&owner).await);
    let (by_ticket, _) = Socket::offering(&world.socket_url(), &offer).await.unwrap();
    let mut other = world.socket().await;
    world.delete(&format!("/api/v1/tokens/{id}")).await.expect(200);
    for socket in [by_header, by_ticket] {
        let frame = socket.closed().await;
        assert_eq!(u16::from(frame.code), 1008, "{frame:?}");
        assert!(frame.reason.contains("credential"), "{frame:?}");
    }
    settle(&mut other).await;

    let body = json!({"name": "short", "scope": "read", "expires_in_s": 2});
    let short = world.post("/api/v1/tokens", &body).await.expect(201);
    let socket = Socket::connect(&world.socket_url(), short["token"].as_str()).await;
    assert_eq!(u16::from(socket.closed().await.code), 1008);
    world.close().await;
}

#[tokio::test]
async fn changes_of_credentials_are_told_to_admins_only() {
    let world = Setup::new(Runtime::Process).token(TOKEN).start().await;
    let (_, secret) = token(&world, "deploy").await;
    let mut reader = Socket::connect(&world.socket_url(), Some(&secret)).await;
    reader.subscribe(&["access", "errors"]).await;
    let refused = reader.next().await;
    assert_eq!(
        (&refused["type"], &refused["code"]),
        (&json!("error"), &json!("INSUFFICIENT_SCOPE"))
    );
    assert!(refused["message"].as_str().unwrap().contains("access"), "{refused}");
    let mut admin = world.socket().await;
    admin.subscribe(&["access"]).await;
    settle(&mut admin).await;
    settle(&mut reader).await;

    token(&world, "read").await;
    let event = admin.next_event("token_created", |data| data["scope"] == "read").await;
    assert_eq!(
        (&event["channel"], &event["data"]["name"]),
        (&json!("access"), &json!("page"))
    );
    let entry = json!({"severity": "info", "message": "x", "error_type": "runtime"});
    world.post("/api/v1/errors", &entry).await.expect(201);
    assert_eq!(reader.next().await["type"], "error_logged", "nothing came before it");
    world.close().await;
}

#[tokio::test]
async fn tools_are_those_that_the_scope_allows() {
    let world = Setup::new(Runtime::Process).token(TOKEN).start().await;
    let (_, secret) = token(&world, "read").await;
    let reader = world.with(Some(&format!("Bearer {secret}")));
    let count = |answer: Answer| answer.expect(200)["tools"].as_array().unwrap().len();
    let (few, all) = (
        count(reader.get("/api/v1/mcp/tools").await),
        count(world.get("/api/v1/mcp/tools").await),
    );
    assert!(0 < few && few < all, "{few} of {all}");
    let ask = json!({"query_type": "tool", "query": "stop deployment 1"});
    let refused = reader.post("/api/v1/mcp/query", &ask).await.expect(403);
    assert_eq!(refused["code"], "INSUFFICIENT_SCOPE");
    world.close().await;
}
