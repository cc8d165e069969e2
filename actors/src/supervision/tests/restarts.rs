//! Who is started again after which end, and when it is too often.

use std::time::Duration;

use super::support::{
    Journal, Order, Subject, THREE_A_MINUTE, eventually, is, kill, root, runs_as, start, supervisor, view,
};
use crate::supervision::{ActorState, ChildSpec, Health, Observer, Restart, Strategy, Tree};

#[tokio::test(start_paused = true)]
async fn a_killed_transient_child_is_restarted() {
    let subject = Subject::new("a", &Journal::default());
    let tree = start(root(vec![subject.spec_that_restarts(Restart::Transient)])).await;
    kill(&tree, "a");
    runs_as(&tree, "a", 2).await;
    let exit = view(&tree, "a").last_exit.expect("it ended once");
    assert!(exit.is_abnormal, "{exit:?}");
    assert_eq!(view(&tree, "a").restarts_total, 1);
}

#[tokio::test(start_paused = true)]
async fn a_transient_child_that_fails_is_restarted() {
    let subject = Subject::new("a", &Journal::default());
    let tree = start(root(vec![subject.spec_that_restarts(Restart::Transient)])).await;
    subject.tell(Order::Fail);
    runs_as(&tree, "a", 2).await;
    assert_eq!(
        view(&tree, "a").last_exit.expect("it ended once").reason,
        "told to fail"
    );
}

#[tokio::test(start_paused = true)]
async fn a_transient_child_that_ends_normally_is_not_restarted() {
    let journal = Journal::default();
    let subject = Subject::new("a", &journal);
    let tree = start(root(vec![subject.spec_that_restarts(Restart::Transient)])).await;
    subject.tell(Order::End);
    eventually("it stopped", || is(&tree, "a", ActorState::Stopped)).await;
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!(journal.count("a started"), 1);
    assert!(!view(&tree, "a").last_exit.expect("it ended").is_abnormal);
    assert_eq!(
        subject.handle.cast(Order::End).expect_err("it is gone").code(),
        "NOT_FOUND"
    );
}

#[tokio::test(start_paused = true)]
async fn a_temporary_child_is_never_restarted() {
    let journal = Journal::default();
    let (failing, killed) = (Subject::new("a", &journal), Subject::new("b", &journal));
    let specs = [&failing, &killed].map(|subject| subject.spec_that_restarts(Restart::Temporary));
    let tree = start(root(specs.into())).await;
    failing.tell(Order::Panic);
    kill(&tree, "b");
    eventually("both stopped", || {
        ["a", "b"].iter().all(|path| is(&tree, path, ActorState::Stopped))
    })
    .await;
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!((journal.count("a started"), journal.count("b started")), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_permanent_child_is_restarted_even_after_a_normal_end() {
    let subject = Subject::new("a", &Journal::default());
    let tree = start(root(vec![subject.spec()])).await;
    subject.tell(Order::End);
    runs_as(&tree, "a", 2).await;
    subject.tell(Order::Panic);
    runs_as(&tree, "a", 3).await;
}

/// ractor delivers the news of an end before other messages, so it arrives before the news of the start.
#[tokio::test(start_paused = true)]
async fn an_end_that_overtakes_the_news_of_the_start_is_not_missed() {
    let journal = Journal::default();
    let (fleeting, failing) = (Subject::new("a", &journal), Subject::new("b", &journal));
    fleeting.tell(Order::End);
    failing.tell(Order::Fail);
    let tree = start(root(vec![
        fleeting.spec_that_restarts(Restart::Temporary),
        failing.spec(),
    ]))
    .await;
    eventually("one stopped", || is(&tree, "a", ActorState::Stopped)).await;
    runs_as(&tree, "b", 2).await;
}

#[tokio::test(start_paused = true)]
async fn one_for_one_leaves_the_siblings_alone() {
    let journal = Journal::default();
    let subjects = ["a", "b", "c"].map(|path| Subject::new(path, &journal));
    let tree = start(root(subjects.iter().map(Subject::spec).collect())).await;
    subjects[0].tell(Order::Fail);
    runs_as(&tree, "a", 2).await;
    assert_eq!((view(&tree, "b").generation, view(&tree, "c").generation), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn rest_for_one_ends_the_later_ones_in_reverse_and_starts_them_in_order() {
    let journal = Journal::default();
    let subjects = ["a", "b", "c", "d"].map(|path| Subject::new(path, &journal));
    let specs = subjects.iter().map(Subject::spec).collect();
    let tree = start(supervisor("root", Strategy::RestForOne, THREE_A_MINUTE, specs)).await;
    assert_eq!(journal.lines(), ["a started", "b started", "c started", "d started"]);
    journal.clear();
    subjects[1].tell(Order::Fail);
    runs_as(&tree, "d", 2).await;
    let steps: Vec<String> = journal
        .lines()
        .into_iter()
        .filter(|line| !line.ends_with("dropped"))
        .collect();
    assert_eq!(steps, ["d stopped", "c stopped", "b started", "c started", "d started"]);
    assert_eq!(view(&tree, "a").generation, 1);
    assert_eq!(view(&tree, "c").restarts_total, 0, "only the one that failed counts");
}

#[tokio::test(start_paused = true)]
async fn rest_for_one_does_not_bring_a_temporary_child_back() {
    let journal = Journal::default();
    let subjects = ["a", "b", "c"].map(|path| Subject::new(path, &journal));
    let specs = vec![
        subjects[0].spec(),
        subjects[1].spec_that_restarts(Restart::Temporary),
        subjects[2].spec(),
    ];
    let tree = start(supervisor("root", Strategy::RestForOne, THREE_A_MINUTE, specs)).await;
    subjects[0].tell(Order::Fail);
    runs_as(&tree, "c", 2).await;
    assert!(is(&tree, "b", ActorState::Stopped));
}

#[tokio::test(start_paused = true)]
async fn too_many_restarts_escalate_to_the_parent_which_starts_the_whole_subtree_again() {
    let journal = Journal::default();
    let (bad, good) = (Subject::new("bad", &journal), Subject::new("good", &journal));
    let app = supervisor(
        "app",
        Strategy::OneForOne,
        THREE_A_MINUTE,
        vec![bad.spec(), good.spec()],
    );
    let tree = start(root(vec![ChildSpec::supervisor(app)])).await;
    for generation in 1..=4 {
        runs_as(&tree, "bad", generation).await;
        bad.tell(Order::Fail);
    }
    runs_as(&tree, "app", 2).await;
    runs_as(&tree, "good", 2).await;
    assert_eq!(
        journal.count("good stopped"),
        1,
        "the innocent sibling was stopped in order"
    );
    let exit = view(&tree, "app").last_exit.expect("it gave up");
    assert!(
        exit.is_abnormal && exit.reason.contains("`bad` failed too often"),
        "{exit:?}"
    );
    assert_eq!(
        view(&tree, "bad").restarts_in_window,
        Some(0),
        "the new supervisor begins anew"
    );
}

#[tokio::test(start_paused = true)]
async fn a_root_that_gives_up_ends_the_tree_visibly() {
    let subject = Subject::new("a", &Journal::default());
    let tree = start(root(vec![subject.spec()])).await;
    for generation in 1..=4 {
        runs_as(&tree, "a", generation).await;
        subject.tell(Order::Fail);
    }
    tree.ended().await;
    assert!(is(&tree, "root", ActorState::GaveUp));
    assert!(matches!(tree.health(), Health::Unwell(_)));
    assert_eq!(
        subject.handle.cast(Order::End).expect_err("nobody is there").code(),
        "RESTARTING"
    );
}

#[tokio::test(start_paused = true)]
async fn restarts_that_are_far_apart_do_not_escalate() {
    let subject = Subject::new("a", &Journal::default());
    let tree = start(root(vec![subject.spec()])).await;
    for generation in 1..=10 {
        runs_as(&tree, "a", generation).await;
        subject.tell(Order::Fail);
        tokio::time::sleep(Duration::from_secs(25)).await;
    }
    runs_as(&tree, "a", 11).await;
    assert_eq!(tree.health(), Health::Well);
}

#[tokio::test(start_paused = true)]
async fn a_tree_whose_child_never_starts_says_why() {
    let subject = Subject::new("a", &Journal::default());
    subject
        .faults
        .failing_starts
        .store(u32::MAX, std::sync::atomic::Ordering::SeqCst);
    let app = supervisor("app", Strategy::OneForOne, THREE_A_MINUTE, vec![subject.spec()]);
    let started = Tree::start(root(vec![ChildSpec::supervisor(app)]), Observer::log_only()).await;
    let text = started.err().expect("it cannot start").to_string();
    assert!(
        text.contains("`app` failed too often") && text.contains("told to fail"),
        "{text}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_table_with_one_path_twice_is_refused() {
    let journal = Journal::default();
    let specs = vec![Subject::new("a", &journal).spec(), Subject::new("a", &journal).spec()];
    let text = Tree::start(root(specs), Observer::log_only())
        .await
        .err()
        .expect("it is refused")
        .to_string();
    assert!(text.contains("`a`"), "{text}");
}
