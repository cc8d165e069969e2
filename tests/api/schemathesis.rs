//! The description of the API holds: schemathesis asks the server whatever the description allows, and much that it
//! forbids, and finds neither a defect nor an answer that is not described.

use std::{
    path::{Path, PathBuf},
    process::Output,
    time::Duration,
};

use serde_json::json;
use tokio::{process::Command, time::timeout};

use crate::support::{Runtime, Setup, World, python_program};

const TOKEN: &str = "schemathesis-token";
/// An agent that is done at once, under the name that the documented examples have.
const AGENTS: &str =
    "[agents.agent-zero]\nkind = \"command\"\ncommand = [\"true\"]\nstdin = \"prompt\"\ndirectory = \"/\"\n";
const NUM_DIRECTORIES: usize = 50;
/// The first shows a wrong credential to every operation, and whoever does that is slowed after a few; that no endpoint but
/// the public ones can do without a credential is tested where the guard is. The second takes a token that was revoked for
/// one that is to be gone, but it is still shown.
const LEFT_OUT: &str = "ignored_auth,use_after_free";
/// A run takes a fraction of that even on a busy machine.
const DEADLINE: Duration = Duration::from_secs(300);

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/api/schemathesis")
        .join(name)
}

async fn output(mut command: Command) -> Output {
    let finished = timeout(DEADLINE, command.output())
        .await
        .expect("the program ends in time");
    finished.expect("the program can be started")
}

/// A world in which ids that are tried first lead to something.
async fn world() -> World {
    let world = Setup::new(Runtime::Process)
        .token(TOKEN)
        .config(AGENTS)
        .variable("BORGOS_WEBHOOK_ALLOW", "127.0.0.0/8")
        .start()
        .await;
    let project = world.project("mine", "one");
    let id = world.create_project("mine", project.path()).await;
    world
        .post_nothing(&format!("/api/v1/projects/{id}/scan"))
        .await
        .expect(202);
    let deploy = json!({"project_id": id, "name": "mine", "port": crate::support::free_port(), "health_interval_s": 1});
    let deployment = world.post("/api/v1/deploy", &deploy).await.expect(201);
    world.deployment_is(deployment["id"].as_i64().unwrap(), "running").await;
    world
}

/// Directories that are no projects yet, so that there is something to be created in each sequence.
fn directories(world: &World, seed: u64) -> String {
    let directory = |number| {
        let path = world.projects_dir().join(format!("{seed}-{number}"));
        std::fs::create_dir_all(&path).expect("a directory can be made");
        path.to_string_lossy().into_owned()
    };
    (0..NUM_DIRECTORIES).map(directory).collect::<Vec<_>>().join(":")
}

async fn run(world: &World, seed: u64, phases: &str, max_examples: u64) {
    let directories = directories(world, seed);
    let mut command = python_program("schemathesis");
    command
        .arg("--config-file")
        .arg(file("schemathesis.toml"))
        .args(["run", &format!("{}/api/v1/openapi.json", world.base_url())])
        .args(["--checks", "all", "--exclude-checks", LEFT_OUT, "--phases", phases])
        .args(["--seed", &seed.to_string(), "--max-examples", &max_examples.to_string()])
        .args(["--header", &format!("Authorization: Bearer {TOKEN}")])
        .env("SCHEMATHESIS_HOOKS", "hooks")
        .env("PYTHONPATH", file(""))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("BORGOS_TEST_DIRECTORIES", directories)
        .current_dir(world.projects_dir());
    let output = output(command).await;
    let report = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "seed {seed}, {phases}:\n{report}");
}

#[tokio::test]
async fn the_description_is_valid() {
    let world = Setup::new(Runtime::Process).start().await;
    let answer = world.get("/api/v1/openapi.json").await;
    assert_eq!(answer.header("content-type"), "application/json");
    let path = world.projects_dir().join("openapi.json");
    std::fs::write(&path, answer.expect(200).to_string()).unwrap();
    let mut command = python_program("openapi-spec-validator");
    command.arg("--schema").arg("3.1").arg(&path);
    let output = output(command).await;
    assert!(output.status.success(), "{output:?}");
    world.close().await;
}

#[tokio::test]
async fn every_value_that_a_description_bounds_is_tried_at_its_bounds() {
    let world = world().await;
    run(&world, 1, "examples,coverage", 1).await;
    world.close().await;
}

#[tokio::test]
async fn requests_at_random_and_in_sequence_find_no_fault() {
    let world = world().await;
    for seed in 1..=4 {
        run(&world, seed, "fuzzing,stateful", 3).await;
    }
    world.close().await;
}
