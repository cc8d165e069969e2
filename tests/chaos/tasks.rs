//! Tasks while BorgOS is killed, frozen, and without its database.

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

use super::{chance::Chance, proxy::Proxy};
use crate::support::{
    Backend, Http, Runtime, Setup, World, eventually, eventually_within, free_port, postgres_address,
};

const NUM_TASKS: i64 = 100;
const NUM_KILLS: u32 = 5;
const CONCURRENCY: usize = 8;
/// All tasks, and a start for each kill, on a machine that is busy.
const ALL_DONE: Duration = Duration::from_secs(120);

/// The program writes into a ledger when it begins and when it has done its work.
fn agents() -> String {
    format!(
        r#"
[agents.ledger]
kind = "command"
command = ["sh", "-c", "echo begin $BORGOS_TASK_ID $BORGOS_TASK_ATTEMPT >> ledger; sleep 0.2; echo end $BORGOS_TASK_ID $BORGOS_TASK_ATTEMPT >> ledger"]
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
        let body = json!({
            "project_id": self.project, "agent_type": agent, "task_type": "x", "description": "x"
        });
        let created = http.post("/api/v1/agent/task", &body).await.expect(202);
        created["task_id"].as_i64().expect("a created task has an id")
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

async fn all_completed(world: &World) {
    eventually_within(ALL_DONE, "all tasks are completed", async || {
        let list = world
            .get("/api/v1/agent/tasks?limit=1000&status=completed")
            .await
            .expect(200);
        let num_completed = list.as_array().unwrap().len();
        if i64::try_from(num_completed) == Ok(NUM_TASKS) {
            Ok(())
        } else {
            Err(num_completed)
        }
    })
    .await;
}

async fn tasks_survive_kills(setup: Setup) {
    let mut random = Chance::new();
    let mut world = setup.config(&agents()).start().await;
    let scene = Scene::new(&world).await;
    let mut ids = Vec::new();
    for _ in 0..NUM_TASKS {
        ids.push(scene.create(&world, "ledger").await);
    }
    for _ in 0..NUM_KILLS {
        sleep(random.moment(Duration::from_millis(600))).await;
        world.kill_9().await;
        world.boot().await;
    }
    all_completed(&world).await;

    let ledger = ledger(&scene.directory);
    let mut num_repeated = 0;
    for id in ids {
        let task = task(&world, id).await;
        let attempts = task["attempts"].as_array().unwrap();
        let (last, lost) = attempts.split_last().unwrap();
        assert_eq!(last["outcome"], "completed", "{task}");
        assert!(lost.iter().all(|attempt| attempt["outcome"] == "lost"), "{task}");
        num_repeated += lost.len();
        // No attempt ran twice, and whatever the ledger has was an attempt.
        let of_task = |kind: &str| {
            let prefix = format!("{kind} {id} ");
            let lines = ledger.iter().filter(move |(line, _)| line.starts_with(&prefix));
            lines.map(|(line, count)| (line.clone(), *count)).collect::<Vec<_>>()
        };
        let (begun, ended) = (of_task("begin"), of_task("end"));
        assert!(begun.iter().chain(&ended).all(|(_, count)| *count == 1), "{begun:?}");
        assert!(
            begun.len() <= attempts.len() && ended.len() <= begun.len(),
            "{begun:?} {task}"
        );
        assert!(
            ended.contains(&(format!("end {id} {}", last["number"]), 1)),
            "{ended:?} {task}"
        );
    }
    eprintln!("{num_repeated} attempts were repeated");
    assert!(num_repeated <= NUM_KILLS as usize * CONCURRENCY, "{num_repeated}");
    world.close().await;
}

#[tokio::test]
async fn no_task_is_lost_or_repeated_without_a_crash() {
    tasks_survive_kills(Setup::new(Runtime::Process)).await;
}

#[tokio::test]
async fn no_task_is_lost_or_repeated_without_a_crash_on_postgresql() {
    tasks_survive_kills(Setup::new(Runtime::Process).backend(Backend::Postgres)).await;
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
    for _ in 0..NUM_TASKS {
        scene.create(&world, "ledger").await;
    }
    for _ in 0..3 {
        database.cut().await;
        sleep(Duration::from_secs(1)).await;
        database.restore().await;
        sleep(Duration::from_millis(500)).await;
    }
    all_completed(&world).await;
    let repeated: Vec<_> = ledger(&scene.directory)
        .into_iter()
        .filter(|(_, count)| *count > 1)
        .collect();
    assert!(repeated.is_empty(), "{repeated:?}");
    world.close().await;
}
