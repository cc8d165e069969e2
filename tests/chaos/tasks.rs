//! Tasks while BorgOS is killed, frozen, and without its database.

mod kills;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use rustix::process::Signal;
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::proxy::Proxy;
use crate::support::{
    Backend, Http, Postgres, Runtime, Setup, World, eventually, eventually_within, free_port, postgres_address,
};

const NUM_TASKS: usize = 100;
const CONCURRENCY: usize = 16;
/// All tasks, and a start for each kill, on a machine that is busy.
const ALL_DONE: Duration = Duration::from_secs(120);

/// The program writes into a ledger when it begins and when it has done its work.
fn agents() -> String {
    format!(
        r#"
[agents.ledger]
kind = "command"
command = ["sh", "-c", "echo begin $BORGOS_TASK_ID $BORGOS_TASK_ATTEMPT >> ledger; sleep 0.05; echo end $BORGOS_TASK_ID $BORGOS_TASK_ATTEMPT >> ledger"]
concurrency = {CONCURRENCY}
max_attempts = 20

[agents.gate]
kind = "command"
command = ["sh", "-c", "echo begin $BORGOS_TASK_ID $BORGOS_TASK_ATTEMPT >> ledger; while [ ! -e open ]; do sleep 0.05; done; echo $BORGOS_TASK_ATTEMPT"]
"#
    )
}

struct Scene {
    project: i64,
    directory: PathBuf,
}

impl Scene {
    async fn new(world: &World) -> Self {
        let project = world.project("mine", "one");
        Self {
            project: world.create_project("mine", project.path()).await,
            directory: project.path().to_owned(),
        }
    }

    async fn create(&self, http: &Http, agent: &str) -> i64 {
        self.create_many(http, agent, 1).await[0]
    }

    async fn create_many(&self, http: &Http, agent: &str, number: usize) -> Vec<i64> {
        let task = json!({
            "project_id": self.project, "agent_type": agent, "task_type": "x", "description": "x"
        });
        let tasks = json!({"tasks": vec![task; number]});
        let created = http.post("/api/v1/agent/tasks", &tasks).await.expect(202);
        let ids = created["task_ids"].as_array().expect("created tasks have ids");
        ids.iter().map(|id| id.as_i64().expect("an id is a number")).collect()
    }

    async fn begun(&self, line: &str) {
        eventually(line, async || {
            let ledger = ledger(&self.directory);
            if ledger.contains_key(line) { Ok(()) } else { Err(ledger) }
        })
        .await;
    }
}

/// Counts the lines of the ledger.
fn ledger(directory: &Path) -> BTreeMap<String, usize> {
    let text = fs::read_to_string(directory.join("ledger")).unwrap_or_default();
    let mut counts = BTreeMap::new();
    for line in text.lines() {
        *counts.entry(line.to_owned()).or_default() += 1;
    }
    counts
}

async fn task(http: &Http, id: i64) -> Value {
    http.get(&format!("/api/v1/agent/tasks/{id}")).await.expect(200)
}

async fn task_is(http: &Http, id: i64, state: &str) -> Value {
    eventually(&format!("task {id} is {state}"), async || {
        let task = task(http, id).await;
        if task["state"] == state { Ok(task) } else { Err(task) }
    })
    .await
}

async fn num_completed(world: &World) -> usize {
    let list = world
        .get("/api/v1/agent/tasks?limit=1000&status=completed")
        .await
        .expect(200);
    list.as_array().expect("a list of tasks").len()
}

async fn all_completed(world: &World, number: usize) {
    eventually_within(ALL_DONE, "all tasks are completed", async || {
        match num_completed(world).await {
            seen if seen == number => Ok(()),
            seen => Err(seen),
        }
    })
    .await;
}

#[tokio::test]
async fn what_a_killed_borgos_had_started_is_ended_before_it_is_started_again() {
    let mut world = Setup::new(Runtime::Process).config(&agents()).start().await;
    let scene = Scene::new(&world).await;
    let id = scene.create(&world, "gate").await;
    scene.begun(&format!("begin {id} 1")).await;
    world.kill_9().await;
    let before = world.deployed_processes();
    assert!(!before.is_empty(), "the program outlives a kill of BorgOS");
    world.boot().await;
    scene.begun(&format!("begin {id} 2")).await;
    let after = world.deployed_processes();
    assert!(
        !after.iter().any(|(pid, _)| before.iter().any(|(old, _)| old == pid)),
        "{before:?} {after:?}"
    );
    fs::write(scene.directory.join("open"), "").unwrap();
    let task = task_is(&world, id, "completed").await;
    assert_eq!(task["output"]["stdout"], "2\n");
    world.close().await;
}

#[tokio::test]
async fn the_late_result_of_a_frozen_worker_is_refused() {
    let world = Setup::new(Runtime::Process)
        .backend(Backend::Postgres)
        .config(&agents())
        .start()
        .await;
    let scene = Scene::new(&world).await;
    let id = scene.create(&world, "gate").await;
    scene.begun(&format!("begin {id} 1")).await;
    world.signal(Signal::STOP);

    // As if it had slept for longer than its lease.
    let database = world.database().await;
    let over = "UPDATE tasks SET lease_until = now() - interval '1 second' WHERE state = 'running'";
    database.execute_unprepared(over).await.unwrap();
    database.close().await.unwrap();
    let second = Second::start(&world).await;
    scene.begun(&format!("begin {id} 2")).await;
    // The frozen worker's program ends while nobody looks, and so does the new one's.
    fs::write(scene.directory.join("open"), "").unwrap();
    task_is(&second.http, id, "completed").await;
    world.signal(Signal::CONT);

    let refused = "a late result of a task was refused";
    eventually(refused, async || {
        let log = fs::read_to_string(world.data_dir().with_file_name("server.log")).unwrap_or_default();
        if log.contains(refused) {
            Ok(())
        } else {
            Err(log.lines().last().map(str::to_owned))
        }
    })
    .await;
    let task = task(&second.http, id).await;
    let outcomes: Vec<&Value> = task["attempts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|attempt| &attempt["outcome"])
        .collect();
    assert_eq!(outcomes, [&json!("lost"), &json!("completed")], "{task}");
    assert_eq!(task["output"]["stdout"], "2\n");
    second.end().await;
    world.close().await;
}

/// A second BorgOS on the same database.
struct Second {
    process: tokio::process::Child,
    http: Http,
    _data_dir: tempfile::TempDir,
}

impl Second {
    async fn start(world: &World) -> Self {
        let data_dir = tempfile::tempdir().unwrap();
        fs::write(data_dir.path().join("borgos.toml"), agents()).unwrap();
        // All who share a database share its key.
        fs::copy(world.data_dir().join("secret.key"), data_dir.path().join("secret.key")).unwrap();
        let address = format!("127.0.0.1:{}", free_port());
        let mut command = world.command();
        command
            .env("BORGOS_LISTEN", &address)
            .env("BORGOS_DATA_DIR", data_dir.path());
        let http = Http::new(&format!("http://{address}"), None);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let process = command.spawn().unwrap();
        eventually("the second server is well", async || {
            match http.try_send(reqwest::Method::GET, "/health", None).await {
                Ok(answer) if answer.status == 200 => Ok(()),
                other => Err(other),
            }
        })
        .await;
        Self {
            process,
            http,
            _data_dir: data_dir,
        }
    }

    async fn end(mut self) {
        self.process.kill().await.unwrap();
    }
}

#[tokio::test]
async fn tasks_go_on_when_the_database_is_back() {
    let port = free_port();
    let mut database = Proxy::tcp(port, &postgres_address()).await;
    let setup = Setup::new(Runtime::Process).postgres_through(&format!("127.0.0.1:{port}"));
    let world = setup.config(&agents()).start().await;
    let scene = Scene::new(&world).await;
    scene.create_many(&world, "ledger", NUM_TASKS).await;
    for _ in 0..3 {
        database.cut().await;
        sleep(Duration::from_secs(1)).await;
        database.restore().await;
        sleep(Duration::from_millis(500)).await;
    }
    all_completed(&world, NUM_TASKS).await;
    assert_carried_out_once(&scene);
    world.close().await;
}

/// However the server ends: with an orderly goodbye to everybody, or in the midst of their transactions.
#[tokio::test]
async fn tasks_go_on_when_postgresql_was_restarted_under_them() {
    let mut server = Postgres::start().await;
    let setup = Setup::new(Runtime::Process).postgres_on(&server);
    let world = setup.config(&agents()).start().await;
    let scene = Scene::new(&world).await;
    scene.create_many(&world, "ledger", 3 * NUM_TASKS).await;
    for (number, signal) in (1..).zip([Signal::INT, Signal::QUIT, Signal::QUIT]) {
        eventually("some tasks are done", async || match ledger(&scene.directory).len() {
            seen if seen > number * NUM_TASKS => Ok(()),
            seen => Err(seen),
        })
        .await;
        server.restart(signal).await;
    }
    all_completed(&world, 3 * NUM_TASKS).await;
    assert_carried_out_once(&scene);
    world.close().await;
}

/// As it must be while nobody crashes: no task was begun twice, whatever happened to its row.
fn assert_carried_out_once(scene: &Scene) {
    let mut tasks = BTreeMap::<String, usize>::new();
    for (line, count) in ledger(&scene.directory) {
        let mut words = line.rsplitn(2, ' ');
        let what = words.nth(1).unwrap_or_default().to_owned();
        *tasks.entry(what).or_default() += count;
    }
    tasks.retain(|_, count| *count > 1);
    assert!(tasks.is_empty(), "repeated: {tasks:?}");
}
