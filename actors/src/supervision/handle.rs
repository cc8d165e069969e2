//! The address of an actor, which outlives the actor.
//!
//! ractor's mailboxes are unbounded and die with their actor. A handle counts what is queued and refuses more than its
//! capacity. While the actor is replaced it parks the messages, bounded by the same capacity, and hands them to the next
//! incarnation in order; while the actor is away for longer it refuses them. All of this happens under one short lock,
//! so that no message falls between two incarnations and each sender's order is kept.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use ractor::{ActorRef, MessagingErr, RpcReplyPort};
use tokio::{sync::oneshot, time::timeout};

use super::lock;
use crate::Error;

/// A stable, bounded address of an actor that takes messages `M`. Made before the actor, valid after its death.
pub struct Handle<M> {
    inner: Arc<Inner<M>>,
}

struct Inner<M> {
    path: String,
    capacity: usize,
    gate: Mutex<Gate<M>>,
}

enum Gate<M> {
    /// Messages go to the actor.
    Open { actor: ActorRef<M>, queued: Queued },
    /// Messages wait here for the next incarnation.
    Parked(VecDeque<M>),
    /// Messages are refused.
    Closed(Away),
}

/// Why an actor takes no messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Away {
    /// It will be back.
    Restarting,
    /// It ended for good.
    Gone,
}

/// Counts the messages that one incarnation has not taken yet. What an actor sends to itself through its own
/// [`ActorRef`] is not counted, so taking never goes below zero.
#[derive(Debug, Clone, Default)]
pub(super) struct Queued(Arc<AtomicUsize>);

impl Queued {
    pub(super) fn take_one(&self) {
        let decrement = |count: usize| count.checked_sub(1);
        // An error means that the count was zero, as it is for a message that bypassed the handle.
        let _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, decrement);
    }

    fn add_one(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// A handle as its supervisor sees it, whatever the messages are.
pub(super) trait Door: Send + Sync {
    fn path(&self) -> &str;
    /// Holds messages back for the next incarnation.
    fn park(&self);
    /// Refuses messages. Parked ones are dropped, so that their callers know at once.
    fn close(&self, why: Away);
    fn depth(&self) -> usize;
    fn capacity(&self) -> usize;
}

impl<M: ractor::Message> Handle<M> {
    /// Creates an address for the actor at `path` with room for `capacity` waiting messages. Until the actor starts for
    /// the first time, messages are parked.
    pub fn new(path: impl Into<String>, capacity: usize) -> Self {
        let gate = Mutex::new(Gate::Parked(VecDeque::new()));
        Self {
            inner: Arc::new(Inner {
                path: path.into(),
                capacity,
                gate,
            }),
        }
    }

    /// Returns the actor's path in the tree.
    pub fn path(&self) -> &str {
        &self.inner.path
    }

    /// Sends a message without waiting for anything.
    ///
    /// # Errors
    /// [`Error::Busy`] when as many messages wait as may, [`Error::Restarting`] while the actor is away,
    /// [`Error::NotFound`] when it ended for good.
    pub fn cast(&self, message: M) -> Result<(), Error> {
        self.inner.accept(message)
    }

    /// Sends a message and waits for the reply. Dropping the future abandons the reply, not the message.
    ///
    /// # Errors
    /// Those of [`Handle::cast`]; [`Error::Restarting`] as soon as the actor dies (or drops the reply port) without an
    /// answer, [`Error::Timeout`] when it does not answer in time. What was asked may then still happen.
    pub async fn call<T: Send + 'static>(
        &self,
        patience: Duration,
        build: impl FnOnce(RpcReplyPort<T>) -> M,
    ) -> Result<T, Error> {
        let (sender, receiver) = oneshot::channel();
        self.cast(build((sender, patience).into()))?;
        match timeout(patience, receiver).await {
            Ok(Ok(reply)) => Ok(reply),
            Ok(Err(_)) => Err(self.inner.absence()),
            Err(_) => Err(Error::Timeout {
                actor: self.inner.path.clone(),
                after: patience,
            }),
        }
    }

    /// Sends all messages to this incarnation from now on, the parked ones first.
    pub(super) fn open(&self, actor: ActorRef<M>, queued: Queued) {
        let mut gate = lock(&self.inner.gate);
        if let Gate::Parked(parked) = &mut *gate {
            while let Some(message) = parked.pop_front() {
                queued.add_one();
                if let Err(MessagingErr::SendErr(message)) = actor.send_message(message) {
                    // Dead already: its supervisor is about to start another one or to close the door.
                    parked.push_front(message);
                    return;
                }
            }
        }
        *gate = Gate::Open { actor, queued };
    }

    pub(super) fn door(&self) -> Arc<dyn Door> {
        self.inner.clone()
    }
}

impl<M> Clone for Handle<M> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
        }
    }
}

impl<M> std::fmt::Debug for Handle<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Handle").field(&self.inner.path).finish()
    }
}

impl<M: ractor::Message> Inner<M> {
    fn accept(&self, message: M) -> Result<(), Error> {
        let mut gate = lock(&self.gate);
        match &mut *gate {
            Gate::Open { queued, .. } if queued.count() >= self.capacity => Err(self.busy()),
            Gate::Open { actor, queued } => {
                queued.add_one();
                match actor.send_message(message) {
                    Ok(()) => Ok(()),
                    Err(MessagingErr::SendErr(message)) => {
                        // It died and its supervisor does not know yet.
                        *gate = Gate::Parked(VecDeque::from([message]));
                        Ok(())
                    }
                    Err(error) => Err(Error::Internal(format!("`{}` refused a message: {error}", self.path))),
                }
            }
            Gate::Parked(parked) if parked.len() >= self.capacity => Err(self.busy()),
            Gate::Parked(parked) => {
                parked.push_back(message);
                Ok(())
            }
            Gate::Closed(why) => Err(self.away(*why)),
        }
    }

    fn busy(&self) -> Error {
        Error::Busy {
            actor: self.path.clone(),
        }
    }

    fn away(&self, why: Away) -> Error {
        match why {
            Away::Restarting => Error::Restarting {
                actor: self.path.clone(),
            },
            Away::Gone => Error::NotFound {
                kind: "Actor",
                id: self.path.clone(),
            },
        }
    }

    /// Says why no answer came.
    fn absence(&self) -> Error {
        match &*lock(&self.gate) {
            Gate::Closed(why) => self.away(*why),
            Gate::Open { .. } | Gate::Parked(_) => self.away(Away::Restarting),
        }
    }

    /// Swaps the gate and drops the old one after the lock is released: a message's drop may run anything.
    fn swap(&self, next: impl FnOnce(&Gate<M>) -> Option<Gate<M>>) {
        let mut gate = lock(&self.gate);
        let replaced = next(&gate).map(|next| std::mem::replace(&mut *gate, next));
        drop(gate);
        drop(replaced);
    }
}

impl<M: ractor::Message> Door for Inner<M> {
    fn path(&self) -> &str {
        &self.path
    }

    fn park(&self) {
        self.swap(|gate| match gate {
            Gate::Parked(_) => None,
            Gate::Open { .. } | Gate::Closed(_) => Some(Gate::Parked(VecDeque::new())),
        });
    }

    fn close(&self, why: Away) {
        self.swap(|_| Some(Gate::Closed(why)));
    }

    fn depth(&self) -> usize {
        match &*lock(&self.gate) {
            Gate::Open { queued, .. } => queued.count(),
            Gate::Parked(parked) => parked.len(),
            Gate::Closed(_) => 0,
        }
    }

    fn capacity(&self) -> usize {
        self.capacity
    }
}
