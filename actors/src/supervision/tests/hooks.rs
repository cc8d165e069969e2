//! Panics in each hook of an actor: they end that actor and nothing else.

use std::{sync::atomic::Ordering, time::Duration};

use ractor::{Actor, ActorProcessingErr, ActorRef};

use super::support::{Journal, Order, Subject, TENANT, eventually, is, root, runs_as, start, supervisor, view};
use crate::supervision::{ActorState, ChildSpec, Handle, Health, Restart, Strategy};

#[tokio::test(start_paused = true)]
async fn a_panic_in_pre_start_is_a_start_that_fails() {
    let subject = Subject::new("a", &Journal::default());
    subject.faults.panics_in_pre_start.store(true, Ordering::SeqCst);
    let group = supervisor("tenants", Strategy::OneForOne, TENANT, vec![subject.spec()]);
    let tree = start(root(vec![ChildSpec::supervisor(group)])).await;
    assert!(is(&tree, "a", ActorState::BackingOff));
    let reason = view(&tree, "a").last_exit.expect("it failed").reason;
    assert_eq!(reason, "it could not start: told to panic in pre_start");
    subject.faults.panics_in_pre_start.store(false, Ordering::SeqCst);
    runs_as(&tree, "a", 2).await;
    assert_eq!(view(&tree, "tenants").generation, 1);
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_a_message_ends_the_actor_with_its_text_as_the_reason() {
    let subject = Subject::new("a", &Journal::default());
    let tree = start(root(vec![subject.spec()])).await;
    subject.tell(Order::Panic);
    runs_as(&tree, "a", 2).await;
    assert_eq!(view(&tree, "a").last_exit.expect("it failed").reason, "told to panic");
    assert_eq!(view(&tree, "a").current_message, None);
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_post_stop_is_a_failure() {
    let subject = Subject::new("a", &Journal::default());
    subject.faults.panics_in_post_stop.store(true, Ordering::SeqCst);
    let tree = start(root(vec![subject.spec_that_restarts(Restart::Transient)])).await;
    subject.tell(Order::End);
    runs_as(&tree, "a", 2).await;
    assert!(view(&tree, "a").last_exit.expect("it failed").is_abnormal);
    tree.stop(Duration::from_secs(5)).await;
    assert!(is(&tree, "a", ActorState::Stopped));
}

#[tokio::test(start_paused = true)]
async fn a_post_stop_that_hangs_is_killed_as_stuck() {
    let journal = Journal::default();
    let subject = Subject::new("a", &journal);
    subject.faults.hangs_in_post_stop.store(true, Ordering::SeqCst);
    let tree = start(root(vec![subject.spec().stall(Duration::from_secs(10))])).await;
    subject.tell(Order::End);
    eventually("it hangs", || view(&tree, "a").current_message == Some("post_stop")).await;
    runs_as(&tree, "a", 2).await;
    assert_eq!(journal.lines(), ["a started", "a dropped", "a started"]);
}

/// An actor whose constructor, not itself, goes wrong.
struct Never;

impl Actor for Never {
    type Msg = Order;
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, _myself: ActorRef<Order>, (): ()) -> Result<(), ActorProcessingErr> {
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_while_the_actor_is_made_is_a_start_that_fails() {
    let handle: Handle<Order> = Handle::new("a", 1);
    let spec = ChildSpec::worker("a", "never", &handle, || -> (Never, ()) { panic!("told to panic") });
    let group = supervisor("tenants", Strategy::OneForOne, TENANT, vec![spec]);
    let tree = start(root(vec![ChildSpec::supervisor(group)])).await;
    assert_eq!(
        view(&tree, "a").last_exit.expect("it failed").reason,
        "it panicked while it was made"
    );
    assert_eq!(tree.health(), Health::Well);
}
