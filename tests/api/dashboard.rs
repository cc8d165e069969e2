//! `/` and its files, and lists with only some of their fields.

use reqwest::Method;
use serde_json::{Value, json};

use super::everywhere::everywhere;
use crate::support::{Answer, Runtime, Setup, World};

const TOKEN: &str = "a-token-of-the-dashboard";

async fn ask(world: &World, path: &str, headers: &[(&str, &str)]) -> Answer {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut request = client.request(Method::GET, format!("{}{path}", world.base_url()));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    Answer::to(request).await.unwrap()
}

#[tokio::test]
async fn anyone_gets_the_files_and_nobody_gets_data_with_them() {
    let world = Setup::new(Runtime::Process).token(TOKEN).start().await;
    for (path, content_type) in [
        ("/", "text/html; charset=utf-8"),
        ("/assets/app.js", "text/javascript; charset=utf-8"),
        ("/assets/style/base.css", "text/css; charset=utf-8"),
        ("/assets/style%2Fbase.css", "text/css; charset=utf-8"),
        ("/assets/icon.svg", "image/svg+xml"),
    ] {
        let answer = ask(&world, path, &[]).await;
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(answer.header("content-type"), content_type);
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
        assert_eq!(answer.header("cache-control"), "no-cache");
        assert!(answer.header("x-ratelimit-limit").is_empty(), "{path} counts");
        let policy = answer.header("content-security-policy");
        for part in [
            "default-src 'self'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
        ] {
            assert!(policy.contains(part), "{policy}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");
        assert!(!answer.text.contains(TOKEN));
    }
    ask(&world, "/api/v1/status", &[]).await.expect(401);
    for path in [
        "/assets/README.md",
        "/assets/../main.rs",
        "/assets/%2e%2e/dashboard.rs",
        "/assets/pages",
    ] {
        assert_eq!(ask(&world, path, &[]).await.status, 404, "{path}");
    }
    world.close().await;
}

#[tokio::test]
async fn a_page_has_neither_scripts_nor_styles_within_it() {
    let world = Setup::new(Runtime::Process).start().await;
    let page = ask(&world, "/", &[]).await.text;
    for (tag, _) in page.split('<').filter_map(|part| part.split_once('>')) {
        let is_inline = tag.starts_with("style") || tag.contains(" style=") || tag.contains(" on");
        assert!(!is_inline, "{tag}");
    }
    for script in page.split("<script").skip(1) {
        let (tag, rest) = script.split_once('>').unwrap();
        assert!(tag.contains("src=\"/assets/") && rest.starts_with("</script>"), "{tag}");
    }
    world.close().await;
}

#[tokio::test]
async fn a_file_that_has_not_changed_is_not_sent_again() {
    let world = Setup::new(Runtime::Process).start().await;
    for path in ["/", "/docs", "/docs/style.css"] {
        let tag = ask(&world, path, &[]).await.header("etag").to_owned();
        let again = ask(&world, path, &[("If-None-Match", &tag)]).await;
        assert_eq!((again.status, again.text.as_str()), (304, ""), "{path}");
        assert_eq!(again.header("etag"), tag);
        assert_eq!(ask(&world, path, &[("If-None-Match", "\"other\"")]).await.status, 200);
    }
    world.close().await;
}

#[tokio::test]
async fn a_list_has_the_fields_that_were_asked_for() {
    everywhere(async |world| {
        let project = world.project("fields", "one");
        let id = world.create_project("fields", project.path()).await;
        let entry = json!({"severity": "info", "message": "x", "error_type": "runtime", "project_id": id});
        world.post("/api/v1/errors", &entry).await.expect(201);
        for path in ["/api/v1/projects", "/api/v1/errors"] {
            let rows = world.get(path).await.expect(200);
            let whole = rows[0].as_object().unwrap();
            let names: Vec<&str> = whole.keys().map(String::as_str).collect();
            let same = world
                .get(&format!("{path}?fields={}", names.join(",")))
                .await
                .expect(200);
            assert_eq!(same, rows);

            let some = world.get(&format!("{path}?fields=id&limit=1&offset=0")).await;
            assert!(some.header("link").is_empty() || some.header("link").contains("fields=id"));
            assert_eq!(some.expect(200)["data"], json!([{"id": whole["id"]}]));
            assert_names_known(world, path, &names).await;
        }
        assert_names_known(world, "/api/v1/deployments", &["id", "environment", "updated_at"]).await;
    })
    .await;
}

async fn assert_names_known(world: &World, path: &str, names: &[&str]) {
    let refused = world.get(&format!("{path}?fields=id,nothing")).await.expect(400);
    assert_eq!(refused["code"], "INVALID_FIELD");
    for name in names {
        assert!(
            refused["message"].as_str().unwrap().contains(&format!("`{name}`")),
            "{refused}"
        );
    }
}

#[tokio::test]
async fn every_field_of_a_deployment_can_be_asked_for() {
    let world = Setup::new(Runtime::Process).start().await;
    let project = world.project("fields", "one");
    let id = world.create_project("fields", project.path()).await;
    let body = json!({"project_id": id, "port": crate::support::free_port()});
    let deployment = world.post("/api/v1/deploy", &body).await.expect(201)["id"].clone();
    let row = world.deployment_is(deployment.as_i64().unwrap(), "running").await;
    let names: Vec<&str> = row.as_object().unwrap().keys().map(String::as_str).collect();
    let listed = world
        .get(&format!("/api/v1/deployments?fields={}", names.join(",")))
        .await
        .expect(200);
    let listed: Vec<&String> = listed[0]
        .as_object()
        .map(|row| row.keys().collect())
        .unwrap_or_default();
    assert_eq!(listed, names);
    assert_ne!(row["url"], Value::Null);
    world.close().await;
}
