//! What becomes of tasks, and of the programs that carry them out.

use serde_json::{Value, json};

use super::{create, project, task_is, with_agents};
use crate::support::{Runtime, Setup, World, eventually};

/// Waits until the program of a task has begun, and returns its process id.
async fn started(world: &World) -> i32 {
    let file = world.data_dir().with_file_name("projects").join("mine/started");
    eventually("the program has started", async || {
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        text.trim().parse().map_err(|_| text)
    })
    .await
}

async fn shown(world: &World, name: &str) -> Value {
    let agents = world.get("/api/v1/agent/agents").await.expect(200);
    let found = agents
        .as_array()
        .unwrap()
        .iter()
        .find(|agent| agent["agent_type"] == name);
    found.expect("the agent is configured").clone()
}

#[tokio::test]
async fn a_failed_task_says_why_and_can_be_tried_again() {
    with_agents(async |world| {
        let id = create(world, "broken", json!({"project_id": project(world).await})).await;
        for number in 1..=2 {
            let task = task_is(world, id, "failed").await;
            assert_eq!(task["status"], "failed");
            let attempt = &task["attempts"][number - 1];
            assert_eq!(
                (&attempt["outcome"], &attempt["error_kind"]),
                (&json!("failed"), &json!("exit_code"))
            );
            let error = task["error"].as_str().unwrap();
            assert!(error.contains('3') && error.ends_with("no such model"), "{error}");
            if number == 1 {
                world
                    .post_nothing(&format!("/api/v1/agent/tasks/{id}/retry"))
                    .await
                    .expect(202);
                eventually("the second attempt has begun", async || {
                    let task = world.get(&format!("/api/v1/agent/tasks/{id}")).await.expect(200);
                    if task["attempt"] == 2 { Ok(()) } else { Err(task) }
                })
                .await;
            }
        }
        let done = create(world, "homed", json!({})).await;
        task_is(world, done, "completed").await;
        let refused = world
            .post_nothing(&format!("/api/v1/agent/tasks/{done}/retry"))
            .await
            .expect(409);
        assert_eq!(refused["code"], "TASK_NOT_RETRYABLE");
        let refused = world
            .post_nothing(&format!("/api/v1/agent/tasks/{done}/cancel"))
            .await
            .expect(409);
        assert_eq!(refused["code"], "TASK_FINISHED");
        world.post_nothing("/api/v1/agent/tasks/99/cancel").await.expect(404);
    })
    .await;
}

#[tokio::test]
async fn a_running_task_is_cancelled_with_everything_that_it_started() {
    with_agents(async |world| {
        let id = create(world, "sleeper", json!({"project_id": project(world).await})).await;
        started(world).await;
        assert!(world.deployed_processes().len() >= 2);
        world
            .post_nothing(&format!("/api/v1/agent/tasks/{id}/cancel"))
            .await
            .expect(202);
        let task = task_is(world, id, "cancelled").await;
        assert_eq!(
            (&task["status"], &task["attempts"][0]["outcome"]),
            (&json!("failed"), &json!("cancelled"))
        );
        let left = world.deployed_processes();
        assert!(left.is_empty(), "{left:?}");
        world
            .post_nothing(&format!("/api/v1/agent/tasks/{id}/cancel"))
            .await
            .expect(200);
    })
    .await;
}

#[tokio::test]
async fn an_attempt_that_takes_too_long_is_ended() {
    with_agents(async |world| {
        let limits = json!({"project_id": project(world).await, "timeout_s": 1, "max_attempts": 1});
        let id = create(world, "sleeper", limits).await;
        let task = task_is(world, id, "failed").await;
        assert_eq!(task["attempts"][0]["error_kind"], "timed_out");
        assert!(world.deployed_processes().is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_paused_agent_takes_no_tasks_and_a_full_one_refuses_them() {
    with_agents(async |world| {
        let agent = "homed";
        world
            .post_nothing(&format!("/api/v1/agent/agents/{agent}/pause"))
            .await
            .expect(200);
        let mut ids = Vec::new();
        for _ in 0..2 {
            ids.push(create(world, agent, json!({})).await);
        }
        let seen = shown(world, agent).await;
        assert_eq!((&seen["is_paused"], &seen["waiting"]), (&json!(true), &json!(2)));
        let body = json!({"agent_type": agent, "task_type": "x", "description": "x"});
        let refused = world.post("/api/v1/agent/task", &body).await;
        assert!(refused.header("retry-after").parse::<u32>().is_ok(), "{refused:?}");
        assert_eq!(refused.expect(429)["code"], "TOO_MANY_TASKS");

        world
            .post_nothing(&format!("/api/v1/agent/agents/{agent}/resume"))
            .await
            .expect(200);
        for id in ids {
            assert_eq!(task_is(world, id, "completed").await["output"]["stdout"], "/\n");
        }
        let seen = shown(world, agent).await;
        let expected = json!({
            "agent_type": "homed", "kind": "command", "is_paused": false, "waiting": 0, "running": 0, "concurrency": 2,
            "max_attempts": 3, "timeout_s": 3600, "max_waiting": 2, "health": {"status": "available"}
        });
        assert_eq!(seen, expected);
        world
            .post_nothing("/api/v1/agent/agents/nobody/pause")
            .await
            .expect(404);
    })
    .await;
}

#[tokio::test]
async fn tasks_of_an_agent_that_is_configured_no_more_say_so() {
    let mut world = Setup::new(Runtime::Process).config(super::AGENTS).start().await;
    let later = json!({"run_at": "2999-01-01T00:00:00Z"});
    let id = create(&world, "homed", later).await;
    let show = async |world: &World| world.get(&format!("/api/v1/agent/tasks/{id}")).await.expect(200);
    assert_eq!(show(&world).await["reason"], Value::Null);
    world.post_nothing("/api/v1/agent/agents/homed/pause").await.expect(200);
    assert_eq!(show(&world).await["reason"], "`homed` is paused");
    world.terminate().await;
    std::fs::write(world.data_dir().join("borgos.toml"), "").unwrap();
    world.boot().await;
    let reason = "no agent `homed` is configured; the task waits until one is, or until it is cancelled";
    assert_eq!(show(&world).await["reason"], reason);
    let seen = shown(&world, "homed").await;
    let expected = json!({
        "agent_type": "homed", "kind": null, "is_paused": true, "waiting": 1, "running": 0,
        "health": {"status": "unavailable", "reason": reason}
    });
    assert_eq!(seen, expected);
    world.close().await;
}

#[tokio::test]
async fn a_project_with_unfinished_tasks_is_not_deleted() {
    with_agents(async |world| {
        let project = project(world).await;
        let later = json!({"project_id": project, "run_at": "2999-01-01T00:00:00Z"});
        let id = create(world, "homed", later).await;
        let refused = world.delete(&format!("/api/v1/projects/{project}")).await.expect(409);
        assert_eq!(refused["code"], "PROJECT_HAS_TASKS");
        assert!(
            refused["message"].as_str().unwrap().contains(&format!("({id})")),
            "{refused}"
        );
        world
            .post_nothing(&format!("/api/v1/agent/tasks/{id}/cancel"))
            .await
            .expect(200);
        world.delete(&format!("/api/v1/projects/{project}")).await.expect(200);
        let refused = world
            .post_nothing(&format!("/api/v1/agent/tasks/{id}/retry"))
            .await
            .expect(409);
        assert_eq!(refused["code"], "PROJECT_DELETED", "it would run somewhere else");
    })
    .await;
}

#[tokio::test]
async fn what_a_program_says_is_shown_without_secrets() {
    let agents = super::AGENTS.replace("[agents.homed]", "[agents.leaky]\nkind = \"command\"\ndirectory = \"/\"\n\
        environment = { MY_API_KEY = \"canary-0123\" }\n\
        command = [\"sh\", \"-c\", \"echo $MY_API_KEY; test $BORGOS_TASK_ATTEMPT = 2 || { echo Bearer canary0123 >&2; exit 1; }\"]\n\n\
        [agents.homed]");
    let world = Setup::new(Runtime::Process).config(&agents).start().await;
    let id = create(&world, "leaky", json!({"max_attempts": 1})).await;
    let failed = task_is(&world, id, "failed").await;
    assert!(failed["error"].as_str().unwrap().ends_with("Bearer ***"), "{failed}");
    world
        .post_nothing(&format!("/api/v1/agent/tasks/{id}/retry"))
        .await
        .expect(202);
    let done = task_is(&world, id, "completed").await;
    assert_eq!(done["output"]["stdout"], "***\n");
    assert!(!done.to_string().contains("canary"), "{done}");
    world.close().await;
}

#[tokio::test]
async fn a_stop_hands_back_what_runs_and_the_next_start_takes_it_up() {
    let agents = super::AGENTS.replace("sleep 600 & sleep 600", "test -e again || sleep 600");
    let mut world = Setup::new(Runtime::Process).config(&agents).start().await;
    let id = create(
        &world,
        "sleeper",
        json!({"project_id": project(&world).await, "max_attempts": 1}),
    )
    .await;
    started(&world).await;
    world.terminate().await;
    assert!(
        world.deployed_processes().is_empty(),
        "{:?}",
        world.deployed_processes()
    );
    std::fs::write(world.data_dir().with_file_name("projects").join("mine/again"), "").unwrap();
    world.boot().await;
    let task = task_is(&world, id, "completed").await;
    let outcomes: Vec<&Value> = task["attempts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|attempt| &attempt["outcome"])
        .collect();
    assert_eq!(outcomes, [&json!("interrupted"), &json!("completed")]);
    assert_eq!(task["failed_attempts"], 0);
    world.close().await;
}
