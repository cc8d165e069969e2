//! What the API says about itself.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Runtime, Setup, World};

/// Takes any query, or is no JSON.
const SPECIAL: [&str; 5] = ["/health", "/ws", "/mcp", "/", "/assets/README.md"];

/// An operation of the description.
struct Described {
    method: Method,
    path: String,
    operation: Value,
}

async fn description(world: &World) -> Value {
    world.get("/api/v1/openapi.json").await.expect(200)
}

fn operations(description: &Value) -> Vec<Described> {
    let mut found = Vec::new();
    for (path, item) in description["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let path = path
                .replace("{id}", "1")
                .replace("{path}", "event-bus")
                .replace("{file}", "README.md")
                .replace("{delivery}", "1")
                .replace("{agent}", "nobody");
            found.push(Described {
                method: method.to_uppercase().parse().unwrap(),
                path,
                operation: operation.clone(),
            });
        }
    }
    found.retain(|one| !SPECIAL.contains(&one.path.as_str()));
    found
}

/// Returns the names that a refusal lists.
fn listed(answer: &Answer) -> BTreeSet<String> {
    assert_eq!(answer.json["code"], "INVALID_FIELD", "{}", answer.text);
    let message = answer.json["message"].as_str().unwrap();
    let (_, names) = message.split_once("which has ").unwrap_or_else(|| panic!("{message}"));
    let names = names.split('`').skip(1).step_by(2);
    names.map(str::to_owned).collect()
}

#[tokio::test]
async fn every_parameter_that_is_taken_is_described_and_no_other() {
    let world = Setup::new(Runtime::Process).start().await;
    for Described {
        method,
        path,
        operation,
    } in operations(&description(&world).await)
    {
        let request = world.request(method.clone(), &format!("{path}?no_such_parameter=1"));
        let answer = Answer::to(request).await.unwrap();
        let parameters = operation["parameters"].as_array().unwrap().iter();
        let described = parameters.filter(|one| one["in"] == "query");
        let described: BTreeSet<String> = described.map(|one| one["name"].as_str().unwrap().to_owned()).collect();
        assert_eq!(described, listed(&answer), "{method} {path}");
    }
    world.close().await;
}

#[tokio::test]
async fn every_field_that_is_taken_is_described_and_no_other() {
    let world = Setup::new(Runtime::Process).start().await;
    let description = description(&world).await;
    let mut num_bodies = 0;
    for Described {
        method,
        path,
        operation,
    } in operations(&description)
    {
        let schema = &operation["requestBody"]["content"]["application/json"]["schema"]["$ref"];
        let Some(reference) = schema.as_str() else { continue };
        num_bodies += 1;
        let schema = description.pointer(&reference[1..]).unwrap();
        let described: BTreeSet<String> = schema["properties"].as_object().unwrap().keys().cloned().collect();
        let body = json!({"no_such_field": 1});
        let answer = world.try_send(method.clone(), &path, Some(&body)).await.unwrap();
        assert_eq!(described, listed(&answer), "{method} {path}");
    }
    assert!(num_bodies >= 10, "only {num_bodies} operations have a body");
    world.close().await;
}

#[tokio::test]
async fn the_page_needs_no_credential_and_no_other_site() {
    let world = Setup::new(Runtime::Process)
        .token("correct-horse-battery")
        .start()
        .await;
    for (path, kind) in [
        ("/docs", "text/html; charset=utf-8"),
        ("/docs/script.js", "text/javascript; charset=utf-8"),
        ("/docs/style.css", "text/css; charset=utf-8"),
        ("/api/v1/openapi.json", "application/json"),
    ] {
        let answer = crate::support::Http::new(&world.base_url(), None).get(path).await;
        assert_eq!((answer.status, answer.header("content-type")), (200, kind), "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        if !path.ends_with(".json") {
            assert!(!answer.text.contains("://"), "{path} names another site");
        }
    }
    let page = world.get("/docs").await;
    assert!(page.header("content-security-policy").contains("default-src 'none'"));
    assert!(
        !page.text.contains("<style") && !page.text.contains(" style="),
        "the policy takes no inline style"
    );
    world.close().await;
}

#[tokio::test]
async fn a_path_within_a_path_is_taken_as_generated_clients_send_it() {
    let world = Setup::new(Runtime::Process).start().await;
    let project = world.project("mine", "one");
    let id = world.create_project("mine", project.path()).await;
    let port = crate::support::free_port();
    let deploy = json!({"project_id": id, "name": "mine", "port": port});
    world.post("/api/v1/deploy", &deploy).await.expect(201);
    world.deployment_is(1, "running").await;
    let actor = world.get("/api/v1/actors/deployment%2F1").await.expect(200);
    assert_eq!(actor["path"], "deployment/1");
    world
        .post_nothing("/api/v1/actors/deployment%2F1/restart")
        .await
        .expect(200);
    world.close().await;
}
