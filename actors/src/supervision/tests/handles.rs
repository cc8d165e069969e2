//! What a handle promises: bounded, stable, and no accepted message lost in a restart on request.

use std::{collections::HashMap, time::Duration};

use super::support::{
    CAPACITY, Journal, Order, Subject, THREE_A_MINUTE, eventually, root, runs_as, start, supervisor, view,
};
use crate::{
    Error,
    supervision::{ChildSpec, Handle, Strategy, Tree},
};

const NUM_SENDERS: usize = 8;
const NUM_MESSAGES: usize = 5_000;
const NUM_RESTARTS: usize = 20;

/// Sends numbered messages as fast as the handle takes them.
async fn send_all(handle: Handle<Order>, sender: usize) {
    for number in 0..NUM_MESSAGES {
        loop {
            match handle.cast(Order::Note(format!("{sender} {number}"))) {
                Ok(()) => break,
                Err(Error::Busy { .. }) => tokio::task::yield_now().await,
                Err(error) => panic!("a message was refused: {error}"),
            }
        }
        if number % 64 == 0 {
            tokio::task::yield_now().await;
        }
    }
}

/// Restarts so often while the messages flow, spread evenly over them.
async fn restart_often(tree: &Tree, journal: &Journal) {
    for round in 1..=NUM_RESTARTS {
        let handled = round * NUM_SENDERS * NUM_MESSAGES / (NUM_RESTARTS + 2);
        eventually("so much is handled", || journal.lines().len() > handled).await;
        tree.restart("a", Duration::from_secs(20)).await.expect("it restarts");
    }
}

fn assert_all_once_and_in_order(journal: &Journal) {
    let mut next: HashMap<String, usize> = HashMap::new();
    for line in journal.lines().iter().filter(|line| !line.starts_with('a')) {
        let (sender, number) = line.split_once(' ').expect("a sender and a number");
        let expected = next.entry(sender.to_owned()).or_default();
        assert_eq!(number, expected.to_string(), "of sender {sender}");
        *expected += 1;
    }
    assert_eq!(next.len(), NUM_SENDERS);
    assert!(next.values().all(|count| *count == NUM_MESSAGES), "{next:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn forty_thousand_messages_survive_twenty_restarts_on_request_once_and_in_order() {
    let journal = Journal::default();
    let subject = Subject::new("a", &journal);
    let tree = start(root(vec![subject.spec()])).await;
    let mut senders = tokio::task::JoinSet::new();
    for sender in 0..NUM_SENDERS {
        senders.spawn(send_all(subject.handle.clone(), sender));
    }
    restart_often(&tree, &journal).await;
    while let Some(sent) = senders.join_next().await {
        sent.expect("every message was accepted");
    }
    tree.stop(Duration::from_secs(20)).await;
    assert_all_once_and_in_order(&journal);
    let actor = view(&tree, "a");
    assert_eq!((actor.generation, actor.restarts_total), (NUM_RESTARTS as u64 + 1, 0));
    assert_eq!(actor.handled as usize, NUM_SENDERS * NUM_MESSAGES);
}

#[tokio::test(start_paused = true)]
async fn a_restart_of_a_supervisor_restarts_all_below_it_in_order_and_loses_no_message() {
    let journal = Journal::default();
    let subjects = ["a", "b"].map(|path| Subject::new(path, &journal));
    let app = supervisor(
        "app",
        Strategy::OneForOne,
        THREE_A_MINUTE,
        subjects.iter().map(Subject::spec).collect(),
    );
    let tree = start(root(vec![ChildSpec::supervisor(app)])).await;
    journal.clear();
    subjects[1].tell(Order::Note("before".to_owned()));
    let (restarted, ()) = tokio::join!(tree.restart("app", Duration::from_secs(5)), async {
        eventually("b is down", || journal.count("b dropped") == 1).await;
        subjects[1].tell(Order::Note("during".to_owned()));
    });
    assert_eq!(restarted.expect("it restarts").generation, 2);
    eventually("the message arrived", || journal.count("during") == 1).await;
    let lines: Vec<String> = journal
        .lines()
        .into_iter()
        .filter(|line| !line.ends_with("dropped"))
        .collect();
    assert_eq!(
        lines,
        ["before", "b stopped", "a stopped", "a started", "b started", "during"]
    );
}

#[tokio::test(start_paused = true)]
async fn the_root_cannot_be_restarted_and_an_unknown_path_is_not_found() {
    let tree = start(root(Vec::new())).await;
    let refused = tree
        .restart("root", Duration::from_secs(1))
        .await
        .expect_err("the root stays");
    assert_eq!(refused.code(), "ACTOR_NOT_RESTARTABLE");
    let unknown = tree
        .restart("nobody", Duration::from_secs(1))
        .await
        .expect_err("nobody is there");
    assert_eq!(unknown.to_string(), "Actor with id nobody not found");
}

#[tokio::test(start_paused = true)]
async fn a_hanging_actor_is_replaced_on_request_and_its_siblings_stay_supervised_meanwhile() {
    let journal = Journal::default();
    let (hanging, sibling) = (Subject::new("a", &journal), Subject::new("b", &journal));
    let tree = start(root(vec![
        hanging.spec().stall(Duration::from_secs(900)),
        sibling.spec(),
    ]))
    .await;
    hanging.tell(Order::Hang);
    let (restarted, ()) = tokio::join!(tree.restart("a", Duration::from_secs(5)), async {
        sibling.tell(Order::Fail);
        runs_as(&tree, "b", 2).await;
        assert_eq!(view(&tree, "a").generation, 1, "the old one still has its time");
    });
    assert_eq!(restarted.expect("it restarts").generation, 2);
}

#[tokio::test(start_paused = true)]
async fn requests_to_restart_the_same_actor_share_one_restart() {
    let subject = Subject::new("a", &Journal::default());
    let tree = start(root(vec![subject.spec()])).await;
    let requests = (0..10).map(|_| tree.restart("a", Duration::from_secs(5)));
    for restarted in futures_util::future::join_all(requests).await {
        assert_eq!(restarted.expect("it restarts").generation, 2);
    }
}

#[tokio::test(start_paused = true)]
async fn a_full_handle_says_busy_and_takes_messages_again_later() {
    let journal = Journal::default();
    let subject = Subject::new("a", &journal);
    let tree = start(root(vec![subject.spec().stall(Duration::from_secs(5))])).await;
    subject.tell(Order::Hang);
    eventually("it hangs", || view(&tree, "a").current_message == Some("hang")).await;
    for _ in 0..CAPACITY {
        subject.tell(Order::Note("x".to_owned()));
    }
    assert_eq!(subject.handle.cast(Order::End).expect_err("it is full").code(), "BUSY");
    let asked = subject.handle.call(Duration::from_secs(1), Order::Answer).await;
    assert_eq!(asked.expect_err("it is full").code(), "BUSY");
    assert_eq!(
        (view(&tree, "a").queue_depth, view(&tree, "a").queue_limit),
        (CAPACITY, CAPACITY)
    );
    runs_as(&tree, "a", 2).await;
    assert_eq!(
        subject
            .handle
            .call(Duration::from_secs(1), Order::Answer)
            .await
            .expect("it has room"),
        42
    );
}

#[tokio::test(start_paused = true)]
async fn messages_sent_before_the_start_are_delivered_within_the_capacity() {
    let journal = Journal::default();
    let subject = Subject::new("a", &journal);
    for number in 0..CAPACITY {
        subject.tell(Order::Note(number.to_string()));
    }
    assert_eq!(subject.handle.cast(Order::End).expect_err("it is full").code(), "BUSY");
    let _tree = start(root(vec![subject.spec()])).await;
    eventually("all arrived", || journal.lines().len() == CAPACITY + 1).await;
}

#[tokio::test(start_paused = true)]
async fn calls_to_a_dying_actor_fail_at_once_wherever_the_message_is() {
    let subject = Subject::new("a", &Journal::default());
    let tree = start(root(vec![subject.spec()])).await;
    let patience = Duration::from_secs(600);
    let asked = tokio::time::Instant::now();
    let kept = subject.handle.call(patience, Order::Keep);
    let crash = async {
        eventually("it keeps the reply", || view(&tree, "a").handled == 1).await;
        subject.tell(Order::Panic);
        subject.handle.call(patience, Order::Answer).await
    };
    let (kept, queued) = tokio::join!(kept, crash);
    assert_eq!(kept.expect_err("its owner died").code(), "RESTARTING");
    assert_eq!(queued.expect_err("it died in the queue").code(), "RESTARTING");
    assert!(asked.elapsed() < Duration::from_secs(1), "{:?}", asked.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_call_without_an_answer_times_out() {
    let subject = Subject::new("a", &Journal::default());
    let _tree = start(root(vec![subject.spec()])).await;
    let asked = subject.handle.call(Duration::from_secs(3), Order::Keep).await;
    assert_eq!(
        asked.expect_err("it never answers").to_string(),
        "`a` did not answer within 3s"
    );
}

#[tokio::test(start_paused = true)]
async fn senders_are_parked_over_a_crash_without_a_pause() {
    let journal = Journal::default();
    let subject = Subject::new("a", &journal);
    let tree = start(root(vec![subject.spec()])).await;
    subject.tell(Order::Fail);
    eventually("it died", || journal.count("a dropped") == 1).await;
    assert_eq!(
        subject
            .handle
            .call(Duration::from_secs(1), Order::Answer)
            .await
            .expect("the next one answers"),
        42
    );
    assert_eq!(view(&tree, "a").generation, 2);
}
