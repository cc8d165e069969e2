//! Actors that hang, one way and the other.

use std::{sync::atomic::Ordering, time::Duration};

use super::support::{
    Blockade, Journal, Order, Subject, THREE_A_MINUTE, block_until, eventually, is, kill, root, runs_as, start,
    start_observed, supervisor, view,
};
use crate::supervision::{ActorState, ChildSpec, Happening, Health, Restart, Strategy};

#[tokio::test(start_paused = true)]
async fn an_actor_that_waits_for_ever_is_killed_and_restarted() {
    let subject = Subject::new("a", &Journal::default());
    let spec = subject
        .spec_that_restarts(Restart::Transient)
        .stall(Duration::from_secs(10));
    let (tree, mut happened) = start_observed(root(vec![spec])).await;
    subject.tell(Order::Hang);
    let told = tokio::time::Instant::now();
    runs_as(&tree, "a", 2).await;
    assert!((10..12).contains(&told.elapsed().as_secs()), "{:?}", told.elapsed());
    assert_eq!(
        view(&tree, "a").last_exit.expect("it was killed").reason,
        "it was stuck and killed"
    );
    let stuck = std::iter::from_fn(|| happened.try_recv().ok())
        .find(|lifecycle| matches!(lifecycle.what, Happening::Stuck { .. }))
        .expect("it was announced");
    assert_eq!(
        (stuck.path.as_str(), stuck.what),
        (
            "a",
            Happening::Stuck {
                message: "hang".to_owned()
            }
        )
    );
}

#[tokio::test(start_paused = true)]
async fn an_idle_actor_is_never_taken_for_stuck() {
    let subject = Subject::new("a", &Journal::default());
    let tree = start(root(vec![subject.spec().stall(Duration::from_secs(1))])).await;
    for _ in 0..10 {
        tokio::time::sleep(Duration::from_secs(3600)).await;
        assert_eq!(
            subject
                .handle
                .call(Duration::from_secs(1), Order::Answer)
                .await
                .expect("it answers"),
            42
        );
    }
    assert_eq!((view(&tree, "a").generation, view(&tree, "a").busy_for_ms), (1, None));
}

#[tokio::test(start_paused = true)]
async fn a_start_that_hangs_is_a_start_that_fails() {
    let journal = Journal::default();
    let subject = Subject::new("a", &journal);
    let tree = start(root(vec![subject.spec().stall(Duration::from_secs(10))])).await;
    subject.faults.hangs_in_pre_start.store(true, Ordering::SeqCst);
    subject.tell(Order::Fail);
    eventually("it is starting", || is(&tree, "a", ActorState::Restarting)).await;
    subject.faults.hangs_in_pre_start.store(false, Ordering::SeqCst);
    runs_as(&tree, "a", 3).await;
    assert_eq!(
        view(&tree, "a").last_exit.expect("it failed").reason,
        "it did not start within 10s"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_blocked_runtime_thread_makes_the_tree_unwell_until_it_is_free() {
    let subject = Subject::new("a", &Journal::default());
    let tree = start(root(vec![subject.spec()])).await;
    assert_eq!(tree.health(), Health::Well);
    let blockade = Blockade::default();
    blockade.impose(&tree, &subject).await;
    eventually("the tree is unwell", || tree.health() != Health::Well).await;
    assert_eq!(
        tree.health(),
        Health::Unwell("`a` blocks a runtime thread in `block`".to_owned())
    );
    blockade.lift();
    eventually("the tree is well again", || tree.health() == Health::Well).await;
    assert_eq!(view(&tree, "a").generation, 1, "it was only slow");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_actor_that_blocks_its_thread_beyond_its_stall_shows_as_stuck_and_is_replaced_when_it_can_be() {
    let journal = Journal::default();
    let subject = Subject::new("a", &journal);
    let tree = start(root(vec![subject.spec().stall(Duration::from_secs(1))])).await;
    let blockade = Blockade::default();
    blockade.impose(&tree, &subject).await;
    eventually("it is stuck", || is(&tree, "a", ActorState::Stuck)).await;
    assert!(matches!(tree.health(), Health::Unwell(_)));
    assert_eq!(journal.lines(), ["a started"], "no second one beside it");
    blockade.lift();
    runs_as(&tree, "a", 2).await;
    eventually("the tree is well again", || tree.health() == Health::Well).await;
    assert_eq!(journal.lines(), ["a started", "a dropped", "a started"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_restarted_supervisor_waits_for_a_child_of_its_predecessor_that_blocks() {
    let journal = Journal::default();
    let subject = Subject::new("a", &journal);
    let app = supervisor("app", Strategy::OneForOne, THREE_A_MINUTE, vec![subject.spec()]);
    let tree = start(root(vec![ChildSpec::supervisor(app)])).await;
    let blockade = Blockade::default();
    blockade.impose(&tree, &subject).await;
    kill(&tree, "app");
    eventually("its successor is due", || view(&tree, "a").generation == 2).await;
    assert!(is(&tree, "a", ActorState::Restarting));
    blockade.lift();
    runs_as(&tree, "a", 2).await;
    assert_eq!(journal.lines(), ["a started", "a dropped", "a started"]);
}

/// The only thread of the runtime blocks, so no task can see it.
#[test]
fn a_runtime_that_does_not_run_is_seen_from_outside() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime");
    let subject = Subject::new("a", &Journal::default());
    let tree = runtime.block_on(start(root(vec![subject.spec()])));
    let blockade = Blockade::default();
    let is_lifted = blockade.flag();
    let blocked = runtime.spawn(async move { block_until(&is_lifted) });
    wait_for(|| tree.health() == Health::Unwell("the runtime does not get to run".to_owned()));
    blockade.lift();
    runtime.block_on(blocked).expect("it ends");
    wait_for(|| tree.health() == Health::Well);
    runtime.block_on(tree.stop(Duration::from_secs(5)));
}

/// Waits on a plain thread.
fn wait_for(holds: impl Fn() -> bool) {
    let deadline = std::time::Instant::now() + Duration::from_secs(30);
    while !holds() {
        assert!(std::time::Instant::now() < deadline, "it never happened");
        std::thread::sleep(Duration::from_millis(20));
    }
}
