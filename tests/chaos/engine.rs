//! The Docker engine goes away and comes back.

use std::time::Duration;

use serde_json::{Value, json};

use super::{load::Load, proxy::Proxy, scene::Deployed};
use crate::support::{Runtime, Setup, docker, eventually, eventually_within};

/// Everything is looked at this often, and a little later the status says that this failed.
const SWEEP_TIMEOUT: Duration = Duration::from_secs(35);
/// The engine is looked for this often while it is away.
const RETURN_TIMEOUT: Duration = Duration::from_secs(15);

#[tokio::test]
async fn an_engine_that_goes_away_changes_nothing_but_what_is_known() {
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("engine.sock");
    let mut engine = Proxy::unix(&socket, &docker::host()).await;
    let world = Setup::new(Runtime::Docker)
        .variable("DOCKER_HOST", &format!("unix://{}", socket.display()))
        .start()
        .await;
    let steady = Deployed::running(&world, "steady").await;
    let stopped = Deployed::running(&world, "stopped").await;
    let before = steady.is_truly_running(&world).await;
    let actors = world.get("/api/v1/actors").await.expect(200);
    let load = Load::on(steady.port);

    engine.cut().await;
    let answer = world.post(&format!("{}/stop", stopped.path()), &json!({})).await;
    assert!(!answer.header("retry-after").is_empty(), "{answer:?}");
    assert_eq!(answer.expect(503)["code"], "ENGINE_UNAVAILABLE");
    eventually_within(SWEEP_TIMEOUT, "the status is said to be old", async || {
        let row = steady.row(&world).await;
        assert_eq!(row["status"], "running", "nothing else is known: {row}");
        world.get("/health").await.expect(200);
        match row["reason"].as_str() {
            Some(reason) if reason.starts_with("not observed") => Ok(()),
            _ => Err(row),
        }
    })
    .await;
    assert_eq!(
        stopped.row(&world).await["status"],
        "running",
        "it is not known to be stopped"
    );
    stopped.assert_answers().await;

    engine.restore().await;
    eventually_within(RETURN_TIMEOUT, "the accepted stop is carried out", async || {
        let row = stopped.row(&world).await;
        if row["status"] == "stopped" { Ok(()) } else { Err(row) }
    })
    .await;
    assert!(stopped.containers(&world).await.is_empty());
    let after = eventually("the status is new again", async || {
        let row = steady.row(&world).await;
        if row["reason"].is_null() { Ok(row) } else { Err(row) }
    })
    .await;
    for field in ["status", "container_id", "generation", "restarts", "started_at"] {
        assert_eq!(after[field], before[field], "{field}");
    }
    load.finish().await;
    assert_eq!(
        generations(&world.get("/api/v1/actors").await.expect(200)),
        generations(&actors)
    );
    world.close().await;
}

/// Returns how often each actor was started.
fn generations(actors: &Value) -> Vec<(String, String)> {
    let actors = actors.as_array().expect("a list of actors");
    actors
        .iter()
        .map(|actor| (actor["path"].to_string(), actor["generation"].to_string()))
        .collect()
}
