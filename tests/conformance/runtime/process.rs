//! What only processes can show: their keeper, and what a plain directory says about how to start.

use std::{fs, os::unix::fs::PermissionsExt, path::Path, time::Duration};

use borgos_actors::{
    runtime::{Error, Exit, InstanceState, Kind, Source, Wanted},
    value::{ImageRef, MemoryLimit, Secrets},
};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use serde_json::Value;

use super::fixture::{self, Fixture};
use crate::support::eventually;

const GRACE: Duration = Duration::from_secs(20);

/// Returns a pid that the keeper wrote down: its own, or the app's.
fn recorded_pid(fixture: &Fixture, pointer: &str) -> Pid {
    let records = fs::read_dir(fixture.path().join("processes")).unwrap();
    let record = records.map(|entry| entry.unwrap().path()).next().unwrap();
    let state: Value = serde_json::from_slice(&fs::read(record.join("state.json")).unwrap()).unwrap();
    let pid = state
        .pointer(pointer)
        .and_then(Value::as_i64)
        .unwrap_or_else(|| panic!("{state}"));
    Pid::from_raw(i32::try_from(pid).unwrap()).unwrap()
}

/// Returns the command lines of the processes that work in the fixture's directory or below it.
fn working_in(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let working =
        entries.filter(|entry| fs::read_link(entry.path().join("cwd")).is_ok_and(|cwd| cwd.starts_with(directory)));
    let lines = working.filter_map(|entry| fs::read_to_string(entry.path().join("cmdline")).ok());
    lines
        .map(|line| line.replace('\0', " "))
        .filter(|line| !line.is_empty())
        .collect()
}

/// Counts what the app left to run beside it.
fn num_sleepers(fixture: &Fixture) -> usize {
    working_in(fixture.path())
        .iter()
        .filter(|line| line.contains("sleep 86399"))
        .count()
}

async fn nothing_is_left(directory: &Path) {
    eventually("no process of the app is left", async || match working_in(directory) {
        left if left.is_empty() => Ok(()),
        left => Err(left),
    })
    .await;
}

#[tokio::test]
async fn what_leaves_the_group_ends_with_the_app() {
    fixture::run(Kind::Process, async |fixture| {
        let instance = fixture.runtime.start(&fixture.spec(&["escape"]).await).await.unwrap();
        fixture.served_environment().await;
        eventually("both sleep", async || match num_sleepers(fixture) {
            2 => Ok(()),
            other => Err(other),
        })
        .await;
        fixture.runtime.stop(&instance, GRACE).await.unwrap();
        assert_eq!(working_in(fixture.path()), Vec::<String>::new());
        assert_eq!(fixture.exit().await.code, 143);
    })
    .await;
}

#[tokio::test]
async fn an_app_whose_keeper_was_killed_is_still_seen_and_can_be_stopped() {
    fixture::run(Kind::Process, async |fixture| {
        let instance = fixture.runtime.start(&fixture.spec(&[]).await).await.unwrap();
        fixture.served_environment().await;
        kill_process(recorded_pid(fixture, "/keeper/pid"), Signal::KILL).unwrap();
        fixture.served_environment().await;
        assert!(matches!(
            fixture.the_instance().await.state,
            InstanceState::Running { .. }
        ));
        fixture.runtime.stop(&instance, GRACE).await.unwrap();
        nothing_is_left(fixture.path()).await;
        let exit = fixture.exit().await;
        assert_eq!(exit.code, Exit::UNSEEN);
        assert_eq!(fixture.exit().await, exit, "the time of the end stays the same");
    })
    .await;
}

#[tokio::test]
async fn what_an_app_and_its_killed_keeper_leave_behind_is_removed_with_it() {
    fixture::run(Kind::Process, async |fixture| {
        let instance = fixture.runtime.start(&fixture.spec(&["crowd"]).await).await.unwrap();
        fixture.served_environment().await;
        kill_process(recorded_pid(fixture, "/keeper/pid"), Signal::KILL).unwrap();
        kill_process(recorded_pid(fixture, "/phase/app/pid"), Signal::KILL).unwrap();
        assert_eq!(fixture.exit().await.code, Exit::UNSEEN);
        fixture.runtime.remove(&instance).await.unwrap();
        assert_eq!(num_sleepers(fixture), 0);
    })
    .await;
}

#[tokio::test]
async fn a_keeper_takes_no_orders_to_end_and_stays_small() {
    fixture::run(Kind::Process, async |fixture| {
        fixture.runtime.start(&fixture.spec(&[]).await).await.unwrap();
        fixture.served_environment().await;
        let keeper = recorded_pid(fixture, "/keeper/pid");
        for signal in [Signal::TERM, Signal::INT, Signal::HUP] {
            kill_process(keeper, signal).unwrap();
        }
        kill_process(fixture.app_pid().await, Signal::TERM).unwrap();
        assert_eq!(fixture.exit().await.code, 143, "the keeper was there to see it");
        eventually("the keeper has ended", async || {
            test_kill_process(keeper).map_or(Ok(()), Err)
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn the_least_memory_limit_does_not_hinder_the_keeper() {
    fixture::run(Kind::Process, async |fixture| {
        let mut spec = fixture.spec(&[]).await;
        spec.memory_limit = Some(MemoryLimit::try_from("6m".to_owned()).unwrap());
        fixture.runtime.start(&spec).await.unwrap();
        fixture.served_environment().await;
    })
    .await;
}

#[tokio::test]
async fn a_record_that_a_crash_left_half_made_is_no_instance_and_stands_in_nobodys_way() {
    fixture::run(Kind::Process, async |fixture| {
        let spec = fixture.spec(&[]).await;
        let half = fixture.path().join(format!("processes/{}-1", fixture.deployment));
        fs::create_dir_all(&half).unwrap();
        assert_eq!(fixture.runtime.list().await.unwrap(), []);
        fixture.runtime.start(&spec).await.unwrap();
        fixture.served_environment().await;
    })
    .await;
}

#[tokio::test]
async fn a_project_says_how_it_is_started() {
    let fixture = Fixture::new(Kind::Process);
    let mut wanted = Wanted {
        directory: fixture.path().to_owned(),
        image: None,
        command: None,
    };
    let advice = fixture.runtime.plan(&wanted).await.unwrap_err();
    assert!(
        matches!(&advice, Error::NothingToDeploy(text) if text.contains("Procfile")),
        "{advice:?}"
    );

    fs::write(fixture.path().join("Procfile"), "web: ./server --name 'a b'\n").unwrap();
    let plan = fixture.runtime.plan(&wanted).await.unwrap();
    let Ok(Source::Command { command, directory }) = plan.source().cloned() else {
        panic!("a Procfile is a command");
    };
    assert_eq!(
        (command.as_argv(), directory.as_path()),
        (&["./server", "--name", "a b"].map(str::to_owned)[..], fixture.path())
    );
    let source = Source::Command { command, directory };
    let prepare = async || {
        fixture
            .runtime
            .prepare(fixture.deployment, 1, &source, &Secrets::default(), &mut |_: &str| {})
            .await
    };
    assert!(matches!(prepare().await, Err(Error::StartFailed(text)) if text.contains("server")));
    let program = fixture.path().join("server");
    fs::write(&program, "").unwrap();
    assert!(matches!(prepare().await, Err(Error::StartFailed(text)) if text.contains("not executable")));
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    prepare().await.unwrap();

    wanted.image = Some(ImageRef::try_from("app:1".to_owned()).unwrap());
    let advice = fixture.runtime.plan(&wanted).await.unwrap_err();
    assert!(
        matches!(&advice, Error::NothingToDeploy(text) if text.contains("Docker")),
        "{advice:?}"
    );
}
