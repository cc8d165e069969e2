//! Users: HTTP Basic, the command line that adds the first one, and what slows down who guesses.

use std::process::{Output, Stdio};

use serde_json::json;
use tokio::{io::AsyncWriteExt, process::Command};

use super::everywhere::on_both_databases;
use crate::support::{Http, Runtime, Setup, Socket, World, eventually, free_port};

const TOKEN: &str = "let-me-in-0123456789";
const PASSWORD: &str = "correct horse battery";
const OTHER: &str = "another horse battery";

/// Runs `borgos user` with a password on its standard input.
async fn user(mut command: Command, arguments: &[&str], password: &str) -> Output {
    command.arg("user").args(arguments).stdin(Stdio::piped());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(format!("{password}\n").as_bytes()).await.unwrap();
    drop(input);
    child.wait_with_output().await.unwrap()
}

#[tokio::test]
async fn the_first_admin_needs_no_running_service_and_no_credential() {
    let mut world = Setup::new(Runtime::Process).start().await;
    world.terminate().await;
    let added = user(world.command(), &["add", "ada", "--admin"], PASSWORD).await;
    assert!(added.status.success(), "{added:?}");
    assert_eq!(String::from_utf8_lossy(&added.stdout), "user ada may admin\n");
    let again = user(world.command(), &["add", "ada"], PASSWORD).await;
    assert_eq!(again.status.code(), Some(1), "{again:?}");

    // With it, others may reach the service.
    let port = free_port();
    let mut command = world.command();
    command
        .env("BORGOS_LISTEN", format!("0.0.0.0:{port}"))
        .stderr(Stdio::null());
    let mut wide = command.spawn().unwrap();
    let near = Http::new(&format!("http://127.0.0.1:{port}"), None);
    let ada = near.with_password("ada", PASSWORD);
    eventually("it serves ada", async || {
        let asked = ada.try_send(reqwest::Method::GET, "/api/v1/auth/me", None).await;
        match asked {
            Ok(answer) if answer.status == 200 => Ok(()),
            other => Err(other.map(|answer| answer.status)),
        }
    })
    .await;
    near.get("/api/v1/projects").await.expect(401);
    wide.kill().await.unwrap();

    let removed = user(world.command(), &["remove", "ada"], "").await;
    assert!(removed.status.success(), "{removed:?}");
    world.boot().await;
    world.get("/api/v1/projects").await.expect(200);
    world.close().await;
}

#[tokio::test]
async fn a_service_that_runs_is_asked_or_passed_over() {
    let world = Setup::new(Runtime::Process).token(TOKEN).start().await;
    let asking = || {
        let mut command = world.command();
        command.env("BORGOS_URL", world.base_url());
        command
    };
    let added = user(asking(), &["add", "ada", "--scope", "deploy"], PASSWORD).await;
    assert!(added.status.success(), "{added:?}");
    let ada = world.with_password("ada", PASSWORD);
    assert_eq!(ada.get("/api/v1/auth/me").await.expect(200)["scope"], "deploy");

    let mut without = asking();
    without.env_remove("BORGOS_TOKEN");
    let refused = user(without, &["list"], "").await;
    assert_eq!(refused.status.code(), Some(4), "{refused:?}");
    let mut around = asking();
    around.env_remove("BORGOS_TOKEN");
    let added = user(around, &["add", "eve", "--admin", "--local"], PASSWORD).await;
    assert!(added.status.success(), "{added:?}");

    // What is changed through the service has it look at all users.
    let changed = user(asking(), &["passwd", "ada"], OTHER).await;
    assert!(changed.status.success(), "{changed:?}");
    ada.get("/api/v1/auth/me").await.expect(401);
    let eve = world.with_password("eve", PASSWORD);
    eve.get("/api/v1/auth/me").await.expect(200);
    let listed = user(asking(), &["list"], "").await;
    let listed = String::from_utf8(listed.stdout).unwrap();
    assert!(listed.contains("ada") && listed.contains("eve"), "{listed}");
    let removed = user(asking(), &["remove", "eve", "--local"], "").await;
    assert!(removed.status.success(), "{removed:?}");
    eventually("the service looks at the users by itself", async || {
        match eve.get("/api/v1/auth/me").await.status {
            401 => Ok(()),
            other => Err(other),
        }
    })
    .await;
    let short = user(asking(), &["add", "bob"], "short").await;
    assert_eq!(short.status.code(), Some(2), "{short:?}");
    world.close().await;
}

#[tokio::test]
async fn a_change_of_a_user_ends_all_that_was_got_before() {
    on_both_databases(async |world| {
        let owner = json!({"name": "owner", "password": PASSWORD, "scope": "admin"});
        world.post("/api/v1/users", &owner).await.expect(201);
        let owner = world.with_password("owner", PASSWORD);
        let body = json!({"name": "ada", "password": PASSWORD, "scope": "read"});
        let created = owner.post("/api/v1/users", &body).await;
        assert_eq!(created.header("location"), "/api/v1/users/2");
        let created = created.expect(201);
        assert!(!created.to_string().contains("argon2"), "{created}");
        assert_eq!(owner.get("/api/v1/users/2").await.expect(200), created);
        assert_eq!(
            owner.post("/api/v1/users", &body).await.expect(409)["code"],
            "NAME_IN_USE"
        );

        let ada = world.with_password("ada", PASSWORD);
        assert_eq!(ada.get("/api/v1/auth/me").await.expect(200)["method"], "basic");
        let token = ada.post_nothing("/api/v1/auth/token").await.expect(200)["access_token"].clone();
        let token = token.as_str().unwrap();
        let socket = Socket::connect(&world.socket_url(), Some(token)).await;
        let patched = owner.patch("/api/v1/users/2", &json!({"password": OTHER})).await;
        patched.expect(200);
        assert_eq!(u16::from(socket.closed().await.code), 1008);
        ada.get("/api/v1/auth/me").await.expect(401);
        world
            .with(Some(&format!("Bearer {token}")))
            .get("/api/v1/auth/me")
            .await
            .expect(401);
        let ada = world.with_password("ada", OTHER);
        ada.get("/api/v1/auth/me").await.expect(200);
        let promoted = owner.patch("/api/v1/users/2", &json!({"scope": "deploy"})).await;
        assert_eq!(promoted.expect(200)["scope"], "deploy");
        assert_eq!(ada.get("/api/v1/auth/me").await.expect(200)["scope"], "deploy");
        owner.delete("/api/v1/users/2").await.expect(200);
        ada.get("/api/v1/auth/me").await.expect(401);
        assert_eq!(owner.get("/api/v1/users?name=ada").await.expect(200), json!([]));
        // With the last user everybody on this machine is known again, as no token was ever made.
        owner.delete("/api/v1/users/1").await.expect(200);
        world.get("/api/v1/users").await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn who_guesses_is_slowed_and_the_owner_is_not() {
    let world = Setup::new(Runtime::Process).token(TOKEN).start().await;
    let ada = json!({"name": "ada", "password": PASSWORD, "scope": "read"});
    world.post("/api/v1/users", &ada).await.expect(201);
    let ada = world.with_password("ada", PASSWORD);
    ada.get("/api/v1/auth/me").await.expect(200);

    let slowed = slowed(&world.with_password("ada", "wrong horse battery")).await;
    assert!(slowed >= 1);
    // By what was proven, by a credential of another kind, and from another address.
    ada.get("/api/v1/auth/me").await.expect(200);
    world.get("/api/v1/auth/me").await.expect(200);
    ada.from([127, 0, 0, 9]).get("/api/v1/auth/me").await.expect(200);
    let body = json!({"name": "eve", "password": PASSWORD, "scope": "read"});
    world.post("/api/v1/users", &body).await.expect(201);
    let eve = world.with_password("eve", PASSWORD);
    assert_eq!(eve.get("/api/v1/auth/me").await.expect(429)["code"], "LOGIN_SLOWED");
    eve.from([127, 0, 0, 9]).get("/api/v1/auth/me").await.expect(200);
    world.close().await;
}

/// Sends a wrong credential until it is slowed, and returns for how many seconds.
async fn slowed(guesser: &Http) -> u64 {
    for _ in 0..100 {
        let answer = guesser.get("/api/v1/auth/me").await;
        if answer.status == 429 {
            assert_eq!(answer.json["code"], "LOGIN_SLOWED");
            return answer.header("retry-after").parse().unwrap();
        }
        answer.expect(401);
    }
    panic!("a hundred wrong credentials and none was slowed");
}

#[tokio::test]
async fn what_is_not_a_user_is_refused() {
    let world: World = Setup::new(Runtime::Process).token(TOKEN).start().await;
    for body in [
        json!({}),
        json!({"name": "Ada", "password": PASSWORD, "scope": "read"}),
        json!({"name": "a:b", "password": PASSWORD, "scope": "read"}),
        json!({"name": "ada", "password": "short", "scope": "read"}),
        json!({"name": "ada", "password": PASSWORD, "scope": "root"}),
    ] {
        let refused = world.post("/api/v1/users", &body).await;
        assert!(!refused.text.contains("horse"), "{refused:?}");
        assert_eq!(refused.expect(400)["code"], "INVALID_FIELD", "{body}");
    }
    for answer in [
        world.get("/api/v1/users/1").await,
        world.delete("/api/v1/users/1").await,
        world.patch("/api/v1/users/1", &json!({"scope": "read"})).await,
    ] {
        answer.expect(404);
    }
    world.close().await;
}
