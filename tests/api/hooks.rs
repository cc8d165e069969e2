//! Push to deploy.

use std::path::Path;

use hmac::{Hmac, KeyInit, Mac};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::Sha256;

use super::everywhere::on_both_databases;
use crate::support::{Answer, Http, Runtime, Setup, World, commit, eventually, free_port, git, versioned};

const TOKEN: &str = "let-me-in-0123456789";
const SECRET: &str = "a-secret-of-the-test-0123456789";

/// HMAC-SHA256 in hexadecimal.
fn mac(secret: &str, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body.as_bytes());
    let code = mac.finalize().into_bytes();
    code.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A delivery as GitHub sends it.
struct Delivery<'a> {
    event: &'a str,
    id: &'a str,
    body: String,
    secret: &'a str,
}

impl Delivery<'_> {
    async fn send(&self, world: &World, project: i64) -> Answer {
        // Whoever delivers has no token of ours.
        let stranger = Http::new(&world.base_url(), None);
        let request = stranger.request(Method::POST, &format!("/api/v1/hooks/{project}"));
        let request = request
            .header("content-type", "application/json")
            .header("x-github-event", self.event)
            .header("x-github-delivery", self.id)
            .header(
                "x-hub-signature-256",
                format!("sha256={}", mac(self.secret, &self.body)),
            );
        Answer::to(request.body(self.body.clone())).await.unwrap()
    }
}

fn push<'a>(id: &'a str, branch: &str, commit: &str) -> Delivery<'a> {
    let body = json!({
        "ref": format!("refs/heads/{branch}"), "after": commit, "pushed_by": id,
        "repository": {"default_branch": "main"}
    });
    Delivery {
        event: "push",
        id,
        body: body.to_string(),
        secret: SECRET,
    }
}

#[tokio::test]
async fn a_hook_is_set_shown_and_removed() {
    on_both_databases(async |world| {
        let project = world.project("hooked", "one");
        let id = world.create_project("hooked", project.path()).await;
        world.get("/api/v1/projects/1/hook").await.expect(404);
        let put = async |body: Value| {
            let request = world.request(Method::PUT, "/api/v1/projects/1/hook").json(&body);
            Answer::to(request).await.unwrap()
        };
        let made = put(json!({})).await.expect(200);
        assert_eq!(made["secret"].as_str().unwrap().len(), 64);
        assert_eq!(
            (&made["path"], &made["branch"]),
            (&json!("/api/v1/hooks/1"), &Value::Null)
        );
        // It keeps its secret, which is not shown again.
        let changed = put(json!({"branch": "release"})).await.expect(200);
        let shown = world.get("/api/v1/projects/1/hook").await.expect(200);
        for body in [&changed, &shown] {
            assert_eq!((&body["branch"], &body["secret"]), (&json!("release"), &Value::Null));
        }
        for (body, field) in [
            (json!({"secret": ""}), "secret"),
            (json!({"secret": "short"}), "secret"),
            (json!({"branch": "--x"}), "branch"),
            (json!({"deployments": []}), "deployments"),
            (json!({"deployments": [9]}), "deployments"),
        ] {
            let refused = put(body).await.expect(400);
            assert!(refused["message"].as_str().unwrap().contains(field), "{refused}");
        }
        world.delete("/api/v1/projects/1/hook").await.expect(200);
        world.delete("/api/v1/projects/1/hook").await.expect(404);
        let request = world.request(Method::PUT, "/api/v1/projects/99/hook").json(&json!({}));
        Answer::to(request).await.unwrap().expect(404);
        assert_eq!(id, 1);
    })
    .await;
}

#[tokio::test]
async fn only_a_right_signature_is_let_in() {
    let world = Setup::new(Runtime::Process).token(TOKEN).start().await;
    let project = versioned(&world);
    let id = world.create_project("hooked", project.path()).await;
    let request = world.request(Method::PUT, "/api/v1/projects/1/hook");
    Answer::to(request.json(&json!({"secret": SECRET})))
        .await
        .unwrap()
        .expect(200);
    let head = git(project.path(), &["rev-parse", "HEAD"]);

    let refusal = |answer: Answer| {
        let mut body = answer.expect(401);
        body.as_object_mut().unwrap().remove("request_id");
        body
    };
    let forged = Delivery {
        secret: "another-secret-of-someone",
        ..push("1", "main", &head)
    };
    let wrong = refusal(forged.send(&world, id).await);
    assert_eq!(wrong["code"], "INVALID_SIGNATURE");
    assert_eq!(refusal(push("1", "main", &head).send(&world, 99).await), wrong);
    let unsigned = Http::new(&world.base_url(), None);
    assert_eq!(refusal(unsigned.post("/api/v1/hooks/1", &json!({})).await), wrong);

    let ping = Delivery {
        event: "ping",
        ..push("2", "main", &head)
    };
    ping.send(&world, id).await.expect(200);
    for (number, delivery, word) in [
        (3, push("3", "feature", &head), "feature"),
        (
            4,
            Delivery {
                event: "issues",
                ..push("4", "main", &head)
            },
            "issues",
        ),
        (5, push("5", "main", &"0".repeat(40)), "removed"),
    ] {
        let ignored = delivery.send(&world, id).await.expect(200);
        assert!(
            ignored["message"].as_str().unwrap().contains(word),
            "{number}: {ignored}"
        );
    }
    let odd = Delivery {
        body: "[]".to_owned(),
        ..push("6", "main", &head)
    };
    assert_eq!(odd.send(&world, id).await.expect(400)["code"], "INVALID_PUSH");

    let by_token = unsigned
        .request(Method::POST, "/api/v1/hooks/1")
        .header("x-gitlab-token", SECRET);
    let by_token = by_token
        .header("x-gitlab-event", "Push Hook")
        .header("content-type", "application/json");
    let answer = Answer::to(by_token.body(push("7", "main", &head).body))
        .await
        .unwrap()
        .expect(200);
    assert_eq!(answer["deployments"], json!([]));
    world.delete("/api/v1/projects/1/hook").await.expect(200);
    assert_eq!(refusal(push("8", "main", &head).send(&world, id).await), wrong);
    world.close().await;
}

/// Deploys the project and gives it a hook. Returns both ids.
async fn hooked(world: &World, directory: &Path, port: u16) -> (i64, i64) {
    let project = world.create_project("hooked", directory).await;
    let body = json!({"project_id": project, "port": port, "source_ref": "main"});
    let created = world.post("/api/v1/deploy", &body).await.expect(201);
    let request = world.request(Method::PUT, &format!("/api/v1/projects/{project}/hook"));
    Answer::to(request.json(&json!({"secret": SECRET})))
        .await
        .unwrap()
        .expect(200);
    (project, created["id"].as_i64().unwrap())
}

async fn deliver(world: &World, project: i64, id: &str, commit: &str) -> Answer {
    push(id, "main", commit).send(world, project).await
}

async fn answers(port: u16, text: &str) {
    let app = Http::new(&format!("http://127.0.0.1:{port}"), None);
    eventually(&format!("the app answers `{text}`"), async || {
        match app.try_send(Method::GET, "/", None).await {
            Ok(answer) if answer.text == text => Ok(()),
            other => Err(other),
        }
    })
    .await;
}

async fn releases(world: &World, id: i64) -> Vec<Value> {
    let listed = world
        .get(&format!("/api/v1/deployments/{id}/releases"))
        .await
        .expect(200);
    listed.as_array().unwrap().clone()
}

#[tokio::test]
async fn a_push_is_deployed_once_however_often_it_is_told() {
    let world = Setup::new(Runtime::Docker).start().await;
    let project = versioned(&world);
    let port = free_port();
    let (project_id, id) = hooked(&world, project.path(), port).await;
    answers(port, "two").await;
    let pushed = commit(&project, "three");
    project.set_version("not committed");
    let told = deliver(&world, project_id, "a", &pushed).await.expect(202);
    assert_eq!((&told["commit"], &told["deployments"]), (&json!(pushed), &json!([id])));
    answers(port, "three").await;
    let row = world.get(&format!("/api/v1/deployments/{id}")).await.expect(200);
    assert_eq!(row["source_ref"], "main");

    // The same again, its content under another id, and its commit in another content.
    let again = deliver(&world, project_id, "a", &pushed).await.expect(200);
    assert!(again["message"].as_str().unwrap().contains("seen before"), "{again}");
    let copied = Delivery {
        id: "b",
        ..push("a", "main", &pushed)
    };
    assert!(
        copied.send(&world, project_id).await.expect(200)["message"]
            .as_str()
            .unwrap()
            .contains("seen before")
    );
    let same = deliver(&world, project_id, "c", &pushed).await.expect(200);
    assert_eq!(same["deployments"], json!([]));

    let all = releases(&world, id).await;
    assert_eq!(all.len(), 2, "{all:#?}");
    assert_eq!(
        (&all[0]["source_commit"], &all[0]["created_by"]),
        (&json!(pushed), &json!("push"))
    );
    world.close().await;
}

#[tokio::test]
async fn ten_pushes_during_a_build_make_one_more_of_the_newest_also_after_a_kill() {
    let mut world = Setup::new(Runtime::Docker).start().await;
    let project = versioned(&world);
    let port = free_port();
    let (project_id, id) = hooked(&world, project.path(), port).await;
    answers(port, "two").await;
    let dockerfile = std::fs::read_to_string(project.path().join("Dockerfile")).unwrap();
    let slow = dockerfile.replacen("COPY", "RUN sleep 4\nCOPY", 1);
    project.write_file("Dockerfile", &slow);
    let first = commit(&project, "slow");
    deliver(&world, project_id, "first", &first).await.expect(202);
    eventually("the slow release is being built", async || {
        let all = releases(&world, id).await;
        match all.len() {
            2 => Ok(()),
            _ => Err(all),
        }
    })
    .await;
    project.write_file("Dockerfile", &dockerfile);
    for number in 0..10 {
        let pushed = commit(&project, &format!("push {number}"));
        deliver(&world, project_id, &number.to_string(), &pushed)
            .await
            .expect(202);
    }
    assert_eq!(releases(&world, id).await.len(), 2);
    world.kill_9().await;
    world.boot().await;
    answers(port, "push 9").await;
    let all = releases(&world, id).await;
    let made: Vec<_> = all.iter().map(|release| &release["source_commit"]).collect();
    assert_eq!(made.len(), 3, "{all:#?}");
    assert_eq!(made[1], &json!(first));
    world.close().await;
}
