//! Tasks and the agents that carry them out.

mod command_line;
mod life;

use serde_json::{Value, json};

use super::documented::assert_documented;
use crate::support::{Answer, Backend, Runtime, Setup, World, eventually};

/// Programs that do little, as agents.
const AGENTS: &str = r#"
[agents.agent-zero]
kind = "command"
command = ["cat"]

[agents.broken]
kind = "command"
command = ["sh", "-c", "echo no such model >&2; exit 3"]
max_attempts = 1

[agents.sleeper]
kind = "command"
command = ["sh", "-c", "trap '' TERM; echo $$ > started; sleep 600 & sleep 600"]
timeout_s = 60

[agents.argued]
kind = "command"
command = ["echo", "{prompt}"]
directory = "/"

[agents.homed]
kind = "command"
command = ["pwd"]
directory = "/"
max_waiting = 2
"#;

/// Runs a case on both databases, side by side.
async fn with_agents(case: impl AsyncFn(&World)) {
    let within = async |setup: Setup| {
        let world = setup.config(AGENTS).start().await;
        case(&world).await;
        world.close().await;
    };
    tokio::join!(
        within(Setup::new(Runtime::Process)),
        within(Setup::new(Runtime::Process).backend(Backend::Postgres)),
    );
}

/// Hands a task to an agent and returns the task's id.
async fn create(world: &World, agent: &str, more: Value) -> i64 {
    let mut body = json!({"agent_type": agent, "task_type": "automation", "description": "do it"});
    for (field, value) in more.as_object().into_iter().flatten() {
        body[field] = value.clone();
    }
    let created = world.post("/api/v1/agent/task", &body).await.expect(202);
    created["task_id"].as_i64().expect("a created task has an id")
}

/// Waits until a task has this state and returns it.
async fn task_is(world: &World, id: i64, state: &str) -> Value {
    eventually(&format!("task {id} is {state}"), async || {
        let task = world.get(&format!("/api/v1/agent/tasks/{id}")).await.expect(200);
        if task["state"] == state { Ok(task) } else { Err(task) }
    })
    .await
}

#[tokio::test]
async fn tasks_are_created_and_listed_as_documented() {
    with_agents(async |world| {
        let project = world.project("mine", "one");
        let project_id = world.create_project("mine", project.path()).await;
        let request = json!({
            "project_id": project_id, "agent_type": "agent-zero", "task_type": "automation",
            "description": "Monitor system logs and alert on errors", "priority": 1,
            "input_data": {"log_paths": ["/var/log/app.log"], "alert_threshold": 5}
        });
        let created = world.post("/api/v1/agent/task", &request).await.expect(202);
        assert_eq!(created, json!({"message": "Task created and queued", "task_id": 1}));

        let task = task_is(world, 1, "completed").await;
        assert_eq!((&task["status"], &task["attempt"]), (&json!("completed"), &json!(1)));
        let said = task["output"]["stdout"].as_str().unwrap();
        assert!(
            said.starts_with("Monitor system logs") && said.contains("alert_threshold"),
            "{said}"
        );
        assert_eq!(task["input_data"], request["input_data"]);
        assert_eq!(task["attempts"][0]["outcome"], "completed");

        let list = world.get("/api/v1/agent/tasks").await.expect(200);
        let example = json!([{
            "id": 43, "project_id": 1, "agent_type": "agent-zero", "task_type": "automation",
            "description": "Monitor system logs", "status": "running", "priority": 1,
            "created_at": "2024-01-15T12:00:00Z"
        }]);
        assert_documented(&list, &example);
    })
    .await;
}

#[tokio::test]
async fn lists_are_filtered_and_paged() {
    with_agents(async |world| {
        let done = create(world, "homed", json!({})).await;
        task_is(world, done, "completed").await;
        let failed = create(world, "broken", json!({"project_id": project(world).await})).await;
        task_is(world, failed, "failed").await;
        let later = create(world, "homed", json!({"run_at": "2999-01-01T00:00:00Z"})).await;
        task_is(world, later, "scheduled").await;
        for (query, expected) in [
            ("", &[later, failed, done][..]),
            ("status=pending", &[later]),
            ("status=running", &[]),
            ("status=completed", &[done]),
            ("status=failed&limit=5", &[failed]),
            ("agent_type=homed", &[later, done]),
            ("project_id=1", &[failed]),
            ("limit=1", &[later]),
        ] {
            let list = world.get(&format!("/api/v1/agent/tasks?{query}")).await.expect(200);
            assert_eq!(ids(&list), expected, "{query}");
        }
        let page = world.get("/api/v1/agent/tasks?limit=2&offset=1").await.expect(200);
        assert_eq!(ids(&page["data"]), [failed, done]);
        assert_eq!(page["pagination"]["total"], 3);
    })
    .await;
}

#[tokio::test]
async fn an_agent_that_is_not_there_is_refused_with_those_that_are() {
    with_agents(async |world| {
        let ask = async |agent: &str| {
            let body = json!({"agent_type": agent, "task_type": "x", "description": "x"});
            let refused = world.post("/api/v1/agent/task", &body).await.expect(400);
            assert_eq!(refused["code"], "INVALID_FIELD");
            refused["message"].as_str().unwrap().to_owned()
        };
        let message = ask("codre").await;
        assert!(
            message.starts_with("`agent_type`") && message.contains("`sleeper`"),
            "{message}"
        );
        let message = ask("zenith").await;
        assert!(
            message.contains("[agents.zenith]") && message.contains("borgos.toml"),
            "{message}"
        );
        let message = ask("sleeper").await;
        assert!(message.starts_with("`project_id` is required"), "{message}");
        let body = json!({
            "agent_type": "argued", "task_type": "x", "description": "x", "input_data": {"text": "x".repeat(131_072)}
        });
        let refused = world.post("/api/v1/agent/task", &body).await.expect(400);
        let message = refused["message"].as_str().unwrap();
        assert!(message.contains("as an argument of at most 131071"), "{message}");
        let body = json!({"agent_type": "homed", "task_type": "x", "description": "x", "project_id": 99});
        let absent = world.post("/api/v1/agent/task", &body).await.expect(404);
        assert_eq!(absent["message"], "Project with id 99 not found");
    })
    .await;
}

#[tokio::test]
async fn a_key_makes_a_task_only_once() {
    with_agents(async |world| {
        let body = json!({
            "agent_type": "homed", "task_type": "x", "description": "x", "run_at": "2999-01-01T00:00:00Z",
            "unique_key": "nightly"
        });
        let first = world.post("/api/v1/agent/task", &body).await.expect(202);
        let again = world.post("/api/v1/agent/task", &body).await.expect(202);
        assert_eq!(
            (&again["task_id"], &again["duplicate"]),
            (&first["task_id"], &json!(true))
        );

        let post = async |key: &str, description: &str| {
            let body = json!({"agent_type": "homed", "task_type": "x", "description": description});
            let request = world.request(reqwest::Method::POST, "/api/v1/agent/task");
            Answer::to(request.header("Idempotency-Key", key).json(&body))
                .await
                .unwrap()
        };
        let first = post("key-1", "x").await.expect(202);
        task_is(world, first["task_id"].as_i64().unwrap(), "completed").await;
        let again = post("key-1", "x").await.expect(202);
        assert_eq!(
            (&again["task_id"], &again["duplicate"]),
            (&first["task_id"], &json!(true))
        );
        assert_eq!(post("key-1", "y").await.expect(409)["code"], "IDEMPOTENCY_KEY_REUSED");
        for bad in ["", " ", "gr\u{f6}\u{df}e", &"x".repeat(256)] {
            let refused = post(bad, "x").await.expect(400);
            assert!(
                refused["message"].as_str().unwrap().starts_with("`Idempotency-Key`"),
                "{refused}"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn many_tasks_are_accepted_at_once_or_none() {
    with_agents(async |world| {
        let task = |text: &str| json!({"agent_type": "argued", "task_type": "x", "description": text});
        let post = async |tasks: Value| world.post("/api/v1/agent/tasks", &json!({"tasks": tasks})).await;
        let created = post(json!([task("one"), task("two"), task("three")])).await.expect(202);
        let ids = created["task_ids"].as_array().unwrap().clone();
        assert_eq!(
            created,
            json!({"message": "3 tasks created and queued", "task_ids": ids})
        );
        for (id, text) in ids.iter().zip(["one\n", "two\n", "three\n"]) {
            let done = task_is(world, id.as_i64().unwrap(), "completed").await;
            assert_eq!(done["output"]["stdout"], text);
        }
        let mut keyed = task("x");
        keyed["unique_key"] = json!("nightly");
        let absent = json!({"agent_type": "nobody", "task_type": "x", "description": "x"});
        for (tasks, field) in [
            (json!([]), "`tasks` must be 1 to 1000"),
            (json!([task("x"), task(" ")]), "`tasks[1].description`"),
            (json!([task("x"), keyed]), "`tasks[1].unique_key`"),
            (json!([task("x"), absent]), "`tasks[1].agent_type`"),
        ] {
            let refused = post(tasks).await.expect(400);
            assert!(refused["message"].as_str().unwrap().starts_with(field), "{refused}");
        }
        let homed = json!({"agent_type": "homed", "task_type": "x", "description": "x"});
        let full = post(json!([homed, homed, homed])).await.expect(429);
        assert_eq!(full["code"], "TOO_MANY_TASKS");
        let list = world.get("/api/v1/agent/tasks").await.expect(200);
        assert_eq!(list.as_array().unwrap().len(), 3, "{list}");
    })
    .await;
}

async fn project(world: &World) -> i64 {
    let project = world.project("mine", "one");
    world.create_project("mine", project.path()).await
}

fn ids(list: &Value) -> Vec<i64> {
    let tasks = list.as_array().unwrap().iter();
    tasks.map(|task| task["id"].as_i64().unwrap()).collect()
}
