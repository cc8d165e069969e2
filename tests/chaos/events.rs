//! Events over `kill -9`: a client that comes back with the last offset that it saw misses none and sees none twice.

use std::{collections::BTreeSet, time::Duration};

use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use super::{
    chance::Chance,
    scene::{Deployed, project},
};
use crate::support::{Backend, Runtime, Setup, Socket, World};

const NUM_KILLS: usize = 4;
/// About as long as a deploy takes.
const MAX_MOMENT: Duration = Duration::from_millis(1500);
const FRAME_TIMEOUT: Duration = Duration::from_secs(20);

/// Reads what comes on one channel, over any number of connections.
struct Reader {
    seen: Vec<Value>,
}

impl Reader {
    fn last_offset(&self) -> i64 {
        self.seen
            .last()
            .map_or(0, |frame| frame["offset"].as_i64().expect("an offset"))
    }

    async fn connect(&self, world: &World) -> Socket {
        let mut socket = world.socket().await;
        let since = self.last_offset();
        socket
            .send(&json!({"type": "subscribe", "channels": ["deployments"], "since": since}))
            .await;
        socket
    }

    /// Reads until there is nothing more to read, or until a frame is the last one.
    async fn read(&mut self, socket: &mut Socket, mut is_last: impl FnMut(&Value) -> bool) {
        let read = async {
            while let Some(frame) = socket.next_if_connected().await {
                if frame["channel"] == "deployments" && frame["offset"].is_i64() && frame["data"].is_object() {
                    let is_last = is_last(&frame);
                    self.seen.push(frame);
                    if is_last {
                        return;
                    }
                }
            }
        };
        timeout(FRAME_TIMEOUT, read).await.expect("the last event comes");
    }
}

async fn no_event_is_lost_or_doubled(setup: Setup) {
    let mut world = setup.start().await;
    let project = project(&world, "watched", "0.2");
    let project_id = world.create_project("watched", project.path()).await;
    let mut reader = Reader { seen: Vec::new() };
    let mut awaited = BTreeSet::new();
    let mut random = Chance::new();
    for number in 0..NUM_KILLS {
        project.set_version(&format!("version {number}"));
        let mut socket = reader.connect(&world).await;
        let deployed = Deployed::begin(&world, project_id, &format!("watched-{number}"), &json!({})).await;
        awaited.insert(deployed.id);
        let moment = random.moment(MAX_MOMENT);
        eprintln!("kill {number} after {moment:?}");
        let (_, ()) = tokio::join!(reader.read(&mut socket, |_| false), async {
            sleep(moment).await;
            world.kill_9().await;
        });
        world.boot().await;
    }
    let mut socket = reader.connect(&world).await;
    let mut is_over = |frame: &Value| {
        if frame["data"]["status"] == "running" {
            awaited.retain(|id| frame["data"]["id"] != *id);
        }
        awaited.is_empty()
    };
    if !reader.seen.iter().any(&mut is_over) {
        reader.read(&mut socket, is_over).await;
    }

    let offsets: Vec<i64> = reader
        .seen
        .iter()
        .filter_map(|frame| frame["offset"].as_i64())
        .collect();
    let expected: Vec<i64> = (1..=reader.last_offset()).collect();
    assert_eq!(offsets, expected, "{:#?}", reader.seen);
    assert!(
        offsets.len() >= 4 * NUM_KILLS,
        "hardly anything happened: {:#?}",
        reader.seen
    );
    world.close().await;
}

#[tokio::test]
async fn no_event_is_lost_or_doubled_by_kills() {
    no_event_is_lost_or_doubled(Setup::new(Runtime::Docker)).await;
}

#[tokio::test]
async fn no_event_is_lost_or_doubled_by_kills_on_postgresql() {
    no_event_is_lost_or_doubled(Setup::new(Runtime::Process).backend(Backend::Postgres)).await;
}
