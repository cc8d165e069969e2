//! Tenants: they are started again for ever, with growing pauses, and take nobody down.

use std::{sync::atomic::Ordering, time::Duration};

use super::support::{
    Journal, Order, Subject, TENANT, eventually, is, kill, pauses, root, runs_as, start, start_observed, supervisor,
    view,
};
use crate::supervision::{ActorState, ChildSpec, Children, Health, Restart, Strategy, SupervisorSpec};

/// A root with one group of tenants, and the handle on the group.
fn tree_with_tenants() -> (SupervisorSpec, Children) {
    let group = supervisor("tenants", Strategy::OneForOne, TENANT, Vec::new());
    let tenants = group.group.clone();
    (root(vec![ChildSpec::supervisor(group)]), tenants)
}

#[tokio::test(start_paused = true)]
async fn pauses_grow_are_jittered_and_are_capped() {
    let (spec, tenants) = tree_with_tenants();
    let (tree, mut happened) = start_observed(spec).await;
    let subject = Subject::new("tenant/1", &Journal::default());
    subject.faults.failing_starts.store(12, Ordering::SeqCst);
    tenants.start(subject.spec()).await.expect("it is accepted");
    let started = tokio::time::Instant::now();
    runs_as(&tree, "tenant/1", 13).await;
    let pauses = pauses(&mut happened, "tenant/1");
    let full = [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300];
    assert_eq!(pauses.len(), full.len());
    for (pause, full) in pauses.iter().zip(full.map(Duration::from_secs)) {
        assert!(*pause >= full / 2 && *pause <= full, "{pause:?} of {full:?}");
    }
    let is_jittered = pauses
        .iter()
        .zip(full)
        .any(|(pause, full)| *pause != Duration::from_secs(full));
    assert!(is_jittered, "{pauses:?}");
    assert!(
        started.elapsed() >= pauses.iter().sum::<Duration>(),
        "the pauses were kept"
    );
}

#[tokio::test(start_paused = true)]
async fn pauses_begin_anew_after_a_quiet_time() {
    let (spec, tenants) = tree_with_tenants();
    let (tree, mut happened) = start_observed(spec).await;
    let subject = Subject::new("tenant/1", &Journal::default());
    tenants.start(subject.spec()).await.expect("it is accepted");
    for generation in 1..=4 {
        runs_as(&tree, "tenant/1", generation).await;
        subject.tell(Order::Fail);
        eventually("it backs off", || is(&tree, "tenant/1", ActorState::BackingOff)).await;
    }
    runs_as(&tree, "tenant/1", 5).await;
    tokio::time::sleep(Duration::from_secs(61)).await;
    subject.tell(Order::Fail);
    runs_as(&tree, "tenant/1", 6).await;
    let pauses = pauses(&mut happened, "tenant/1");
    assert!(pauses[3] >= Duration::from_secs(4), "{pauses:?}");
    assert!(pauses[4] <= Duration::from_secs(1), "{pauses:?}");
}

#[tokio::test(start_paused = true)]
async fn a_stop_while_backing_off_stays_stopped() {
    let journal = Journal::default();
    let (spec, tenants) = tree_with_tenants();
    let tree = start(spec).await;
    let subject = Subject::new("tenant/1", &journal);
    tenants.start(subject.spec()).await.expect("it is accepted");
    runs_as(&tree, "tenant/1", 1).await;
    kill(&tree, "tenant/1");
    eventually("it backs off", || is(&tree, "tenant/1", ActorState::BackingOff)).await;
    tenants.stop("tenant/1").await.expect("it is stopped");
    tokio::time::sleep(Duration::from_secs(1200)).await;
    assert_eq!(journal.count("tenant/1 started"), 1);
    assert!(tree.actor("tenant/1").is_none() && tenants.paths().is_empty());
    tenants
        .start(Subject::new("tenant/1", &journal).spec())
        .await
        .expect("the path is free again");
    runs_as(&tree, "tenant/1", 1).await;
}

#[tokio::test(start_paused = true)]
async fn while_it_backs_off_senders_are_told_and_the_view_says_until_when() {
    let (spec, tenants) = tree_with_tenants();
    let tree = start(spec).await;
    let subject = Subject::new("tenant/1", &Journal::default());
    tenants.start(subject.spec().subject(1)).await.expect("it is accepted");
    runs_as(&tree, "tenant/1", 1).await;
    subject.tell(Order::Fail);
    eventually("it backs off", || is(&tree, "tenant/1", ActorState::BackingOff)).await;
    assert_eq!(
        subject.handle.cast(Order::End).expect_err("it is away").code(),
        "RESTARTING"
    );
    let asked = subject.handle.call(Duration::from_secs(60), Order::Answer).await;
    assert_eq!(asked.expect_err("it is away").code(), "RESTARTING");
    let actor = view(&tree, "tenant/1");
    assert!(
        actor
            .next_restart_at
            .is_some_and(|at| at > actor.last_exit.expect("it failed").at)
    );
    assert_eq!((actor.subject, actor.restart_budget), (Some(1), None));
    runs_as(&tree, "tenant/1", 2).await;
    assert_eq!(
        subject
            .handle
            .call(Duration::from_secs(1), Order::Answer)
            .await
            .expect("it is back"),
        42
    );
}

#[tokio::test(start_paused = true)]
async fn a_tenant_that_never_starts_takes_neither_its_group_nor_the_tree_down() {
    let journal = Journal::default();
    let (spec, tenants) = tree_with_tenants();
    let tree = start(spec).await;
    let (bad, good) = (Subject::new("tenant/1", &journal), Subject::new("tenant/2", &journal));
    bad.faults.failing_starts.store(u32::MAX, Ordering::SeqCst);
    tenants.start(bad.spec()).await.expect("it is accepted");
    tenants.start(good.spec()).await.expect("it is accepted");
    eventually("the bad one failed often", || {
        journal.count("tenant/1 failed to start") >= 10
    })
    .await;
    assert_eq!(view(&tree, "tenant/2").generation, 1);
    assert_eq!(view(&tree, "tenants").generation, 1);
    assert_eq!(tree.health(), Health::Well);
}

#[tokio::test(start_paused = true)]
async fn a_restart_on_request_ends_the_pause() {
    let (spec, tenants) = tree_with_tenants();
    let tree = start(spec).await;
    let subject = Subject::new("tenant/1", &Journal::default());
    subject.faults.failing_starts.store(10, Ordering::SeqCst);
    tenants.start(subject.spec()).await.expect("it is accepted");
    eventually("its pause is long", || view(&tree, "tenant/1").generation == 10).await;
    subject.faults.failing_starts.store(0, Ordering::SeqCst);
    eventually("it backs off", || is(&tree, "tenant/1", ActorState::BackingOff)).await;
    let asked = tokio::time::Instant::now();
    let actor = tree
        .restart("tenant/1", Duration::from_secs(5))
        .await
        .expect("it restarts");
    assert_eq!((actor.state, actor.generation), (ActorState::Running, 11));
    assert!(asked.elapsed() < Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn a_tenant_that_ends_by_itself_is_forgotten() {
    let (spec, tenants) = tree_with_tenants();
    let tree = start(spec).await;
    let subject = Subject::new("tenant/1", &Journal::default());
    tenants
        .start(subject.spec_that_restarts(Restart::Transient))
        .await
        .expect("it is accepted");
    assert_eq!(tenants.paths(), ["tenant/1"]);
    subject.tell(Order::End);
    eventually("it is forgotten", || tree.actor("tenant/1").is_none()).await;
    assert!(tenants.paths().is_empty());
    assert_eq!(
        tenants.stop("tenant/1").await.expect_err("it is not there").code(),
        "NOT_FOUND"
    );
}

#[tokio::test(start_paused = true)]
async fn a_path_that_is_taken_is_refused() {
    let (spec, tenants) = tree_with_tenants();
    let tree = start(spec).await;
    let journal = Journal::default();
    tenants
        .start(Subject::new("tenant/1", &journal).spec())
        .await
        .expect("it is accepted");
    for path in ["tenant/1", "root"] {
        let refused = tenants
            .start(Subject::new(path, &journal).spec())
            .await
            .expect_err("the path is taken");
        assert_eq!(refused.code(), "ACTOR_EXISTS");
    }
    runs_as(&tree, "tenant/1", 1).await;
    assert_eq!(tenants.paths(), ["tenant/1"]);
}

#[tokio::test(start_paused = true)]
async fn tenants_come_back_with_their_supervisor() {
    let journal = Journal::default();
    let (spec, tenants) = tree_with_tenants();
    let tree = start(spec).await;
    for path in ["tenant/1", "tenant/2"] {
        tenants
            .start(Subject::new(path, &journal).spec())
            .await
            .expect("it is accepted");
        runs_as(&tree, path, 1).await;
    }
    kill(&tree, "tenants");
    runs_as(&tree, "tenants", 2).await;
    runs_as(&tree, "tenant/1", 2).await;
    runs_as(&tree, "tenant/2", 2).await;
    assert_eq!(tenants.paths(), ["tenant/1", "tenant/2"]);
}
