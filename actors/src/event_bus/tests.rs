use futures_util::FutureExt;

use super::{
    queue::{Delivery, Next, Receiver},
    *,
};
use crate::store::{
    Settings,
    error_log::{self, NewEntry, Severity},
};

/// Stands for the end of a queue where an offset could be.
const GONE: i64 = -1;

struct World {
    state: State,
    // Removes the database at the end.
    _directory: tempfile::TempDir,
}

impl World {
    async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}?mode=rwc", directory.path().join("test.db").display());
        let settings = Settings {
            url,
            data_dir: directory.path().to_owned(),
            secret_key: None,
        };
        let store = Store::open(&settings).await.unwrap();
        let args = Args {
            store,
            webhooks: Handle::new(webhooks::PATH, 1),
        };
        let state = State {
            args,
            fanout: Fanout::default(),
            is_publish_queued: false,
            is_in_doubt: false,
        };
        Self {
            state,
            _directory: directory,
        }
    }

    async fn log_error(&self) {
        let entry = NewEntry {
            project_id: None,
            deployment_id: None,
            error_type: "test".to_owned(),
            severity: Severity::Error,
            message: "wrong".to_owned(),
            stack_trace: None,
            context: serde_json::Value::Null,
        };
        error_log::record(&self.state.args.store, &entry).await.unwrap();
    }

    async fn publish(&mut self) {
        let events = assign(&self.state.args.store).await.unwrap();
        self.state.fan_out_all(&events);
    }

    /// Attaches a new client to the errors and returns its queue and the last offset.
    async fn attach(&mut self) -> (ClientId, Receiver, i64) {
        let client = ClientId(uuid::Uuid::new_v4());
        let (sender, receiver) = queue::bounded();
        let tops = self.subscribe(client, Some(sender)).await.unwrap();
        (client, receiver, tops[0].1)
    }

    async fn subscribe(
        &mut self,
        client: ClientId,
        queue: Option<queue::Sender>,
    ) -> Result<Vec<(Channel, i64)>, Error> {
        let wanted = vec![("errors".parse().unwrap(), Filter::default())];
        self.state.subscribe(client, queue, Overflow::Close, wanted).await
    }
}

fn take(queue: &mut Receiver) -> Option<i64> {
    match queue.next().now_or_never() {
        Some(Next::Delivery(Delivery::Event(frame))) => Some(frame.offset),
        Some(Next::Gone) => Some(GONE),
        other => {
            assert_eq!(other, None);
            None
        }
    }
}

#[tokio::test]
async fn a_subscription_begins_right_after_the_offset_that_it_is_told() {
    let mut world = World::new().await;
    world.log_error().await;
    world.log_error().await;
    world.publish().await;
    // Nobody has read the channel so far: the offset is in the store only.
    let (_, mut first, top) = world.attach().await;
    assert_eq!(top, 2);
    world.log_error().await;
    // It is not published yet, so it is still to come.
    let (_, mut second, top) = world.attach().await;
    assert_eq!(top, 2);
    world.publish().await;
    let (_, mut third, top) = world.attach().await;
    assert_eq!(top, 3);
    assert_eq!((take(&mut first), take(&mut first)), (Some(3), None));
    assert_eq!((take(&mut second), take(&mut second)), (Some(3), None));
    assert_eq!(take(&mut third), None);
}

#[tokio::test]
async fn a_client_that_the_bus_does_not_know_must_bring_its_queue() {
    let mut world = World::new().await;
    let (client, _queue, _) = world.attach().await;
    world.subscribe(client, None).await.unwrap();
    world.state.fanout.detach(client);
    let refused = world.subscribe(client, None).await.unwrap_err();
    assert_eq!(refused.code(), "RESTARTING");
}

#[tokio::test]
async fn readers_look_in_the_store_after_offsets_may_have_been_given_unseen() {
    let mut world = World::new().await;
    let (_, mut queue, _) = world.attach().await;
    world.log_error().await;
    // Committed, but the answer was lost.
    assign(&world.state.args.store).await.unwrap();
    world.state.doubt(&Error::Internal("the answer was lost".to_owned()));
    assert_eq!(take(&mut queue), None);
    world.publish().await;
    assert_eq!(take(&mut queue), Some(GONE));
    let (_, mut queue, top) = world.attach().await;
    assert_eq!(top, 1);
    world.log_error().await;
    world.publish().await;
    assert_eq!(take(&mut queue), Some(2));
}
