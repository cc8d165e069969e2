use bytes::Bytes;
use futures_util::FutureExt;
use serde_json::json;

use super::*;
use crate::event_bus::queue::{MAX_FRAMES, Next, Receiver, bounded};

struct Reader {
    id: ClientId,
    queue: Receiver,
}

impl Reader {
    fn new(fanout: &mut Fanout) -> Self {
        let (sender, queue) = bounded();
        let id = ClientId(Uuid::new_v4());
        fanout.attach(id, sender);
        Self { id, queue }
    }

    fn subscribe(&self, fanout: &mut Fanout, overflow: Overflow, channel: &str, filter: Value) {
        let filter = Filter::try_from(filter.as_object().cloned().unwrap_or_default()).unwrap();
        let channel = channel.parse().unwrap();
        let top = fanout.top(channel).unwrap_or(0);
        fanout.subscribe(self.id, overflow, channel, filter, top);
    }

    /// Takes what waits right now. Without tokio's budget, which would end a long run of takes early.
    fn take(&mut self) -> Option<Next> {
        tokio::task::unconstrained(self.queue.next()).now_or_never()
    }

    fn take_offsets(&mut self) -> Vec<i64> {
        let mut offsets = Vec::new();
        while let Some(Next::Delivery(Delivery::Event(frame))) = self.take() {
            offsets.push(frame.offset);
        }
        offsets
    }
}

fn publish(fanout: &mut Fanout, channel: &str, offset: i64, data: Value) {
    let channel: Channel = channel.parse().unwrap();
    let frame = || {
        Arc::new(Frame {
            channel,
            offset,
            text: Bytes::from_static(b"{}"),
        })
    };
    fanout.publish(Instant::now(), channel, offset, &data, frame);
}

fn fill(fanout: &mut Fanout, channel: &str, offsets: std::ops::RangeInclusive<i64>) {
    for offset in offsets {
        publish(fanout, channel, offset, Value::Null);
    }
}

#[tokio::test]
async fn events_reach_the_readers_of_their_channel_past_their_top() {
    let mut fanout = Fanout::default();
    let (mut early, mut late, mut other) = (
        Reader::new(&mut fanout),
        Reader::new(&mut fanout),
        Reader::new(&mut fanout),
    );
    early.subscribe(&mut fanout, Overflow::Close, "errors", Value::Null);
    other.subscribe(&mut fanout, Overflow::Close, "projects", Value::Null);
    fill(&mut fanout, "errors", 1..=3);
    late.subscribe(&mut fanout, Overflow::Close, "errors", Value::Null);
    assert_eq!(fanout.top("errors".parse().unwrap()), Some(3));
    fill(&mut fanout, "errors", 3..=5);
    assert_eq!(early.take_offsets(), [1, 2, 3, 4, 5]);
    assert_eq!(late.take_offsets(), [4, 5]);
    assert_eq!(other.take_offsets(), [0_i64; 0]);
}

#[tokio::test]
async fn a_filter_holds_events_back() {
    let mut fanout = Fanout::default();
    let mut reader = Reader::new(&mut fanout);
    reader.subscribe(&mut fanout, Overflow::Notify, "errors", json!({"project_id": 2}));
    for offset in 1..=6 {
        publish(&mut fanout, "errors", offset, json!({"project_id": offset % 3}));
    }
    assert_eq!(reader.take_offsets(), [2, 5]);
}

#[tokio::test]
async fn a_reader_that_knows_no_notices_is_given_up_when_its_queue_is_full() {
    let mut fanout = Fanout::default();
    let mut reader = Reader::new(&mut fanout);
    reader.subscribe(&mut fanout, Overflow::Close, "errors", Value::Null);
    fill(&mut fanout, "errors", 1..=MAX_FRAMES as i64);
    assert_eq!(reader.queue.slow().now_or_never(), None);
    publish(&mut fanout, "errors", MAX_FRAMES as i64 + 1, Value::Null);
    assert_eq!(reader.take(), Some(Next::Slow));
    assert_eq!(fanout.clients.len(), 0);
    assert_eq!(fanout.channels.len(), 0);
}

#[tokio::test]
async fn a_reader_that_makes_room_gets_one_notice_per_channel_and_then_goes_on() {
    let mut fanout = Fanout::default();
    let mut reader = Reader::new(&mut fanout);
    reader.subscribe(&mut fanout, Overflow::Notify, "errors", Value::Null);
    reader.subscribe(&mut fanout, Overflow::Notify, "projects", Value::Null);
    let full = MAX_FRAMES as i64;
    fill(&mut fanout, "errors", 1..=full + 5);
    fill(&mut fanout, "projects", 1..=2);
    // Subscribing again does not hide what was dropped.
    reader.subscribe(&mut fanout, Overflow::Notify, "projects", Value::Null);
    fanout.maintain(Instant::now());
    assert_eq!(reader.take_offsets(), (1..=full).collect::<Vec<_>>());

    fanout.maintain(Instant::now());
    fill(&mut fanout, "errors", full + 6..=full + 6);
    let mut lags = Vec::new();
    for _ in 0..2 {
        let Some(Next::Delivery(Delivery::Lagged(lag))) = reader.take() else {
            panic!("a notice is missing")
        };
        lags.push((lag.channel.name(), lag.from, lag.to, lag.num_dropped));
    }
    lags.sort_unstable();
    assert_eq!(lags, [("errors", full + 1, full + 5, 5), ("projects", 1, 2, 2)]);
    assert_eq!(reader.take_offsets(), [full + 6]);
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_makes_no_room_is_given_up_after_ten_seconds() {
    let mut fanout = Fanout::default();
    let (mut slow, mut quick) = (Reader::new(&mut fanout), Reader::new(&mut fanout));
    slow.subscribe(&mut fanout, Overflow::Notify, "errors", Value::Null);
    quick.subscribe(&mut fanout, Overflow::Close, "errors", Value::Null);
    for offset in 1..=300 {
        publish(&mut fanout, "errors", offset, Value::Null);
        assert_eq!(quick.take_offsets(), [offset]);
    }
    tokio::time::advance(PATIENCE - Duration::from_millis(1)).await;
    fanout.maintain(Instant::now());
    assert_eq!(slow.queue.slow().now_or_never(), None);
    tokio::time::advance(Duration::from_millis(1)).await;
    fanout.maintain(Instant::now());
    assert_eq!(slow.take(), Some(Next::Slow));
    assert_eq!(fanout.clients.len(), 1);
}

#[tokio::test]
async fn readers_leave_nothing_behind() {
    let mut fanout = Fanout::default();
    let (mut one, two, three) = (
        Reader::new(&mut fanout),
        Reader::new(&mut fanout),
        Reader::new(&mut fanout),
    );
    for reader in [&one, &two, &three] {
        reader.subscribe(&mut fanout, Overflow::Close, "errors", Value::Null);
        reader.subscribe(&mut fanout, Overflow::Close, "tasks:4", Value::Null);
    }
    fanout.unsubscribe(one.id, &["errors".parse().unwrap(), "system".parse().unwrap()]);
    publish(&mut fanout, "errors", 1, Value::Null);
    publish(&mut fanout, "tasks:4", 1, Value::Null);
    assert_eq!(one.take_offsets(), [1]);

    fanout.unsubscribe(one.id, &["tasks:4".parse().unwrap()]);
    assert!(fanout.knows(one.id));
    fanout.detach(one.id);
    fanout.detach(two.id);
    drop(three);
    fanout.maintain(Instant::now());
    assert!(fanout.clients.is_empty() && fanout.channels.is_empty());
}

#[tokio::test]
async fn readers_are_let_go_when_an_event_is_missing() {
    let mut fanout = Fanout::default();
    let (mut reader, mut other) = (Reader::new(&mut fanout), Reader::new(&mut fanout));
    reader.subscribe(&mut fanout, Overflow::Notify, "errors", Value::Null);
    other.subscribe(&mut fanout, Overflow::Notify, "tasks", Value::Null);
    fill(&mut fanout, "errors", 1..=2);
    publish(&mut fanout, "errors", 4, Value::Null);
    assert_eq!(reader.take_offsets(), [1, 2]);
    assert_eq!(reader.take(), Some(Next::Gone));
    assert_eq!(other.take(), None);
    assert_eq!(fanout.channels.len(), 1);
}
