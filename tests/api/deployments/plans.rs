//! How a project would be deployed, and that it is deployed like that.

use std::{fs, path::Path};

use reqwest::Method;
use serde_json::{Value, json};

use super::{answers, deploy};
use crate::{
    api::everywhere::everywhere,
    support::{Http, Runtime, Setup, World, docker, free_port},
};

/// What the plan says that a project is, its files, and how the tools note that they were called.
type Stack<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a str);

/// Has every Dockerfile that is written stand on the image with stand-ins for all tools.
async fn world() -> World {
    let image = docker::stack_image().await;
    let stacks = ["node", "python", "go", "rust", "run", "static"];
    let lines = stacks.map(|stack| format!("{stack} = \"{image}\"\n"));
    let config = format!("[build.images]\n{}", lines.concat());
    Setup::new(Runtime::Docker).config(&config).start().await
}

fn write(directory: &Path, files: &[(&str, &str)]) {
    for (path, content) in files {
        let path = directory.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
}

/// Returns what a deployed app answers on a path.
async fn answer(port: u16, path: &str) -> String {
    let app = Http::new(&format!("http://127.0.0.1:{port}"), None);
    app.try_send(Method::GET, path, None).await.unwrap().text
}

#[tokio::test]
async fn every_stack_is_deployed_by_the_dockerfile_that_the_plan_shows() {
    let world = world().await;
    let package = r#"{"scripts": {"start": "node x.js", "build": "make"}, "dependencies": {"a": "1"}}"#;
    let vite = r#"{"scripts": {"build": "vite build"}, "devDependencies": {"vite": "7"}}"#;
    let flask = "import flask\napp = flask.Flask(__name__)\n";
    let stacks: [Stack; 7] = [
        (
            "node",
            &[("package.json", package), ("package-lock.json", "{}")],
            "npm ci\nnpm run build\nnpm prune --omit=dev\n",
        ),
        (
            "node",
            &[("package.json", vite), ("package-lock.json", "{}")],
            "npm ci\nnpm run build\n",
        ),
        (
            "python",
            &[("requirements.txt", "flask\ngunicorn\n"), ("app.py", flask)],
            "pip install --no-cache-dir -r requirements.txt\n",
        ),
        (
            "python",
            &[("Procfile", "web: python server.py\n"), ("server.py", "")],
            "",
        ),
        ("go", &[("go.mod", "module shop\n"), ("main.go", "package main\n")], ""),
        (
            "rust",
            &[
                ("Cargo.toml", "[package]\nname = \"shop\"\n"),
                ("Cargo.lock", ""),
                ("src/main.rs", ""),
            ],
            "",
        ),
        ("static", &[("index.html", "it is static"), ("log", "")], ""),
    ];
    for (number, (source, files, log)) in stacks.into_iter().enumerate() {
        let directory = world.projects_dir().join(number.to_string());
        let page = format!("it is {source}");
        write(&directory, &[("www/index.html", &page), ("www/health", "ok")]);
        write(&directory, files);
        let before = fs::read_dir(&directory).unwrap().count();
        let port = free_port();
        let id = deploy(&world, &directory, json!({"port": port, "health_timeout_s": 20})).await;
        let row = world.deployment_is(id, "running").await;
        let plan = world
            .get(&format!("/api/v1/projects/{}/plan", row["project_id"]))
            .await
            .expect(200);
        assert_eq!(
            (&plan["source"], &plan["port"], &plan["runtime"]),
            (&json!(source), &json!(8080), &json!("docker"))
        );
        answers(port, &page).await;
        if !log.is_empty() {
            assert_eq!(answer(port, "/log").await, log, "{plan:#}");
        }
        let releases = world
            .get(&format!("/api/v1/deployments/{id}/releases"))
            .await
            .expect(200);
        for key in ["source", "why", "dockerfile", "command", "port", "warnings"] {
            assert_eq!(releases[0]["plan"][key], plan[key], "{key}");
        }
        assert_eq!(
            fs::read_dir(&directory).unwrap().count(),
            before,
            "the project was written to"
        );
        world.delete(&format!("/api/v1/deployments/{id}")).await.expect(200);
    }
    world.close().await;
}

#[tokio::test]
async fn a_plan_says_what_would_run_or_answers_as_a_deploy_does() {
    everywhere(async |world| {
        let project = world.project("planned", "one");
        world.create_project("planned", project.path()).await;
        let plan = world.get("/api/v1/projects/1/plan").await.expect(200);
        let (source, port) = match world.runtime() {
            Runtime::Docker => ("dockerfile", json!(8080)),
            Runtime::Process => ("command", Value::Null),
        };
        assert_eq!((&plan["source"], &plan["port"]), (&json!(source), &port), "{plan:#}");
        assert_eq!(plan["health_path"], "/health");
        assert!(!plan["why"][0].as_str().unwrap().is_empty());

        let empty = world.projects_dir().join("empty");
        fs::create_dir(&empty).unwrap();
        let id = world.create_project("empty", &empty).await;
        let asked = world.get(&format!("/api/v1/projects/{id}/plan")).await.expect(422);
        let body = json!({"project_id": id, "port": free_port()});
        let tried = world.post("/api/v1/deploy", &body).await.expect(422);
        assert_eq!((&asked["code"], &asked["message"]), (&tried["code"], &tried["message"]));
        assert_eq!(asked["code"], "NOTHING_TO_DEPLOY");
        world.get("/api/v1/projects/99/plan").await.expect(404);

        if world.runtime() == Runtime::Docker {
            fs::write(
                empty.join("compose.yaml"),
                "services:\n  web: {build: .}\n  db: {image: postgres}\n",
            )
            .unwrap();
            let plan = world.get(&format!("/api/v1/projects/{id}/plan")).await.expect(200);
            assert_eq!(plan["source"], "compose");
            let services = plan["services"].to_string();
            assert!(services.contains("web") && services.contains("db"), "{services}");
            let refused = world.post("/api/v1/deploy", &body).await.expect(422);
            assert_eq!(refused["message"], plan["obstacle"]);
        }
    })
    .await;
}
