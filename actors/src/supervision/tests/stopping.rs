//! Ends that were asked for: in reverse order, drained, with a deadline, and nobody left alive.

use std::{sync::atomic::Ordering, time::Duration};

use super::support::{
    Blockade, Journal, Order, Subject, TENANT, THREE_A_MINUTE, eventually, is, kill, root, runs_as, start, supervisor,
    view,
};
use crate::supervision::{ActorState, ChildSpec, Strategy};

#[tokio::test(start_paused = true)]
async fn a_stop_goes_in_reverse_order_and_runs_post_stop() {
    let journal = Journal::default();
    let subjects = ["a", "b", "c"].map(|path| Subject::new(path, &journal));
    let app = supervisor(
        "app",
        Strategy::OneForOne,
        THREE_A_MINUTE,
        subjects[1..].iter().map(Subject::spec).collect(),
    );
    let tree = start(root(vec![subjects[0].spec(), ChildSpec::supervisor(app)])).await;
    journal.clear();
    tree.stop(Duration::from_secs(10)).await;
    let stops: Vec<String> = journal
        .lines()
        .into_iter()
        .filter(|line| line.ends_with("stopped"))
        .collect();
    assert_eq!(stops, ["c stopped", "b stopped", "a stopped"]);
    assert!(
        tree.view().iter().all(|actor| actor.state == ActorState::Stopped),
        "{:?}",
        tree.view()
    );
}

#[tokio::test(start_paused = true)]
async fn a_stop_works_off_what_was_accepted() {
    let journal = Journal::default();
    let subject = Subject::new("a", &journal);
    let tree = start(root(vec![subject.spec()])).await;
    subject.tell(Order::Nap);
    for number in 0..100 {
        subject.tell(Order::Note(number.to_string()));
    }
    tree.stop(Duration::from_secs(10)).await;
    let lines = journal.lines();
    assert_eq!(
        lines[1..101],
        (0..100).map(|number| number.to_string()).collect::<Vec<_>>()
    );
    assert_eq!(lines[101], "a stopped");
    assert_eq!(
        subject.handle.cast(Order::End).expect_err("the tree is stopped").code(),
        "RESTARTING"
    );
}

#[tokio::test(start_paused = true)]
async fn a_child_that_ignores_the_stop_is_killed_at_its_deadline_and_the_others_end_in_order() {
    let journal = Journal::default();
    let (first, deaf) = (Subject::new("a", &journal), Subject::new("deaf", &journal));
    let tree = start(root(vec![first.spec(), deaf.spec().shutdown(Duration::from_secs(3))])).await;
    deaf.tell(Order::Hang);
    let asked = tokio::time::Instant::now();
    tree.stop(Duration::from_secs(10)).await;
    assert!((3..4).contains(&asked.elapsed().as_secs()), "{:?}", asked.elapsed());
    assert_eq!((journal.count("deaf stopped"), journal.count("deaf dropped")), (0, 1));
    assert_eq!(journal.count("a stopped"), 1);
}

#[tokio::test(start_paused = true)]
async fn whatever_is_left_at_the_deadline_of_the_tree_is_killed() {
    let journal = Journal::default();
    let subjects = ["a", "b"].map(|path| Subject::new(path, &journal));
    let tree = start(root(
        subjects
            .iter()
            .map(|subject| subject.spec().shutdown(Duration::from_secs(60)))
            .collect(),
    ))
    .await;
    subjects.iter().for_each(|subject| subject.tell(Order::Hang));
    let asked = tokio::time::Instant::now();
    tree.stop(Duration::from_secs(5)).await;
    assert!(asked.elapsed() < Duration::from_secs(6), "{:?}", asked.elapsed());
    eventually("both are gone", || {
        journal.count("a dropped") == 1 && journal.count("b dropped") == 1
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_killed_supervisor_with_a_thousand_children_leaves_none_alive() {
    let journal = Journal::default();
    let group = supervisor("tenants", Strategy::OneForOne, TENANT, Vec::new());
    let tenants = group.group.clone();
    let tree = start(root(vec![
        ChildSpec::supervisor(group).restart(crate::supervision::Restart::Temporary),
    ]))
    .await;
    for number in 0..1000 {
        let path = format!("tenant/{number}");
        tenants
            .start(Subject::new(&path, &journal).spec())
            .await
            .expect("it is accepted");
    }
    eventually("all run", || journal.lines().len() == 1000).await;
    kill(&tree, "tenants");
    eventually("all are gone", || {
        journal.lines().iter().filter(|line| line.ends_with("dropped")).count() == 1000
    })
    .await;
    eventually("the view knows", || {
        tree.view()
            .iter()
            .filter(|actor| actor.kind == "probe")
            .all(|actor| actor.state == ActorState::Stopped)
    })
    .await;
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!(journal.lines().len(), 2000, "none came back");
}

#[tokio::test(start_paused = true)]
async fn a_child_that_was_draining_dies_with_its_supervisor() {
    let journal = Journal::default();
    let subject = Subject::new("a", &journal);
    let app = supervisor(
        "app",
        Strategy::OneForOne,
        THREE_A_MINUTE,
        vec![subject.spec().shutdown(Duration::from_secs(900))],
    );
    let (group, spec) = (app.group.clone(), ChildSpec::supervisor(app));
    let tree = start(root(vec![spec])).await;
    subject.tell(Order::Hang);
    let stop = tokio::spawn(async move { group.stop("a").await });
    eventually("it is stopping", || is(&tree, "a", ActorState::Stopping)).await;
    kill(&tree, "app");
    runs_as(&tree, "a", 2).await;
    assert_eq!(
        journal.lines(),
        ["a started", "a dropped", "a started"],
        "never two at the same time"
    );
    assert_eq!(
        stop.await.expect("no panic").expect_err("the supervisor died").code(),
        "RESTARTING"
    );
}

#[tokio::test(start_paused = true)]
async fn a_stop_while_it_starts_leaves_nothing_running() {
    let journal = Journal::default();
    let group = supervisor("tenants", Strategy::OneForOne, TENANT, Vec::new());
    let tenants = group.group.clone();
    let tree = start(root(vec![ChildSpec::supervisor(group)])).await;
    let subject = Subject::new("a", &journal);
    subject.faults.hangs_in_pre_start.store(true, Ordering::SeqCst);
    tenants.start(subject.spec()).await.expect("it is accepted");
    eventually("it is starting", || is(&tree, "a", ActorState::Starting)).await;
    tenants.stop("a").await.expect("it is stopped");
    assert!(tree.actor("a").is_none());
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert!(journal.lines().is_empty(), "{:?}", journal.lines());
}

#[tokio::test(start_paused = true)]
async fn a_supervisor_that_is_stopped_while_it_boots_ends_its_children() {
    let journal = Journal::default();
    let (quick, slow) = (Subject::new("quick", &journal), Subject::new("slow", &journal));
    slow.faults.hangs_in_pre_start.store(true, Ordering::SeqCst);
    let group = supervisor("tenants", Strategy::OneForOne, TENANT, Vec::new());
    let tenants = group.group.clone();
    let tree = start(root(vec![ChildSpec::supervisor(group)])).await;
    let pair = supervisor(
        "pair",
        Strategy::OneForOne,
        THREE_A_MINUTE,
        vec![quick.spec(), slow.spec()],
    );
    tenants
        .start(ChildSpec::supervisor(pair))
        .await
        .expect("it is accepted");
    eventually("one runs", || is(&tree, "quick", ActorState::Running)).await;
    tenants.stop("pair").await.expect("it is stopped");
    assert_eq!(journal.lines()[..2], ["quick started", "quick stopped"]);
    assert!(tree.actor("pair").is_none() && tree.actor("slow").is_none());
}

#[tokio::test(start_paused = true)]
async fn a_dropped_tree_leaves_nothing_running() {
    let journal = Journal::default();
    let subject = Subject::new("a", &journal);
    drop(start(root(vec![subject.spec()])).await);
    eventually("it is gone", || journal.count("a dropped") == 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_child_that_blocks_its_thread_does_not_keep_the_others_from_ending_in_order() {
    let journal = Journal::default();
    let (good, bad) = (Subject::new("good", &journal), Subject::new("bad", &journal));
    let tree = start(root(vec![good.spec(), bad.spec().shutdown(Duration::from_millis(50))])).await;
    let blockade = Blockade::default();
    blockade.impose(&tree, &bad).await;
    tree.stop(Duration::from_secs(20)).await;
    assert_eq!(journal.count("good stopped"), 1);
    assert_eq!(
        view(&tree, "bad").last_exit.expect("it was left behind").reason,
        "it blocked its thread and was left behind"
    );
    blockade.lift();
    eventually("it is gone", || journal.count("bad dropped") == 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_child_that_blocks_while_it_is_to_be_restarted_can_still_be_stopped() {
    let journal = Journal::default();
    let subject = Subject::new("a", &journal);
    let group = supervisor("tenants", Strategy::OneForOne, TENANT, Vec::new());
    let tenants = group.group.clone();
    let tree = start(root(vec![ChildSpec::supervisor(group)])).await;
    tenants
        .start(subject.spec().stall(Duration::from_secs(2)))
        .await
        .expect("it is accepted");
    let blockade = Blockade::default();
    blockade.impose(&tree, &subject).await;
    let restarted = tree.restart("a", Duration::from_millis(10)).await;
    assert_eq!(restarted.expect_err("it does not end").code(), "TIMEOUT");
    assert!(is(&tree, "a", ActorState::Restarting), "its successor waits for it");
    tenants.stop("a").await.expect("it is given up on");
    assert!(tree.actor("a").is_none());
}
