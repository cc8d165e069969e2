//! Tokens, and the access tokens that are got with them.

use serde_json::{Value, json};

use crate::support::{Backend, Http, Runtime, Setup, World, eventually, program};

const TOKEN: &str = "let-me-in-0123456789";

fn bearer(client: &Http, created: &Value) -> Http {
    let secret = created["token"].as_str().unwrap();
    client.with(Some(&format!("Bearer {secret}")))
}

#[tokio::test]
async fn the_first_token_closes_the_api_at_once() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let mut world = Setup::new(Runtime::Process).backend(backend).start().await;
        let refused = world
            .post("/api/v1/tokens", &json!({"name": "ci", "scope": "deploy"}))
            .await;
        assert_eq!(refused.expect(409)["code"], "ADMIN_FIRST");
        world.get("/api/v1/projects").await.expect(200);
        let created = world
            .post("/api/v1/tokens", &json!({"name": "mine", "scope": "admin"}))
            .await;
        assert_eq!(created.header("location"), "/api/v1/tokens/1");
        let created = created.expect(201);
        world.get("/api/v1/projects").await.expect(401);

        let owner = bearer(&world, &created);
        let shown = owner.get("/api/v1/tokens/1").await.expect(200);
        assert_eq!(
            (&shown["name"], &shown["created_by"]),
            (&json!("mine"), &json!("local"))
        );
        assert!(shown.get("token").is_none() && shown.get("hash").is_none(), "{shown}");
        let me = owner.get("/api/v1/auth/me").await.expect(200);
        assert_eq!(
            me,
            json!({"name": "token:mine", "method": "token", "scope": "admin", "expires_at": null})
        );
        eventually("its use is written down", async || {
            let listed = owner.get("/api/v1/tokens?offset=0").await.expect(200);
            match listed["data"][0]["last_used_at"].is_string() {
                true => Ok(()),
                false => Err(listed),
            }
        })
        .await;

        // It stays closed without it.
        owner.delete("/api/v1/tokens/1").await.expect(200);
        owner.get("/api/v1/projects").await.expect(401);
        world.get("/api/v1/projects").await.expect(401);
        let secret = rescue(&world).await;
        world.become_known_by(&secret);
        world.close().await;
    }
}

/// Makes another token where that is always possible, on the machine itself.
async fn rescue(world: &World) -> String {
    let mut command = world.command();
    command.args(["token", "create", "--name", "rescue", "--scope", "admin", "--local"]);
    let output = command.output().await.unwrap();
    assert!(output.status.success(), "{output:?}");
    let secret = String::from_utf8(output.stdout).unwrap();
    let owner = world.with(Some(&format!("Bearer {}", secret.trim())));
    eventually("the service obeys", async || {
        match owner.get("/api/v1/projects").await.status {
            200 => Ok(()),
            other => Err(other),
        }
    })
    .await;
    secret.trim().to_owned()
}

#[tokio::test]
async fn what_is_not_a_token_is_refused() {
    let world = Setup::new(Runtime::Process).token(TOKEN).start().await;
    for body in [
        json!({}),
        json!({"name": "", "scope": "read"}),
        json!({"name": "x", "scope": "root"}),
        json!({"name": "x", "scope": "read", "expires_in_s": 0}),
        json!({"name": "x", "scope": "read", "rate_limit": {"per_minute": 0, "burst": 1}}),
        json!({"name": "x", "scope": "read", "token": "mine"}),
    ] {
        let refused = world.post("/api/v1/tokens", &body).await;
        assert_eq!(refused.expect(400)["code"], "INVALID_FIELD", "{body}");
    }
    world.get("/api/v1/tokens/1").await.expect(404);
    world.delete("/api/v1/tokens/1").await.expect(404);
    assert_eq!(world.get("/api/v1/tokens").await.expect(200), json!([]));
    world.close().await;
}

#[tokio::test]
async fn an_access_token_lasts_no_longer_than_what_it_was_got_with() {
    let world = Setup::new(Runtime::Process).token(TOKEN).start().await;
    let created = world
        .post("/api/v1/tokens", &json!({"name": "ci", "scope": "deploy"}))
        .await
        .expect(201);
    let answer = bearer(&world, &created)
        .post_nothing("/api/v1/auth/token")
        .await
        .expect(200);
    assert_eq!(
        (&answer["token_type"], &answer["scope"]),
        (&json!("Bearer"), &json!("deploy"))
    );
    assert!(
        (895..=900).contains(&answer["expires_in"].as_i64().unwrap()),
        "{answer}"
    );

    let text = answer["access_token"].as_str().unwrap();
    let client = world.with(Some(&format!("Bearer {text}")));
    let me = client.get("/api/v1/auth/me").await.expect(200);
    assert_eq!(
        (&me["name"], &me["method"]),
        (&json!("token:ci"), &json!("access_token"))
    );
    let refused = client.post_nothing("/api/v1/auth/token").await.expect(403);
    assert_eq!(refused["code"], "LASTING_CREDENTIAL_NEEDED");
    world.delete("/api/v1/tokens/1").await.expect(200);
    client.get("/api/v1/auth/me").await.expect(401);

    // Those of the bootstrap token end with it; nobody has to show anything where nothing is configured.
    let of_bootstrap = world.post_nothing("/api/v1/auth/token").await.expect(200);
    assert_eq!(of_bootstrap["scope"], "admin");
    world.close().await;
    let open = Setup::new(Runtime::Process).start().await;
    let refused = open.post_nothing("/api/v1/auth/token").await.expect(409);
    assert_eq!(refused["code"], "NO_CREDENTIAL");
    open.close().await;
}

#[tokio::test]
async fn the_command_line_makes_lists_and_revokes_tokens() {
    let world = Setup::new(Runtime::Process).token(TOKEN).start().await;
    let run = async |arguments: &[&str]| {
        let mut command = program();
        command
            .arg("token")
            .args(arguments)
            .env("BORGOS_URL", world.base_url())
            .env("BORGOS_TOKEN", TOKEN);
        let output = command.output().await.unwrap();
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let secret = run(&["create", "--name", "ci", "--scope", "read", "--expires", "30d"]).await;
    let client = world.with(Some(&format!("Bearer {}", secret.trim())));
    client.get("/api/v1/projects").await.expect(200);
    let listed = run(&["list"]).await;
    assert!(listed.contains("ci") && !listed.contains(secret.trim()), "{listed}");
    assert_eq!(run(&["revoke", "1"]).await, "token 1 is revoked\n");
    client.get("/api/v1/projects").await.expect(401);
    world.close().await;
}
