//! The queue between the bus and one reader: bounded in frames and in bytes, and never waited for by the bus.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use tokio::sync::{Notify, mpsc};

use super::{Channel, Frame};

/// So many frames may wait for one reader.
pub const MAX_FRAMES: usize = 256;
/// So many bytes may wait for one reader.
pub const MAX_BYTES: usize = 1024 * 1024;
/// What a notice takes of the queue's bytes.
const NOTICE_BYTES: usize = 64;

/// What a reader finds in its queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// An event.
    Event(Arc<Frame>),
    /// Events were dropped because the queue was full. Boxed: queues reserve room for many deliveries each.
    Lagged(Box<Lag>),
}

/// A run of events of one channel that a reader did not get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lag {
    /// The channel.
    pub channel: Channel,
    /// The first offset that was dropped.
    pub from: i64,
    /// The last offset that was dropped.
    pub to: i64,
    /// How many events were dropped, not counting those that the filter held back.
    pub num_dropped: u64,
}

impl Delivery {
    fn num_bytes(&self) -> usize {
        match self {
            Self::Event(frame) => frame.text.len(),
            Self::Lagged(_) => NOTICE_BYTES,
        }
    }
}

/// What a reader does next.
#[derive(Debug, PartialEq, Eq)]
pub enum Next {
    /// Pass this on.
    Delivery(Delivery),
    /// Give up: the reader was too slow for too long.
    Slow,
    /// Subscribe again: the bus is not there any more, or has let go of all readers.
    Gone,
}

/// Why something was not put into a queue.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refused {
    Full,
    Closed,
}

#[derive(Debug, Default)]
struct Shared {
    num_bytes: AtomicUsize,
    is_slow: AtomicBool,
    slow: Notify,
}

/// The bus's end. A reader makes the queue and hands this over with its first subscription.
#[derive(Debug, Clone)]
pub struct Sender {
    deliveries: mpsc::Sender<Delivery>,
    shared: Arc<Shared>,
}

/// The reader's end. Dropping it ends all subscriptions of the queue.
#[derive(Debug)]
pub struct Receiver {
    deliveries: mpsc::Receiver<Delivery>,
    shared: Arc<Shared>,
}

/// Makes a queue.
pub fn bounded() -> (Sender, Receiver) {
    let (sender, receiver) = mpsc::channel(MAX_FRAMES);
    let shared = Arc::<Shared>::default();
    (
        Sender {
            deliveries: sender,
            shared: shared.clone(),
        },
        Receiver {
            deliveries: receiver,
            shared,
        },
    )
}

impl Sender {
    /// Puts something into the queue if it fits. Only the bus does so: two at once could exceed the bytes.
    pub(super) fn try_push(&self, delivery: Delivery) -> Result<(), Refused> {
        let num_bytes = delivery.num_bytes();
        if self.shared.num_bytes.load(Ordering::Relaxed) + num_bytes > MAX_BYTES {
            return Err(if self.is_closed() {
                Refused::Closed
            } else {
                Refused::Full
            });
        }
        // Counted before it can be taken out, so that the count never falls below zero.
        self.shared.num_bytes.fetch_add(num_bytes, Ordering::Relaxed);
        self.deliveries.try_send(delivery).map_err(|error| {
            self.shared.num_bytes.fetch_sub(num_bytes, Ordering::Relaxed);
            match error {
                mpsc::error::TrySendError::Full(_) => Refused::Full,
                mpsc::error::TrySendError::Closed(_) => Refused::Closed,
            }
        })
    }

    /// Says whether a reader that lagged has caught up: with less room than half, it would lag again at once.
    pub(super) fn has_room(&self) -> bool {
        self.deliveries.capacity() >= MAX_FRAMES / 2 && self.shared.num_bytes.load(Ordering::Relaxed) <= MAX_BYTES / 2
    }

    /// Tells the reader to give up, ahead of all that is queued.
    pub(super) fn mark_slow(&self) {
        self.shared.is_slow.store(true, Ordering::Release);
        self.shared.slow.notify_one();
    }

    pub(super) fn is_closed(&self) -> bool {
        self.deliveries.is_closed()
    }
}

impl Receiver {
    /// Waits for what is next. Cancelling it loses nothing.
    pub async fn next(&mut self) -> Next {
        tokio::select! {
            biased;
            () = slow(&self.shared) => Next::Slow,
            delivery = self.deliveries.recv() => match delivery {
                Some(delivery) => {
                    self.shared.num_bytes.fetch_sub(delivery.num_bytes(), Ordering::Relaxed);
                    Next::Delivery(delivery)
                }
                None => Next::Gone,
            },
        }
    }

    /// Waits until the bus has given the reader up as too slow: forever, if it does not.
    pub async fn slow(&self) {
        slow(&self.shared).await;
    }
}

async fn slow(shared: &Shared) {
    while !shared.is_slow.load(Ordering::Acquire) {
        shared.slow.notified().await;
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn event(offset: i64, num_bytes: usize) -> Delivery {
        let channel = "errors".parse().unwrap();
        Delivery::Event(Arc::new(Frame {
            channel,
            offset,
            text: Bytes::from(vec![b'x'; num_bytes]),
        }))
    }

    #[tokio::test]
    async fn frames_and_bytes_are_bounded_and_given_back() {
        let (sender, mut receiver) = bounded();
        for offset in 0..4 {
            sender.try_push(event(offset, MAX_BYTES / 4)).unwrap();
        }
        assert_eq!(sender.try_push(event(4, 1)), Err(Refused::Full));
        assert!(!sender.has_room());
        for offset in 0..4 {
            assert_eq!(receiver.next().await, Next::Delivery(event(offset, MAX_BYTES / 4)));
        }
        for offset in 0..MAX_FRAMES as i64 {
            sender.try_push(event(offset, 1)).unwrap();
        }
        assert_eq!(sender.try_push(event(256, 1)), Err(Refused::Full));
        assert_eq!(sender.shared.num_bytes.load(Ordering::Relaxed), MAX_FRAMES);
        assert!(!sender.has_room());
        for _ in 0..MAX_FRAMES / 2 {
            receiver.next().await;
        }
        assert!(sender.has_room());
    }

    #[tokio::test]
    async fn the_mark_overtakes_what_is_queued() {
        let (sender, mut receiver) = bounded();
        sender.try_push(event(1, 1)).unwrap();
        sender.mark_slow();
        receiver.slow().await;
        assert_eq!(receiver.next().await, Next::Slow);
    }

    #[tokio::test]
    async fn a_queue_whose_bus_is_gone_is_emptied_first() {
        let (sender, mut receiver) = bounded();
        sender.try_push(event(1, 1)).unwrap();
        drop(sender);
        assert_eq!(receiver.next().await, Next::Delivery(event(1, 1)));
        assert_eq!(receiver.next().await, Next::Gone);
    }

    #[tokio::test]
    async fn a_queue_without_a_reader_says_so() {
        let (sender, receiver) = bounded();
        drop(receiver);
        assert_eq!(sender.try_push(event(1, 1)), Err(Refused::Closed));
    }
}
