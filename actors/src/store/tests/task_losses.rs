//! What becomes of tasks whose workers are lost, end, or know nothing of them.

use uuid::Uuid;

use super::{
    engines::each_store,
    samples::{create_task, new_task},
    task_leases::{LEASE, OVER, claim_in, claim_one, completed, outcomes, rooms, settle, worker},
};
use crate::store::tasks::{self, AttemptOutcome, NewTask, Outcome, Owner, Settlement, State};

#[tokio::test]
async fn three_lost_workers_cost_no_attempt_and_the_next_is_taken_for_the_fault_of_the_task() {
    each_store(async |store| {
        let task = create_task(store, &new_task("llm")).await;
        for num_losses in 1..=3 {
            claim_one(store, &worker(), OVER).await;
            assert_eq!(tasks::rescue(store, &[]).await.unwrap(), 1);
            let row = tasks::task(store, task.id).await.unwrap();
            assert_eq!((row.failed_attempts, row.lost_attempts), (0, num_losses));
            assert_eq!(row.state, State::Interrupted);
        }
        claim_one(store, &worker(), OVER).await;
        assert_eq!(tasks::rescue(store, &[]).await.unwrap(), 1);
        let row = tasks::task(store, task.id).await.unwrap();
        assert_eq!((row.state, row.failed_attempts), (State::Retryable, 1));
        assert!(row.run_at > row.created_at && row.error.unwrap().contains("lease"));
        assert_eq!(outcomes(store, task.id).await, [Some(AttemptOutcome::Lost); 4]);
        let attempts = tasks::attempts(store, task.id).await.unwrap();
        let kinds: Vec<_> = attempts
            .iter()
            .filter_map(|attempt| attempt.error_kind.as_deref())
            .collect();
        assert_eq!(kinds, ["lost", "lost", "lost", "crash_loop"]);
    })
    .await;
}

#[tokio::test]
async fn a_task_that_may_be_tried_once_is_not_repeated_when_its_worker_is_lost() {
    each_store(async |store| {
        let new = NewTask {
            max_attempts: 1,
            ..new_task("llm")
        };
        let task = create_task(store, &new).await;
        claim_one(store, &worker(), OVER).await;
        tasks::rescue(store, &[]).await.unwrap();
        assert_eq!(tasks::task(store, task.id).await.unwrap().state, State::Failed);
    })
    .await;
}

#[tokio::test]
async fn what_a_claim_brought_that_nobody_has_seen_is_given_back_and_costs_nothing() {
    each_store(async |store| {
        let new = NewTask {
            max_attempts: 1,
            ..new_task("llm")
        };
        for _ in 0..2 {
            create_task(store, &new).await;
        }
        let owner = worker();
        let seen = claim_in(store, &owner, &rooms(1), 1, LEASE).await[0].fence();
        let unseen = claim_in(store, &owner, &rooms(1), 1, LEASE).await[0].id;
        assert_eq!(tasks::give_back(store, &owner, &[seen]).await.unwrap(), 1);
        let given = tasks::task(store, unseen).await.unwrap();
        assert_eq!(
            (given.state, given.failed_attempts, given.lost_attempts),
            (State::Interrupted, 0, 0)
        );
        assert!(settle(store, &owner, completed(seen)).await);
        assert_eq!(tasks::give_back(store, &owner, &[]).await.unwrap(), 0);
    })
    .await;
}

#[tokio::test]
async fn a_node_takes_its_own_leases_back_at_once_and_no_others() {
    each_store(async |store| {
        for _ in 0..2 {
            create_task(store, &new_task("llm")).await;
        }
        let node = Uuid::new_v4();
        let before_crash = Owner::new(node);
        let mine = claim_in(store, &before_crash, &rooms(1), 1, LEASE).await;
        let others = claim_in(store, &worker(), &rooms(1), 1, LEASE).await;
        let after_crash = Owner::new(node);
        assert_eq!(tasks::release(store, &after_crash).await.unwrap(), 1);
        let state = async |id| tasks::task(store, id).await.unwrap().state;
        assert_eq!(state(mine[0].id).await, State::Interrupted);
        assert_eq!(state(others[0].id).await, State::Running);
        assert_eq!(claim_one(store, &after_crash, LEASE).await.task, mine[0].id);
        assert_eq!(
            tasks::release(store, &after_crash).await.unwrap(),
            0,
            "its own are kept"
        );
    })
    .await;
}

#[tokio::test]
async fn a_task_that_is_handed_back_has_lost_no_attempt() {
    each_store(async |store| {
        let new = NewTask {
            max_attempts: 1,
            ..new_task("llm")
        };
        let task = create_task(store, &new).await;
        let owner = worker();
        for _ in 0..3 {
            let fence = claim_one(store, &owner, LEASE).await;
            let outcome = Outcome::Interrupted;
            assert!(settle(store, &owner, Settlement { fence, outcome }).await);
        }
        let row = tasks::task(store, task.id).await.unwrap();
        assert_eq!((row.state, row.failed_attempts), (State::Interrupted, 0));
    })
    .await;
}
