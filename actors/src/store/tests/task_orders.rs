//! Calling off, trying again, pausing.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use uuid::Uuid;

use super::{
    engines::each_store,
    samples::{a_project, create_task, new_kinds, new_task},
};
use crate::{
    Error,
    id::TaskId,
    store::{
        Store, projects,
        tasks::{self, Fence, NewTask, Outcome, Owner, Room, Settlement, State},
    },
};

const LEASE: Duration = Duration::from_secs(30);

async fn claim(store: &Store, owner: &Owner) -> Vec<Fence> {
    let room = Room {
        agent_type: "llm".to_owned(),
        num_tasks: 10,
    };
    let claimed = tasks::claim(store, owner, &[room], 10, LEASE).await.unwrap();
    claimed.iter().map(|details| details.task.fence()).collect()
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
async fn tasks_with_one_key_are_tried_again_one_at_a_time_whoever_asks() {
    each_store(async |store| {
        let new = NewTask {
            unique_key: Some("only-one".to_owned()),
            ..new_task("llm")
        };
        let mut ids = Vec::new();
        for _ in 0..6 {
            let task = create_task(store, &new).await;
            tasks::cancel(store, task.id).await.unwrap();
            ids.push(task.id);
        }
        let retried = join_all(ids.iter().map(|id| tasks::retry(store, *id))).await;
        let refused: Vec<&str> = retried
            .iter()
            .filter_map(|result| result.as_ref().err())
            .map(Error::code)
            .collect();
        assert_eq!(refused, ["UNIQUE_KEY_IN_USE"; 5]);
    })
    .await;
}

#[tokio::test]
async fn a_project_with_unfinished_tasks_stays_and_those_it_leaves_are_never_carried_out() {
    each_store(async |store| {
        let project = a_project(store, "p").await;
        let new = NewTask {
            project_id: Some(project.id),
            ..new_task("llm")
        };
        let task = create_task(store, &new).await;
        let refused = projects::delete(store, project.id).await.unwrap_err();
        assert_eq!(refused.code(), "PROJECT_HAS_TASKS");
        assert!(refused.to_string().contains(&format!("({})", task.id)), "{refused}");
        tasks::cancel(store, task.id).await.unwrap();
        projects::delete(store, project.id).await.unwrap();
        assert_eq!(tasks::task(store, task.id).await.unwrap().project_id, None);
        assert_eq!(
            tasks::retry(store, task.id).await.unwrap_err().code(),
            "PROJECT_DELETED"
        );
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
