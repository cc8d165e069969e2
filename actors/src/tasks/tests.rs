//! The queue at work, with agents that do as they are told.

mod support;

use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use self::support::{Act, SECRET, Scene};
use super::{Failure, Limits, Stop, worker::LONGEST_END};
use crate::store::{
    events,
    tasks::{AttemptOutcome, Outcome, Owner, State, release},
};

#[tokio::test]
async fn a_task_is_carried_out_and_its_output_kept() {
    let scene = Scene::new(Limits::default()).await;
    let _worker = scene.work();
    let task = scene.create("say hello").await;
    scene.act("say hello", Act::Report("working")).await;
    scene.act("say hello", Act::Complete(json!({"said": "hello"}))).await;
    let row = scene.until(task, State::Completed).await;
    assert_eq!(scene.output(task).await, Some(json!({"said": "hello"})));
    assert_eq!(row.progress, Some(json!({"message": "working"})));
}

#[tokio::test]
async fn no_more_run_at_a_time_than_the_agent_allows() {
    let limits = Limits {
        concurrency: 2,
        ..Limits::default()
    };
    let scene = Scene::new(limits).await;
    let mut tasks = Vec::new();
    for name in ["a", "b", "c", "d"] {
        tasks.push((name, scene.create(name).await));
    }
    let _worker = scene.work();
    for (name, task) in tasks {
        scene.until(task, State::Running).await;
        assert!(scene.num_running().await <= 2);
        scene.act(name, Act::Complete(json!(name))).await;
        scene.until(task, State::Completed).await;
    }
}

#[tokio::test]
async fn a_passing_failure_is_retried_later_and_a_lasting_one_is_not() {
    let scene = Scene::new(Limits::default()).await;
    let _worker = scene.work();
    let passing = scene.create("passing").await;
    scene
        .act("passing", Act::Fail(Failure::passing("rate_limited", "too many")))
        .await;
    let row = scene.until(passing, State::Retryable).await;
    assert!(row.run_at > chrono::Utc::now(), "{row:?}");
    assert_eq!(row.error.as_deref(), Some("too many"));
    let lasting = scene.create("lasting").await;
    scene
        .act("lasting", Act::Fail(Failure::lasting("llm_auth", "wrong key")))
        .await;
    assert_eq!(scene.until(lasting, State::Failed).await.failed_attempts, 1);
}

#[tokio::test]
async fn an_agent_that_panics_fails_its_attempt_and_nothing_else() {
    let scene = Scene::new(Limits::default()).await;
    let _worker = scene.work();
    let task = scene.create("panics").await;
    let other = scene.create("works").await;
    scene.act("panics", Act::Panic).await;
    scene.until(task, State::Retryable).await;
    scene.act("works", Act::Complete(json!(1))).await;
    scene.until(other, State::Completed).await;
    assert_eq!(scene.attempts(task).await[0].error_kind.as_deref(), Some("panic"));
}

#[tokio::test]
async fn a_running_task_is_called_off() {
    let scene = Scene::new(Limits::default()).await;
    let worker = scene.work();
    let task = scene.create("endless").await;
    scene.until(task, State::Running).await;
    crate::store::tasks::cancel(&scene.store, task).await.unwrap();
    worker.cancel(task);
    scene.until(task, State::Cancelled).await;
    assert_eq!(scene.stops(), [("endless".to_owned(), Stop::Cancelled)]);
}

#[tokio::test]
async fn an_attempt_ends_when_its_time_is_over() {
    let limits = Limits {
        timeout: Duration::from_millis(100),
        max_attempts: 1,
        ..Limits::default()
    };
    let scene = Scene::new(limits).await;
    let _worker = scene.work();
    let task = scene.create("endless").await;
    let row = scene.until(task, State::Failed).await;
    assert!(row.error.unwrap().contains("longer than it may"));
    assert_eq!(scene.stops(), [("endless".to_owned(), Stop::TimedOut)]);
}

#[tokio::test]
async fn what_runs_is_handed_back_when_the_queue_ends_and_taken_up_by_the_next() {
    let scene = Scene::new(Limits {
        max_attempts: 1,
        ..Limits::default()
    })
    .await;
    let worker = scene.work();
    let task = scene.create("long").await;
    scene.until(task, State::Running).await;
    worker.end().await;
    let row = scene.until(task, State::Interrupted).await;
    assert_eq!((row.failed_attempts, row.owner), (0, None));

    let _worker = scene.work();
    scene.act("long", Act::Complete(json!(2))).await;
    scene.until(task, State::Completed).await;
    let outcomes: Vec<_> = scene
        .attempts(task)
        .await
        .iter()
        .map(|attempt| attempt.outcome)
        .collect();
    assert_eq!(
        outcomes,
        [Some(AttemptOutcome::Interrupted), Some(AttemptOutcome::Completed)]
    );
}

#[tokio::test]
async fn an_attempt_that_does_not_stop_does_not_hold_up_the_end() {
    let scene = Scene::new(Limits::default()).await;
    let worker = scene.work();
    let task = scene.create("stubborn").await;
    scene.until(task, State::Running).await;
    scene.act("stubborn", Act::IgnoreStops).await;
    worker.end().await;
    scene.until(task, State::Interrupted).await;
}

#[tokio::test]
async fn tasks_of_a_worker_that_was_killed_are_taken_up_at_once() {
    let scene = Scene::new(Limits::default()).await;
    let worker = scene.work();
    let task = scene.create("long").await;
    scene.until(task, State::Running).await;
    drop(worker);
    let _worker = scene.work();
    scene.act("long", Act::Complete(json!(2))).await;
    let row = scene.until(task, State::Completed).await;
    assert_eq!((row.attempt, row.failed_attempts, row.lost_attempts), (2, 0, 1));
}

#[tokio::test]
async fn a_result_that_comes_after_the_lease_was_given_away_is_refused() {
    let scene = Scene::new(Limits::default()).await;
    let worker = scene.work();
    let task = scene.create("late").await;
    scene.until(task, State::Running).await;
    // Somebody thinks that this worker is gone, as after it has slept through its lease.
    release(&scene.store, &Owner::new(scene.node)).await.unwrap();
    crate::store::tasks::pause(&scene.store, support::AGENT).await.unwrap();
    scene.act("late", Act::Complete(json!("too late"))).await;
    worker.end().await;
    scene.until(task, State::Interrupted).await;
    assert_eq!(scene.output(task).await, None);
}

#[tokio::test]
async fn an_attempt_ends_with_its_lease_whatever_its_worker_waits_for() {
    let scene = Scene::new(Limits::default()).await;
    let task = scene.create("long").await;
    assert_eq!(scene.run_unwatched(task, None).await, Outcome::Interrupted);
    assert_eq!(scene.stops(), [("long".to_owned(), Stop::Lost)]);
}

#[tokio::test]
async fn an_attempt_that_does_not_stop_is_given_up_whatever_comes_first() {
    let scene = Scene::new(Limits::default()).await;
    for (name, stop) in [
        ("first", None),
        ("second", Some(Stop::Interrupted)),
        ("third", Some(Stop::Cancelled)),
    ] {
        let task = scene.create(name).await;
        scene.act(name, Act::IgnoreStops).await;
        assert_eq!(scene.run_unwatched(task, stop).await, Outcome::Interrupted, "{name}");
    }
}

#[tokio::test]
async fn what_an_agent_says_is_shown_without_secrets() {
    let scene = Scene::new(Limits::default()).await;
    let _worker = scene.work();
    let done = scene.create("done").await;
    scene.act("done", Act::Report("with correct-horse")).await;
    scene
        .act("done", Act::Complete(json!({"said": ["a correct-horse"]})))
        .await;
    let row = scene.until(done, State::Completed).await;
    assert_eq!(row.progress, Some(json!({"message": "with ***"})));
    assert_eq!(scene.output(done).await, Some(json!({"said": ["a ***"]})));
    let failed = scene.create("failed").await;
    let failure = Failure::lasting("llm_auth", format!("wrong key {SECRET}, or Bearer abcdefgh1"));
    scene.act("failed", Act::Fail(failure)).await;
    let row = scene.until(failed, State::Failed).await;
    assert_eq!(row.error.as_deref(), Some("wrong key ***, or Bearer ***"));
    let told = events::assign_offsets(&scene.store, 1000).await.unwrap();
    assert!(
        told.iter().all(|event| !event.data.to_string().contains(SECRET)),
        "{told:?}"
    );
}

#[tokio::test]
async fn the_end_of_what_carried_out_an_attempt_costs_none() {
    let scene = Scene::new(Limits::default()).await;
    let _worker = scene.work();
    let task = scene.create("twice").await;
    scene.act("twice", Act::Fail(Failure::lost("it has ended"))).await;
    scene.act("twice", Act::Complete(json!(1))).await;
    let row = scene.until(task, State::Completed).await;
    assert_eq!((row.attempt, row.failed_attempts), (2, 0));
    assert_eq!(scene.attempts(task).await[0].outcome, Some(AttemptOutcome::Lost));
}

#[tokio::test]
async fn the_end_is_in_time_when_the_database_is_not() {
    let scene = Scene::new(Limits::default()).await;
    let worker = scene.work();
    let task = scene.create("stubborn").await;
    scene.until(task, State::Running).await;
    scene.act("stubborn", Act::IgnoreStops).await;
    let held = scene.hold_database().await;
    let begun = Instant::now();
    worker.end().await;
    assert!(
        begun.elapsed() < LONGEST_END + Duration::from_secs(1),
        "{:?}",
        begun.elapsed()
    );
    held.close().await.unwrap();
}
