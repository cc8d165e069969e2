//! Claims, leases and what workers write, against workers that crash, sleep and come back.

use std::{collections::BTreeSet, time::Duration};

use futures_util::future::join_all;
use serde_json::json;
use uuid::Uuid;

use super::{
    engines::each_store,
    samples::{create_task, new_events, new_kinds, new_task},
};
use crate::{
    id::TaskId,
    store::{
        Store,
        tasks::{self, AttemptOutcome, Fence, NewTask, Outcome, Owner, Progress, Room, Settlement, State, Task},
    },
};

pub(super) const LEASE: Duration = Duration::from_secs(30);
/// The lease of a worker that has slept through it.
pub(super) const OVER: Duration = Duration::ZERO;

pub(super) fn worker() -> Owner {
    Owner::new(Uuid::new_v4())
}

pub(super) fn rooms(num_tasks: u64) -> Vec<Room> {
    ["llm", "shell"]
        .map(|agent_type| Room {
            agent_type: agent_type.to_owned(),
            num_tasks,
        })
        .to_vec()
}

pub(super) async fn claim(store: &Store, owner: &Owner, lease: Duration) -> Vec<Task> {
    claim_in(store, owner, &rooms(10), 10, lease).await
}

pub(super) async fn claim_in(store: &Store, owner: &Owner, rooms: &[Room], limit: usize, lease: Duration) -> Vec<Task> {
    let claimed = tasks::claim(store, owner, rooms, limit, lease).await.unwrap();
    claimed.into_iter().map(|details| details.task).collect()
}

pub(super) async fn claim_one(store: &Store, owner: &Owner, lease: Duration) -> Fence {
    let claimed = claim(store, owner, lease).await;
    assert_eq!(claimed.len(), 1, "{claimed:?}");
    claimed[0].fence()
}

pub(super) fn completed(fence: Fence) -> Settlement {
    let output = json!({"answer": 42});
    Settlement {
        fence,
        outcome: Outcome::Completed { output },
    }
}

fn failed(fence: Fence, retry_in: Option<Duration>) -> Settlement {
    let outcome = Outcome::Failed {
        kind: "exit_code".to_owned(),
        error: format!("attempt {} failed", fence.attempt),
        retry_in,
    };
    Settlement { fence, outcome }
}

pub(super) async fn settle(store: &Store, owner: &Owner, settlement: Settlement) -> bool {
    let accepted = tasks::settle(store, owner, &[settlement]).await.unwrap();
    !accepted.is_empty()
}

pub(super) async fn outcomes(store: &Store, id: TaskId) -> Vec<Option<AttemptOutcome>> {
    let attempts = tasks::attempts(store, id).await.unwrap();
    attempts.into_iter().map(|attempt| attempt.outcome).collect()
}

#[tokio::test]
async fn tasks_are_claimed_by_priority_then_age_with_room_for_each_agent() {
    each_store(async |store| {
        let mut ids = Vec::new();
        for (agent_type, priority) in [
            ("llm", 1),
            ("llm", 5),
            ("shell", 3),
            ("llm", 1),
            ("shell", 9),
            ("other", 99),
        ] {
            let new = NewTask {
                priority,
                ..new_task(agent_type)
            };
            ids.push(create_task(store, &new).await.id);
        }
        let claimed = claim_in(store, &worker(), &rooms(2), 3, LEASE).await;
        let claimed: Vec<TaskId> = claimed.iter().map(|task| task.id).collect();
        assert_eq!(claimed, [ids[4], ids[1], ids[2]]);
        let claimed = claim_in(store, &worker(), &rooms(1), 3, LEASE).await;
        let claimed: Vec<TaskId> = claimed.iter().map(|task| task.id).collect();
        assert_eq!(claimed, [ids[0]], "one of each agent");
        let loads = tasks::loads(store).await.unwrap();
        assert_eq!((loads["llm"].waiting, loads["llm"].running), (1, 3 - 1));
    })
    .await;
}

#[tokio::test]
async fn no_task_is_claimed_twice_however_many_claim() {
    each_store(async |store| {
        for _ in 0..40 {
            create_task(store, &new_task("llm")).await;
        }
        let owners: Vec<Owner> = (0..8).map(|_| worker()).collect();
        let claims = owners.iter().map(|owner| claim(store, owner, LEASE));
        let claimed: Vec<TaskId> = join_all(claims).await.iter().flatten().map(|task| task.id).collect();
        let distinct: BTreeSet<TaskId> = claimed.iter().copied().collect();
        assert_eq!((claimed.len(), distinct.len()), (40, 40));
    })
    .await;
}

#[tokio::test]
async fn a_completed_task_has_its_output_and_its_events() {
    each_store(async |store| {
        let task = create_task(store, &new_task("llm")).await;
        let owner = worker();
        let fence = claim_one(store, &owner, LEASE).await;
        let progress = |message: &str| (fence, Progress::new(message));
        tasks::record_progress(store, &owner, &[progress("one"), progress("two\0")])
            .await
            .unwrap();
        let running = tasks::task(store, task.id).await.unwrap();
        assert_eq!(running.state, State::Running);
        assert_eq!(running.progress, Some(json!({"message": "two\u{fffd}"})));
        assert!(settle(store, &owner, completed(fence)).await);

        let details = tasks::details(store, task.id).await.unwrap();
        let (done, output) = (details.task, details.output);
        assert_eq!((done.state, output), (State::Completed, Some(json!({"answer": 42}))));
        assert_eq!((done.owner, done.lease_until), (None, None));
        assert!(done.finished_at.is_some());
        let events = new_events(store).await;
        let kinds: Vec<&str> = events.iter().map(|event| event.kind.as_str()).collect();
        assert_eq!(
            kinds,
            [
                "task_created",
                "task_started",
                "task_progress",
                "task_progress",
                "task_completed"
            ]
        );
        assert_eq!(events[2].data["progress"]["message"], "one");
        assert!(events.iter().all(|event| event.subject == Some(task.id.0)));
        assert_eq!(outcomes(store, task.id).await, [Some(AttemptOutcome::Completed)]);
    })
    .await;
}

#[tokio::test]
async fn a_failed_task_is_tried_again_until_its_attempts_are_used_up() {
    each_store(async |store| {
        let task = create_task(store, &new_task("llm")).await;
        let owner = worker();
        for number in 1..=3 {
            let fence = claim_one(store, &owner, LEASE).await;
            assert_eq!(fence.attempt, number);
            assert!(settle(store, &owner, failed(fence, Some(Duration::ZERO))).await);
        }
        let row = tasks::task(store, task.id).await.unwrap();
        assert_eq!((row.state, row.failed_attempts), (State::Failed, 3));
        assert_eq!(row.error.as_deref(), Some("attempt 3 failed"));
        assert_eq!(outcomes(store, task.id).await, [Some(AttemptOutcome::Failed); 3]);
        let attempts = tasks::attempts(store, task.id).await.unwrap();
        assert_eq!(attempts[0].error.as_deref(), Some("attempt 1 failed"));
        assert_eq!(attempts[0].error_kind.as_deref(), Some("exit_code"));
        assert_eq!(new_kinds(store).await.last().unwrap(), "task_failed");
    })
    .await;
}

#[tokio::test]
async fn a_retry_waits_for_its_time_and_a_lasting_failure_is_not_retried() {
    each_store(async |store| {
        let first = create_task(store, &new_task("llm")).await;
        let owner = worker();
        let fence = claim_one(store, &owner, LEASE).await;
        assert!(settle(store, &owner, failed(fence, Some(LEASE))).await);
        assert_eq!(tasks::task(store, first.id).await.unwrap().state, State::Retryable);
        assert_eq!(claim(store, &owner, LEASE).await, []);

        let second = create_task(store, &new_task("llm")).await;
        let fence = claim_one(store, &owner, LEASE).await;
        assert!(settle(store, &owner, failed(fence, None)).await);
        assert_eq!(tasks::task(store, second.id).await.unwrap().state, State::Failed);

        tasks::retry(store, first.id).await.unwrap();
        assert_eq!(claim_one(store, &owner, LEASE).await.task, first.id);
    })
    .await;
}

#[tokio::test]
async fn what_a_worker_writes_after_its_lease_was_given_away_is_refused() {
    each_store(async |store| {
        let task = create_task(store, &new_task("llm")).await;
        let (sleeper, other) = (worker(), worker());
        let old = claim_one(store, &sleeper, OVER).await;
        assert_eq!(tasks::rescue(store, &[]).await.unwrap(), 1);
        let new = claim_one(store, &other, LEASE).await;
        assert_eq!(new.attempt, old.attempt + 1);

        assert!(!settle(store, &sleeper, completed(old)).await);
        assert!(!settle(store, &sleeper, completed(new)).await, "not the owner");
        assert!(!settle(store, &other, completed(old)).await, "not the attempt");
        assert_eq!(tasks::heartbeat(store, &sleeper, &[old], LEASE).await.unwrap(), []);
        let late = (old, Progress::new("late"));
        tasks::record_progress(store, &sleeper, &[late]).await.unwrap();
        let row = tasks::details(store, task.id).await.unwrap();
        assert_eq!(
            (row.task.state, row.output, row.task.progress),
            (State::Running, None, None)
        );

        assert!(settle(store, &other, completed(new)).await);
        assert!(!settle(store, &other, completed(new)).await, "it has ended");
        let expected = [Some(AttemptOutcome::Lost), Some(AttemptOutcome::Completed)];
        assert_eq!(outcomes(store, task.id).await, expected);
    })
    .await;
}

#[tokio::test]
async fn a_lease_that_is_renewed_is_not_taken() {
    each_store(async |store| {
        create_task(store, &new_task("llm")).await;
        let owner = worker();
        let fence = claim_one(store, &owner, OVER).await;
        let beats = tasks::heartbeat(store, &owner, &[fence], LEASE).await.unwrap();
        assert_eq!((beats.len(), beats[0].is_cancel_requested), (1, false));
        assert_eq!(tasks::rescue(store, &[]).await.unwrap(), 0);
    })
    .await;
}

#[tokio::test]
async fn a_worker_that_has_slept_takes_nothing_from_itself() {
    each_store(async |store| {
        create_task(store, &new_task("llm")).await;
        let owner = worker();
        let fence = claim_one(store, &owner, OVER).await;
        assert_eq!(tasks::rescue(store, &[fence]).await.unwrap(), 0);
        let beats = tasks::heartbeat(store, &owner, &[fence], LEASE).await.unwrap();
        assert_eq!(beats.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn many_attempts_end_in_one_write_each_in_its_own_way() {
    each_store(async |store| {
        for _ in 0..6 {
            create_task(store, &new_task("llm")).await;
        }
        let owner = worker();
        let fences: Vec<Fence> = claim(store, &owner, LEASE).await.iter().map(Task::fence).collect();
        let stale = Fence {
            attempt: 9,
            ..fences[5]
        };
        let settlements = [
            completed(fences[0]),
            failed(fences[1], None),
            failed(fences[2], Some(LEASE)),
            Settlement {
                fence: fences[3],
                outcome: Outcome::Interrupted,
            },
            Settlement {
                fence: fences[4],
                outcome: Outcome::Cancelled,
            },
            completed(stale),
        ];
        let mut accepted = tasks::settle(store, &owner, &settlements).await.unwrap();
        accepted.sort_unstable_by_key(|fence| fence.task);
        assert_eq!(accepted, fences[..5]);
        let mut states = Vec::new();
        for fence in &fences {
            states.push(tasks::task(store, fence.task).await.unwrap().state);
        }
        let expected = [
            State::Completed,
            State::Failed,
            State::Retryable,
            State::Interrupted,
            State::Cancelled,
            State::Running,
        ];
        assert_eq!(states, expected);
        let output = tasks::details(store, fences[0].task).await.unwrap().output;
        assert_eq!(output, Some(json!({"answer": 42})));
    })
    .await;
}
