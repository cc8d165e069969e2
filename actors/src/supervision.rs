//! Keeps the actors alive: a thin supervision layer over ractor, which restarts nothing by itself.
//!
//! - [`ChildSpec`] and [`SupervisorSpec`] are the tree as one declarative table: what to start, in which order, what to
//!   do when it ends. Start goes in order, stop in reverse, each with a deadline and then a kill.
//! - [`Handle`] is the address of an actor. It outlives the actor, is bounded, and holds messages back while the actor
//!   is replaced. Identity is the path in our tree: ractor's registry is global to the process and not used.
//! - [`Children`] starts and stops children of a running supervisor.
//! - [`Tree`] is the whole: what operators see, restart of one actor on request, health, stop.
//!
//! Every actor of the tree runs inside a wrapper that opens one span per message, measures how long the message takes
//! and counts it, so no actor can forget to. The one thing that it asks of an actor is [`Message::kind`].
//!
//! What is promised about messages: a requested restart loses none that was accepted. A crash loses those in the
//! mailbox and the one in hand, whose callers get [`Error::Restarting`](crate::Error::Restarting) at once.

mod backoff;
mod board;
mod children;
mod handle;
mod launch;
mod meter;
mod observer;
mod record;
mod sentinel;
mod spec;
mod supervisor;
mod tree;
mod view;
mod worker;

#[cfg(test)]
mod tests;

pub(crate) use backoff::delay as back_off;
pub use children::Children;
pub use handle::Handle;
pub use observer::{Happening, Lifecycle, Observer};
pub use spec::{ChildSpec, Limit, Restart, Strategy, SupervisorSpec};
pub use tree::{Health, Tree};
pub use view::{ActorState, ActorView, LastExit};
pub use worker::Message;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks for a few instructions, never over an await. Nothing that is guarded here can be left half changed by a panic,
/// so a poisoned lock is used as it is.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
