//! Tasks that it carries out.

use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use super::{close, start, status, status_is, world_of};
use crate::support::{Answer, Runtime, Setup, StandIn, World, eventually, eventually_within};

async fn execute(world: &World, request: &Value) -> i64 {
    let submitted = world.post("/api/v1/agent-zero/execute", request).await.expect(202);
    let id = submitted["task_id"].as_i64().expect("a submitted task has an id");
    assert_eq!(submitted, json!({"message": "Task submitted", "task_id": id}));
    id
}

/// Hands it a task as any other agent would get one.
async fn create(world: &World, agent_type: &str, description: &str) -> i64 {
    let task = json!({"agent_type": agent_type, "task_type": "automation", "description": description});
    let created = world.post("/api/v1/agent/task", &task).await.expect(202);
    created["task_id"].as_i64().expect("a created task has an id")
}

async fn task(world: &World, id: i64) -> Value {
    world.get(&format!("/api/v1/agent/tasks/{id}")).await.expect(200)
}

/// Waits until a task has this state and returns it.
async fn task_is(world: &World, id: i64, state: &str) -> Value {
    eventually(&format!("task {id} is {state}"), async || match task(world, id).await {
        seen if seen["state"] == state => Ok(seen),
        seen => Err(seen),
    })
    .await
}

/// Waits until the stand-in was sent as many messages.
async fn messages(stand_in: &StandIn, number: usize) {
    in_ledger(stand_in, "message", number).await;
}

/// Waits until the stand-in's ledger has as many entries of a kind.
async fn in_ledger(stand_in: &StandIn, what: &str, number: usize) {
    eventually(&format!("{number} entries `{what}`"), async || {
        match stand_in.num_in_ledger(what) {
            seen if seen == number => Ok(()),
            seen => Err(seen),
        }
    })
    .await;
}

async fn agent(world: &World) -> Value {
    let agents = world.get("/api/v1/agent/agents").await.expect(200);
    let mut agents = agents.as_array().unwrap().iter();
    agents
        .find(|agent| agent["agent_type"] == "agent-zero")
        .expect("it is an agent")
        .clone()
}

#[tokio::test]
async fn a_prompt_becomes_a_task_that_is_carried_out_with_every_step_told() {
    let stand_in = StandIn::install(&json!({}));
    let world = world_of(&stand_in).await;
    start(&world).await;
    let project = world.project("mine", "one");
    let project_id = world.create_project("mine", project.path()).await;
    let mut socket = world.socket().await;
    socket
        .send(&json!({"type": "subscribe", "channels": ["tasks"], "ref": 1}))
        .await;
    assert_eq!(socket.next().await["type"], "ack");

    let request = json!({
        "type": "code_execution",
        "description": "Create a Python script to analyze logs",
        "prompt": "Write a script that parses error logs and generates a summary report",
        "context": {"project_id": project_id, "log_path": "/logs/app.log"}
    });
    let id = execute(&world, &request).await;
    socket
        .next_event("task_progress", |data| data.to_string().contains("thinking"))
        .await;
    let done = task_is(&world, id, "completed").await;
    let said = done["output"]["content"].as_str().unwrap();
    for part in [
        "a script that parses",
        "Create a Python",
        "app.log",
        project.path().to_str().unwrap(),
    ] {
        assert!(said.contains(part), "{said}");
    }
    assert!(
        done["progress"]["message"].as_str().unwrap().starts_with("response"),
        "{done:#}"
    );
    assert_eq!(
        (
            &done["project_id"],
            &done["agent_type"],
            &done["task_type"],
            &done["description"]
        ),
        (
            &json!(project_id),
            &json!("agent-zero"),
            &request["type"],
            &request["description"]
        )
    );
    assert_eq!(
        done["input_data"],
        json!({"prompt": request["prompt"], "context": request["context"]})
    );

    let created = create(&world, "agent-zero", "say hello").await;
    let done = task_is(&world, created, "completed").await;
    assert_eq!(done["output"], json!({"content": "done: hello", "num_steps": 5}));
    let fails = create(&world, "agent-zero", "fail-auth").await;
    let failed = task_is(&world, fails, "failed").await;
    assert_eq!(failed["attempts"][0]["error_kind"], "llm_auth", "{failed:#}");
    assert_eq!(failed["failed_attempts"], 1);
    assert_eq!(
        stand_in.num_in_ledger("ended"),
        3,
        "each chat is ended with its attempt"
    );
    close(world, &stand_in).await;
}

#[tokio::test]
async fn what_is_asked_while_it_does_not_run_waits_for_it() {
    let stand_in = StandIn::install(&json!({}));
    let setup = Setup::new(Runtime::Process).config("[agents.zenith]\nkind = \"agent-zero\"\nconcurrency = 1\n");
    let world = stand_in.introduce(setup).start().await;
    status_is(&world, "stopped").await;
    let ids = [
        execute(&world, &json!({"prompt": "say one"})).await,
        create(&world, "zenith", "say two").await,
    ];
    let seen = agent(&world).await;
    let health = json!({"status": "unavailable", "reason": "Agent Zero is stopped"});
    assert_eq!((&seen["health"], &seen["waiting"]), (&health, &json!(1)));
    assert_eq!((&seen["kind"], &seen["concurrency"]), (&json!("agent-zero"), &json!(6)));
    start(&world).await;
    for id in ids {
        let done = task_is(&world, id, "completed").await;
        assert_eq!(done["attempt"], 1, "waiting has cost attempts: {done:#}");
    }
    assert_eq!(agent(&world).await["health"], json!({"status": "available"}));
    close(world, &stand_in).await;
}

#[tokio::test]
async fn a_running_task_that_is_cancelled_ends_with_its_chat() {
    let stand_in = StandIn::install(&json!({}));
    let world = world_of(&stand_in).await;
    start(&world).await;
    let id = execute(&world, &json!({"prompt": "wait 1000"})).await;
    messages(&stand_in, 1).await;
    let asked = Instant::now();
    world
        .post_nothing(&format!("/api/v1/agent/tasks/{id}/cancel"))
        .await
        .expect(202);
    let cancelled = task_is(&world, id, "cancelled").await;
    assert!(asked.elapsed() < Duration::from_secs(10), "{:?}", asked.elapsed());
    assert_eq!(cancelled["attempts"][0]["outcome"], "cancelled");
    assert_eq!(stand_in.num_in_ledger("ended"), 1);
    close(world, &stand_in).await;
}

#[tokio::test]
async fn a_message_that_arrives_after_its_task_was_cancelled_is_not_worked_on() {
    let stand_in = StandIn::install(&json!({}));
    let world = world_of(&stand_in).await;
    start(&world).await;
    let id = execute(&world, &json!({"prompt": "late 3 hello"})).await;
    in_ledger(&stand_in, "arriving", 1).await;
    world
        .post_nothing(&format!("/api/v1/agent/tasks/{id}/cancel"))
        .await
        .expect(202);
    task_is(&world, id, "cancelled").await;
    assert_eq!(stand_in.num_in_ledger("ended"), 0);
    in_ledger(&stand_in, "ended", 1).await;
    close(world, &stand_in).await;
}

#[tokio::test]
async fn one_that_is_busy_is_asked_again_and_gets_no_prompt_twice() {
    let stand_in = StandIn::install(&json!({}));
    let world = world_of(&stand_in).await;
    start(&world).await;
    let ids = [
        execute(&world, &json!({"prompt": "slow hello"})).await,
        execute(&world, &json!({"prompt": "refuse hello"})).await,
    ];
    for id in ids {
        let done = task_is(&world, id, "completed").await;
        assert_eq!(done["attempt"], 1, "{done:#}");
    }
    assert_eq!(stand_in.num_in_ledger("message"), 2);
    close(world, &stand_in).await;
}

#[tokio::test]
async fn a_restart_of_the_actor_ends_no_task() {
    let stand_in = StandIn::install(&json!({}));
    let world = world_of(&stand_in).await;
    start(&world).await;
    let id = execute(&world, &json!({"prompt": "wait 3 hello"})).await;
    messages(&stand_in, 1).await;
    world
        .post_nothing("/api/v1/actors/agent-zero/restart")
        .await
        .expect(200);
    let done = task_is(&world, id, "completed").await;
    assert_eq!(done["attempt"], 1, "{done:#}");
    assert_eq!(stand_in.num_in_ledger("message"), 1);
    close(world, &stand_in).await;
}

#[tokio::test]
async fn a_task_whose_process_is_killed_is_carried_out_by_the_next_one() {
    let stand_in = StandIn::install(&json!({}));
    let world = world_of(&stand_in).await;
    start(&world).await;
    let id = execute(&world, &json!({"prompt": "wait-once hello"})).await;
    messages(&stand_in, 1).await;
    let process_id = status(&world).await["process_id"].as_i64().unwrap();
    let process = Pid::from_raw(i32::try_from(process_id).unwrap()).unwrap();
    kill_process(process, Signal::KILL).unwrap();
    let done = eventually_within(Duration::from_secs(60), "the task is done", async || {
        match task(&world, id).await {
            seen if seen["state"] == "completed" => Ok(seen),
            seen => Err(seen),
        }
    })
    .await;
    assert_eq!(done["output"]["content"], "done: hello");
    let outcomes: Vec<_> = done["attempts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|attempt| &attempt["outcome"])
        .collect();
    assert_eq!(outcomes, ["lost", "completed"]);
    assert_eq!(done["failed_attempts"], 0, "{done:#}");
    close(world, &stand_in).await;
}

#[tokio::test]
async fn a_borgos_that_is_killed_leaves_no_chat_at_work() {
    let stand_in = StandIn::install(&json!({}));
    let mut world = world_of(&stand_in).await;
    start(&world).await;
    let id = execute(&world, &json!({"prompt": "wait-once hello"})).await;
    messages(&stand_in, 1).await;
    world.kill_9().await;
    assert_eq!(stand_in.num_in_ledger("ended"), 0);
    world.boot().await;
    let done = task_is(&world, id, "completed").await;
    assert_eq!(done["attempt"], 2);
    let ledger = stand_in.ledger();
    let chats: Vec<_> = ledger
        .iter()
        .filter(|entry| entry["what"] != "started")
        .map(|entry| (&entry["what"], &entry["chat"]))
        .collect();
    let (first, second) = (chats[0].1, chats[2].1);
    assert_ne!(first, second);
    let expected = [
        ("message", first),
        ("ended", first),
        ("message", second),
        ("ended", second),
    ];
    assert_eq!(chats.len(), expected.len(), "{chats:?}");
    for (seen, expected) in chats.iter().zip(expected) {
        assert_eq!((seen.0.as_str(), seen.1), (Some(expected.0), expected.1), "{chats:?}");
    }
    close(world, &stand_in).await;
}

#[tokio::test]
async fn a_request_with_a_key_is_one_task() {
    let stand_in = StandIn::install(&json!({}));
    let world = world_of(&stand_in).await;
    let post = async |prompt: &str| {
        let request = world.request(reqwest::Method::POST, "/api/v1/agent-zero/execute");
        let request = request
            .header("Idempotency-Key", "key-1")
            .json(&json!({"prompt": prompt}));
        Answer::to(request).await.unwrap()
    };
    let first = post("say hello").await.expect(202);
    let again = post("say hello").await.expect(202);
    let expected = json!({"message": "Task was submitted before", "task_id": first["task_id"], "duplicate": true});
    assert_eq!(again, expected);
    assert_eq!(post("say no").await.expect(409)["code"], "IDEMPOTENCY_KEY_REUSED");
    close(world, &stand_in).await;
}

#[tokio::test]
async fn what_cannot_be_executed_is_refused_with_what_would_help() {
    let world = Setup::new(Runtime::Process).start().await;
    let refused = world
        .post("/api/v1/agent-zero/execute", &json!({"prompt": "x"}))
        .await
        .expect(400);
    let message = refused["message"].as_str().unwrap();
    assert!(
        message.contains("BORGOS_AGENT_ZERO_DIR") && message.contains("[agents.agent-zero]"),
        "{message}"
    );
    world.close().await;

    let stand_in = StandIn::install(&json!({}));
    let world = world_of(&stand_in).await;
    let request = json!({"prompt": "x", "context": {"project_id": 99}});
    let absent = world.post("/api/v1/agent-zero/execute", &request).await.expect(404);
    assert_eq!(absent["message"], "Project with id 99 not found");
    let request = json!({"prompt": "x", "context": {"project_id": "mine"}});
    let refused = world.post("/api/v1/agent-zero/execute", &request).await.expect(400);
    assert!(
        refused["message"].as_str().unwrap().starts_with("`context.project_id`"),
        "{refused}"
    );
    let tasks = world.get("/api/v1/agent/tasks").await.expect(200);
    assert_eq!(tasks, json!([]));
    close(world, &stand_in).await;
}
