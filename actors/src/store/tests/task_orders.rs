//! Calling off, trying again, pausing.

use std::time::Duration;

use serde_json::json;
use uuid::Uuid;

use super::{
    engines::each_store,
    samples::{create_task, new_kinds, new_task},
};
use crate::{
    id::TaskId,
    store::{
        Store,
        tasks::{self, Fence, Outcome, Owner, Room, Settlement, State},
    },
};

const LEASE: Duration = Duration::from_secs(30);

async fn claim(store: &Store, owner: &Owner) -> Vec<Fence> {
    let room = Room {
        agent_type: "llm".to_owned(),
        num_tasks: 10,
    };
    let claimed = tasks::claim(store, owner, &[room], 10, LEASE).await.unwrap();
    let fence = |task: &tasks::Task| Fence {
        task: task.id,
        attempt: task.attempt,
    };
    claimed.iter().map(fence).collect()
}

async fn settle(store: &Store, owner: &Owner, fence: Fence, outcome: Outcome) {
    let accepted = tasks::settle(store, owner, &[Settlement { fence, outcome }])
        .await
        .unwrap();
    assert_eq!(accepted, [fence]);
}

async fn state(store: &Store, id: TaskId) -> State {
    tasks::task(store, id).await.unwrap().state
}

#[tokio::test]
async fn a_waiting_task_is_cancelled_at_once() {
    each_store(async |store| {
        let task = create_task(store, &new_task("llm")).await;
        for _ in 0..2 {
            let cancelled = tasks::cancel(store, task.id).await.unwrap();
            assert_eq!(cancelled.state, State::Cancelled);
        }
        assert_eq!(claim(store, &Owner::new(Uuid::new_v4())).await, []);
        assert_eq!(new_kinds(store).await, ["task_created", "task_cancelled"]);
        let absent = tasks::cancel(store, TaskId(99)).await.unwrap_err();
        assert_eq!(absent.code(), "NOT_FOUND");
    })
    .await;
}

#[tokio::test]
async fn a_running_task_is_cancelled_by_its_worker_and_never_tried_again() {
    each_store(async |store| {
        let owner = Owner::new(Uuid::new_v4());
        let failure = Outcome::Failed {
            kind: "stopped".to_owned(),
            error: "stopped".to_owned(),
            retry_in: Some(Duration::ZERO),
        };
        for outcome in [Outcome::Cancelled, Outcome::Interrupted, failure] {
            let task = create_task(store, &new_task("llm")).await;
            let fences = claim(store, &owner).await;
            let asked = tasks::cancel(store, task.id).await.unwrap();
            assert_eq!(asked.state, State::Running);
            assert!(asked.cancel_requested_at.is_some());
            let beats = tasks::heartbeat(store, &owner, &fences, LEASE).await.unwrap();
            assert!(beats[0].is_cancel_requested);
            settle(store, &owner, fences[0], outcome).await;
            assert_eq!(state(store, task.id).await, State::Cancelled);
        }
    })
    .await;
}

#[tokio::test]
async fn a_cancelled_task_whose_worker_is_lost_stays_cancelled() {
    each_store(async |store| {
        let task = create_task(store, &new_task("llm")).await;
        let node = Uuid::new_v4();
        claim(store, &Owner::new(node)).await;
        tasks::cancel(store, task.id).await.unwrap();
        assert_eq!(tasks::release(store, &Owner::new(node)).await.unwrap(), 1);
        assert_eq!(state(store, task.id).await, State::Cancelled);
    })
    .await;
}

#[tokio::test]
async fn only_what_failed_or_was_called_off_is_tried_again() {
    each_store(async |store| {
        let task = create_task(store, &new_task("llm")).await;
        let refused = async || tasks::retry(store, task.id).await.unwrap_err().code();
        assert_eq!(refused().await, "TASK_NOT_RETRYABLE");
        let owner = Owner::new(Uuid::new_v4());
        let fence = claim(store, &owner).await[0];
        assert_eq!(refused().await, "TASK_NOT_RETRYABLE");
        let failure = Outcome::Failed {
            kind: "exit_code".to_owned(),
            error: "exit code 1".to_owned(),
            retry_in: None,
        };
        settle(store, &owner, fence, failure).await;
        assert_eq!(tasks::cancel(store, task.id).await.unwrap_err().code(), "TASK_FINISHED");

        let again = tasks::retry(store, task.id).await.unwrap();
        assert_eq!(
            (again.state, again.failed_attempts, again.attempt),
            (State::Pending, 0, 1)
        );
        let fence = claim(store, &owner).await[0];
        assert_eq!(fence.attempt, 2);
        let output = json!("done");
        settle(store, &owner, fence, Outcome::Completed { output }).await;
        let done = tasks::task(store, task.id).await.unwrap();
        assert_eq!((done.state, done.error), (State::Completed, None));
        assert_eq!(refused().await, "TASK_NOT_RETRYABLE");
    })
    .await;
}

#[tokio::test]
async fn a_paused_agent_is_given_nothing() {
    each_store(async |store| {
        create_task(store, &new_task("llm")).await;
        new_kinds(store).await;
        let owner = Owner::new(Uuid::new_v4());
        for _ in 0..2 {
            tasks::pause(store, "llm").await.unwrap();
        }
        assert!(tasks::paused(store).await.unwrap().contains("llm"));
        assert_eq!(claim(store, &owner).await, []);
        for _ in 0..2 {
            tasks::resume(store, "llm").await.unwrap();
        }
        assert_eq!(claim(store, &owner).await.len(), 1);
        assert_eq!(
            new_kinds(store).await,
            ["agent_paused", "agent_resumed", "task_started"]
        );
    })
    .await;
}
