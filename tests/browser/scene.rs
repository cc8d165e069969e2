//! A world with something of everything in it.

use std::{fs, path::Path};

use serde_json::{Value, json};

use crate::support::{Project, Runtime, Setup, World, free_port, scan};

/// A name that would do harm on a page that takes text for markup.
pub(super) const HOSTILE: &str = "<img src=x onerror=\"window.pwned=1\"><script>window.pwned=1</script>";

const AGENTS: &str = r#"
[agents.coder]
kind = "command"
command = ["echo", "Applied edit to src/sum.py"]
directory = "/"

[agents.failing]
kind = "command"
command = ["false"]
directory = "/"
max_attempts = 1
"#;

/// A world, and the ids of what is in it.
pub(super) struct Scene {
    pub(super) world: World,
    pub(super) project: i64,
    pub(super) broken: i64,
    pub(super) deployment: i64,
    pub(super) port: u16,
    pub(super) task: i64,
}

impl Scene {
    /// Makes a world with projects, a deployment that runs, tasks and errors.
    pub(super) async fn start() -> Self {
        let world = Setup::new(Runtime::Process).config(AGENTS).start().await;
        let shop = world.project("shop", "one");
        let project = world.create_project("shop", shop.path()).await;
        let broken = broken_project(&world).await;
        for id in [project, broken] {
            scan(&world, id).await;
        }
        let port = free_port();
        let deployment = deploy(&world, project, port, "shop").await;
        let task = task(&world, "coder", "fix the failing test").await;
        self::task(&world, "failing", HOSTILE).await;
        log_errors(&world, project).await;
        Self {
            world,
            project,
            broken,
            deployment,
            port,
            task,
        }
    }
}

/// A project with a hostile name and a file that its language does not take.
async fn broken_project(world: &World) -> i64 {
    let project: Project = world.project("broken", "one");
    project.write_file("bad.py", "def f(:\n    pass\n");
    project.write_file("good.rs", "/// Prints a label.\npub fn label() {}\n");
    world.create_project(HOSTILE, project.path()).await
}

/// Deploys a project and waits until it runs.
pub(super) async fn deploy(world: &World, project: i64, port: u16, name: &str) -> i64 {
    let environment = json!({"NODE_ENV": "production", "API_KEY": "canary-of-the-environment"});
    let body = json!({"project_id": project, "port": port, "name": name, "environment": environment});
    let id = world.post("/api/v1/deploy", &body).await.expect(201)["id"].as_i64();
    let id = id.expect("a deployment has an id");
    world.deployment_is(id, "running").await;
    id
}

async fn task(world: &World, agent: &str, description: &str) -> i64 {
    let body = json!({"agent_type": agent, "task_type": "automation", "description": description});
    let created = world.post("/api/v1/agent/task", &body).await.expect(202);
    created["task_id"].as_i64().expect("a task has an id")
}

async fn log_errors(world: &World, project: i64) {
    let trace = format!("Traceback (most recent call last):\n  File \"database.py\", line 42\n{HOSTILE}");
    let entries: [Value; 2] = [
        json!({"severity": "warning", "message": HOSTILE, "error_type": "validation"}),
        json!({
            "severity": "critical", "message": "Database connection failed", "error_type": "runtime",
            "project_id": project, "stack_trace": trace, "context": {"function": "connect"},
        }),
    ];
    for entry in entries {
        world.post("/api/v1/errors", &entry).await.expect(201);
    }
}

/// Returns the checker of accessibility that `tests/run` has fetched.
pub(super) fn axe() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/axe/node_modules/axe-core/axe.min.js");
    fs::read_to_string(path).expect("tests/run has fetched axe-core")
}
