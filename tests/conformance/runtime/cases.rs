//! The cases that hold on every runtime.

use std::time::{Duration, Instant};

use bollard::query_parameters::KillContainerOptionsBuilder;
use borgos_actors::{
    health::{Check, Target, probe},
    id::{DeploymentId, Generation},
    runtime::{Change, Error, InstanceState, Kind},
    value::{Command, MemoryLimit, Secrets},
};
use futures_util::StreamExt;
use rustix::process::{Signal, kill_process};
use serde_json::json;
use tokio::time::timeout;

use super::fixture::Fixture;
use crate::support::{docker, eventually, eventually_within};

/// Enough for an app that ends when it is asked to, on a busy machine.
const GRACE: Duration = Duration::from_secs(20);
/// Within this an outside change must have been hinted at.
const HINT_DEADLINE: Duration = Duration::from_secs(2);

pub(super) async fn an_instance_runs_under_its_labels_and_answers(fixture: &Fixture) {
    let instance = fixture.runtime.start(&fixture.spec(&[]).await).await.unwrap();
    let seen = fixture.the_instance().await;
    assert_eq!(seen.instance, instance);
    assert_eq!(
        (seen.deployment, seen.release, seen.generation),
        (fixture.deployment, 4, Generation(1))
    );
    let InstanceState::Running { since } = seen.state else {
        panic!("{seen:?}")
    };
    assert!((chrono::Utc::now() - since).num_seconds().abs() < 60, "{since}");

    fixture.served_environment().await;
    let target = Target {
        own: seen.address,
        endpoint: seen.endpoint.unwrap(),
        port: fixture.port,
        check: Check::Default,
    };
    assert!(seen.address.is_some());
    assert_eq!(probe(&target).await, Ok(()));
    assert!(
        fixture
            .runtime
            .instances(DeploymentId(9_999_999))
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(fixture.runtime.list().await.unwrap().len(), 1);
}

pub(super) async fn a_stopped_instance_has_ended_within_its_grace(fixture: &Fixture) {
    let instance = fixture.runtime.start(&fixture.spec(&[]).await).await.unwrap();
    fixture.served_environment().await;
    let begin = Instant::now();
    fixture.runtime.stop(&instance, GRACE).await.unwrap();
    assert!(begin.elapsed() < GRACE, "it was killed instead");
    let InstanceState::Exited(exit) = fixture.the_instance().await.state else {
        panic!("it still runs")
    };
    assert_eq!((exit.code, exit.is_oom), (143, false));
    fixture.runtime.stop(&instance, GRACE).await.unwrap();
}

pub(super) async fn an_app_that_ignores_the_request_to_end_is_killed_after_the_grace(fixture: &Fixture) {
    let grace = Duration::from_secs(1);
    let instance = fixture.runtime.start(&fixture.spec(&["stubborn"]).await).await.unwrap();
    eventually("the app ignores SIGTERM", async || {
        let lines = fixture.runtime.tail(&instance, 9, &Secrets::default()).await.unwrap();
        if lines.iter().any(|line| line == "up") {
            Ok(())
        } else {
            Err(lines)
        }
    })
    .await;
    let begin = Instant::now();
    fixture.runtime.stop(&instance, grace).await.unwrap();
    assert!(begin.elapsed() >= grace);
    assert_eq!(fixture.exit().await.code, 137);
}

pub(super) async fn an_exit_is_seen_with_its_code(fixture: &Fixture) {
    let instance = fixture
        .runtime
        .start(&fixture.spec(&["exit", "7"]).await)
        .await
        .unwrap();
    let exit = fixture.exit().await;
    assert_eq!((exit.code, exit.is_oom), (7, false));
    assert!((chrono::Utc::now() - exit.at).num_seconds().abs() < 60, "{exit:?}");
    assert_eq!(fixture.exit().await, exit, "the time of the end stays the same");
    let lines = fixture.runtime.tail(&instance, 9, &Secrets::default()).await.unwrap();
    assert!(lines.contains(&"the app begins: exit 7".to_owned()), "{lines:?}");
}

pub(super) async fn a_kill_from_outside_is_seen_and_hinted_at(fixture: &Fixture) {
    let mut changes = fixture.runtime.changes();
    assert_eq!(changes.next().await, Some(Change::Everything));
    let instance = fixture.runtime.start(&fixture.spec(&[]).await).await.unwrap();
    fixture.served_environment().await;
    let hint = Some(Change::Deployment(fixture.deployment));
    assert_eq!(
        timeout(HINT_DEADLINE, changes.next()).await.unwrap(),
        hint,
        "the start is hinted at"
    );

    if fixture.is_docker() {
        let options = KillContainerOptionsBuilder::default().signal("KILL").build();
        docker::client()
            .kill_container(&instance.0, Some(options))
            .await
            .unwrap();
    } else {
        kill_process(fixture.app_pid().await, Signal::KILL).unwrap();
    }
    let exit = eventually_within(HINT_DEADLINE, "the end is seen after a hint", async || {
        assert_eq!(timeout(HINT_DEADLINE, changes.next()).await.unwrap(), hint);
        match fixture.the_instance().await.state {
            InstanceState::Exited(exit) => Ok(exit),
            other => Err(other),
        }
    });
    assert_eq!(exit.await.code, 137);
}

pub(super) async fn a_start_replaces_its_own_generation_runs_beside_older_ones_and_is_refused_when_outdated(
    fixture: &Fixture,
) {
    let mut spec = fixture.spec(&[]).await;
    for _ in 0..2 {
        let started = fixture.runtime.start(&spec).await.unwrap();
        fixture.served_environment().await;
        assert_eq!(fixture.the_instance().await.instance, started);
    }
    let older = fixture.endpoint().await.unwrap();
    spec.generation = Generation(2);
    fixture.runtime.start(&spec).await.unwrap();
    fixture.served_environment().await;
    assert_ne!(fixture.endpoint().await.unwrap(), older);
    super::fixture::get(older, "/env").await.expect("the older one goes on");

    spec.generation = Generation(1);
    let refusal = fixture.runtime.start(&spec).await.unwrap_err();
    assert!(matches!(refusal, Error::Refused(_)), "{refusal:?}");
    assert_eq!(fixture.runtime.list().await.unwrap().len(), 2);
    super::fixture::get(older, "/env").await.expect("the older one goes on");
}

pub(super) async fn a_fresh_runtime_finds_what_runs(fixture: &Fixture) {
    let instance = fixture.runtime.start(&fixture.spec(&[]).await).await.unwrap();
    let before = fixture.runtime.list().await.unwrap();
    let fresh = fixture.another_runtime();
    assert_eq!(fresh.list().await.unwrap(), before);
    fresh.stop(&instance, GRACE).await.unwrap();
    assert!(matches!(fixture.the_instance().await.state, InstanceState::Exited(_)));
}

pub(super) async fn the_output_is_kept(fixture: &Fixture) {
    let instance = fixture
        .runtime
        .start(&fixture.spec(&["exit", "0"]).await)
        .await
        .unwrap();
    fixture.exit().await;
    let mut lines = fixture.runtime.tail(&instance, 9, &Secrets::default()).await.unwrap();
    if fixture.is_docker() {
        // The engine reads two pipes, in no particular order.
        lines.sort_by_key(|line| line.contains("complaint"));
    }
    assert_eq!(lines, ["the app begins: exit 0", "a complaint"]);
    assert_eq!(
        fixture
            .runtime
            .tail(&instance, 1, &Secrets::default())
            .await
            .unwrap()
            .len(),
        1
    );
    fixture.runtime.remove(&instance).await.unwrap();
    assert!(
        fixture
            .runtime
            .tail(&instance, 9, &Secrets::default())
            .await
            .unwrap()
            .is_empty()
    );
}

pub(super) async fn a_flood_of_output_neither_blocks_the_app_nor_fills_the_disk(fixture: &Fixture) {
    let instance = fixture.runtime.start(&fixture.spec(&["flood"]).await).await.unwrap();
    let minutes = Duration::from_secs(120);
    eventually_within(minutes, "the app has printed all and serves", async || {
        super::fixture::get(fixture.endpoint().await?, "/env").await
    })
    .await;
    eventually("the end of the flood is kept", async || {
        let lines = fixture.runtime.tail(&instance, 1, &Secrets::default()).await.unwrap();
        if lines == ["the flood is over"] {
            Ok(())
        } else {
            Err(lines)
        }
    })
    .await;
    if fixture.is_docker() {
        let container = docker::client().inspect_container(&instance.0, None).await.unwrap();
        let log = container.host_config.unwrap().log_config.unwrap();
        assert_eq!(json!(log.config), json!({"max-size": "5m", "max-file": "2"}));
    } else {
        let record = fixture.path().join("processes").join(&instance.0);
        let sizes = std::fs::read_dir(record)
            .unwrap()
            .map(|entry| entry.unwrap().metadata().unwrap().len());
        assert!(sizes.sum::<u64>() < 11 * 1024 * 1024);
    }
}

pub(super) async fn a_removed_instance_is_gone(fixture: &Fixture) {
    let instance = fixture.runtime.start(&fixture.spec(&["escape"]).await).await.unwrap();
    fixture.served_environment().await;
    let endpoint = fixture.endpoint().await.unwrap();
    fixture.runtime.remove(&instance).await.unwrap();
    assert_eq!(fixture.runtime.list().await.unwrap(), []);
    let connection = super::fixture::get(endpoint, "/env").await;
    assert!(connection.is_err(), "somebody still answers");
    fixture.runtime.remove(&instance).await.unwrap();
    fixture.runtime.stop(&instance, GRACE).await.unwrap();
}

pub(super) async fn a_program_that_does_not_exist_is_told_from_one_that_fails(fixture: &Fixture) {
    let mut spec = fixture.spec(&[]).await;
    spec.command = Some(Command::try_from(vec!["no-such-program".to_owned()]).unwrap());
    match fixture.runtime.start(&spec).await {
        Err(Error::StartFailed(reason)) => {
            assert!(reason.contains("No such file"), "{reason}");
            assert_eq!(fixture.runtime.list().await.unwrap(), []);
        }
        // The engine has started its init process, which then finds no program.
        Ok(instance) if fixture.is_docker() => {
            assert_eq!(fixture.exit().await.code, 127);
            let lines = fixture.runtime.tail(&instance, 9, &Secrets::default()).await.unwrap();
            assert!(
                lines.concat().contains("no-such-program failed: No such file"),
                "{lines:?}"
            );
        }
        other => panic!("{other:?}"),
    }
}

pub(super) async fn the_app_gets_its_environment_and_no_other(fixture: &Fixture) {
    let mut spec = fixture.spec(&[]).await;
    let given = json!({"GREETING": "a 'quoted' $HOME; \"x\"", "PORT": 1, "EMPTY": ""});
    spec.environment = serde_json::from_value(given).unwrap();
    fixture.runtime.start(&spec).await.unwrap();
    let environment = fixture.served_environment().await;
    let has = |line: &str| environment.lines().any(|other| other == line);
    assert!(
        has("GREETING=a 'quoted' $HOME; \"x\"") && has("EMPTY="),
        "{environment}"
    );
    // The lowest port that the image exposes, and for a process the one where it is reached.
    let port = if fixture.is_docker() {
        8099
    } else {
        fixture.endpoint().await.unwrap().port()
    };
    assert!(has(&format!("PORT={port}")), "{environment}");
    assert!(!environment.contains("CARGO"), "{environment}");
}

pub(super) async fn a_command_replaces_the_own_one_of_the_artifact(fixture: &Fixture) {
    let instance = fixture
        .runtime
        .start(&fixture.spec(&["two words", "$HOME"]).await)
        .await
        .unwrap();
    fixture.served_environment().await;
    // Whoever keeps the output may come to it only after the app already serves.
    eventually("the app says with what it was begun", async || {
        let lines = fixture.runtime.tail(&instance, 9, &Secrets::default()).await.unwrap();
        match lines.contains(&"the app begins: two words $HOME".to_owned()) {
            true => Ok(()),
            false => Err(lines),
        }
    })
    .await;
}

pub(super) async fn a_memory_limit_holds(fixture: &Fixture) {
    let mut spec = fixture.spec(&["hog"]).await;
    spec.memory_limit = Some(MemoryLimit::try_from("24m".to_owned()).unwrap());
    assert!(fixture.runtime.enforced_limits().memory);
    fixture.runtime.start(&spec).await.unwrap();
    let exit = fixture.exit().await;
    assert_ne!(exit.code, 0);
    assert_eq!(exit.is_oom, fixture.is_docker());
}

pub(super) async fn what_another_borgos_runs_is_not_touched(fixture: &Fixture) {
    let instance = fixture.runtime.start(&fixture.spec(&[]).await).await.unwrap();
    fixture.served_environment().await;
    let stranger = Fixture::new(fixture.runtime.kind());
    assert_eq!(stranger.runtime.list().await.unwrap(), []);
    let outcomes = [
        stranger.runtime.stop(&instance, GRACE).await,
        stranger.runtime.remove(&instance).await,
    ];
    // Processes of another data directory do not even have a name here.
    let is_refusal_expected = fixture.runtime.kind() == Kind::Docker;
    for outcome in outcomes {
        assert_eq!(
            matches!(outcome, Err(Error::Refused(_))),
            is_refusal_expected,
            "{outcome:?}"
        );
    }
    let mut spec = stranger.spec(&["exit", "0"]).await;
    spec.deployment = fixture.deployment;
    stranger.runtime.start(&spec).await.unwrap();
    stranger.clean_up().await;
    fixture.served_environment().await;
    assert!(matches!(
        fixture.the_instance().await.state,
        InstanceState::Running { .. }
    ));
}
