//! What operators see.

use std::time::Duration;

use super::support::{Journal, Order, Subject, TENANT, THREE_A_MINUTE, eventually, root, start, supervisor, view};
use crate::supervision::{ActorState, ChildSpec, Strategy};

#[tokio::test(start_paused = true)]
async fn the_view_is_the_tree_depth_first_in_the_order_of_start() {
    let journal = Journal::default();
    let [watch, bus, first, second] =
        ["watch", "bus", "deployment/1", "deployment/2"].map(|path| Subject::new(path, &journal));
    let group = supervisor("deployments", Strategy::OneForOne, TENANT, Vec::new());
    let deployments = group.group.clone();
    let app = supervisor(
        "app",
        Strategy::OneForOne,
        THREE_A_MINUTE,
        vec![ChildSpec::supervisor(group), bus.spec()],
    );
    let tree = start(root(vec![watch.spec(), ChildSpec::supervisor(app)])).await;
    for subject in [&first, &second] {
        deployments.start(subject.spec()).await.expect("it is accepted");
    }
    let actors = tree.view();
    let rows: Vec<_> = actors
        .iter()
        .map(|actor| (actor.path.as_str(), actor.parent.as_deref()))
        .collect();
    assert_eq!(
        rows,
        [
            ("root", None),
            ("watch", Some("root")),
            ("app", Some("root")),
            ("deployments", Some("app")),
            ("deployment/1", Some("deployments")),
            ("deployment/2", Some("deployments")),
            ("bus", Some("app")),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn the_view_answers_while_an_actor_hangs_and_says_at_what() {
    let subject = Subject::new("a", &Journal::default());
    let tree = start(root(vec![subject.spec().stall(Duration::from_secs(900)).subject(7)])).await;
    subject.tell(Order::Note("one".to_owned()));
    subject.tell(Order::Hang);
    subject.tell(Order::End);
    eventually("it hangs", || view(&tree, "a").current_message == Some("hang")).await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    let actor = view(&tree, "a");
    assert_eq!((actor.state, actor.subject), (ActorState::Running, Some(7)));
    assert_eq!(
        (actor.handled, actor.queue_depth, actor.uptime_seconds),
        (1, 1, Some(5))
    );
    assert!(actor.busy_for_ms.is_some_and(|busy| busy >= 5_000), "{actor:?}");
}

#[tokio::test(start_paused = true)]
async fn the_view_is_plain_json() {
    let subject = Subject::new("a", &Journal::default());
    let tree = start(root(vec![subject.spec()])).await;
    let json = serde_json::to_value(view(&tree, "a")).expect("it is plain data");
    assert_eq!(json["state"], "running");
    assert_eq!(
        (&json["restarts_in_window"], &json["restart_budget"]),
        (&0.into(), &3.into())
    );
    assert_eq!(json["last_exit"], serde_json::Value::Null);
    assert!(
        json["started_at"].as_str().is_some_and(|at| at.ends_with('Z')),
        "{json}"
    );
}
