//! The control socket: takes requests and passes them to the one task that may change anything.

use std::{io, sync::Arc, time::Duration};

use tokio::{
    net::UnixStream,
    sync::{mpsc, oneshot},
    time::Instant,
};

use super::{
    handover::{self, Bequest, Departure},
    line::Lines,
    protocol::{Answer, Drained, MAX_REQUEST_BYTES, Refusal, Reply, Request},
    table,
    target::Target,
};

/// A control connection on which nothing was asked for that long is closed. Whoever watches the edge asks more often.
const IDLE_DEADLINE: Duration = Duration::from_secs(60);
/// No drain and no farewell takes longer than this, whatever is asked for.
const MAX_DEADLINE: Duration = Duration::from_secs(3600);

/// What the task that owns everything is told.
#[derive(Debug)]
pub(super) enum Order {
    /// Carry out a request.
    Request {
        request: Request,
        reply: oneshot::Sender<Outcome>,
    },
    /// Serve a connection that another edge had.
    Welcome(Departure),
    /// The other process listens: end, after giving it connections over this stream.
    Moved { stream: UnixStream, grace: Duration },
    /// The other process did not get that far.
    Stay,
}

/// What comes of a request.
#[derive(Debug)]
pub(super) enum Outcome {
    /// This is the answer.
    Done(Reply),
    /// The answer comes when these are drained.
    Drain {
        targets: Vec<Arc<Target>>,
        deadline: Instant,
    },
    /// The conversation goes on as a handover.
    HandOver { bequest: Box<Bequest>, grace: Duration },
}

/// Returns the instant that a request means by a deadline.
pub(super) fn deadline(deadline_ms: u64) -> Instant {
    Instant::now() + duration(deadline_ms)
}

pub(super) fn duration(num_ms: u64) -> Duration {
    Duration::from_millis(num_ms).min(MAX_DEADLINE)
}

/// Answers one client until it leaves, is silent for too long, or says what cannot be understood.
pub(super) async fn converse(stream: UnixStream, orders: mpsc::Sender<Order>) {
    let mut lines = Lines::new(stream, MAX_REQUEST_BYTES);
    loop {
        let read = tokio::select! {
            read = lines.read::<Request>(IDLE_DEADLINE) => read,
            // The edge ends: whoever watches it is to know now, and not when its last connections have ended.
            () = orders.closed() => return,
        };
        let reply = match read {
            Ok(None) => return,
            Ok(Some(request)) => match ask(&orders, request).await {
                Outcome::Done(reply) => reply,
                Outcome::Drain { targets, deadline } => Ok(Answer::Drained(Drained {
                    num_cut: table::drain(&targets, deadline).await,
                })),
                Outcome::HandOver { bequest, grace } => return hand_over(lines, *bequest, grace, &orders).await,
            },
            Err(cause) => {
                tracing::warn!(error = %cause, "a request on the control socket was not understood");
                let refused = lines.write(&Reply::Err(Refusal::Malformed(cause.to_string()))).await;
                // Where the next line begins is only known after a line that was read to its end.
                if refused.is_err() || cause.kind() != io::ErrorKind::InvalidData {
                    return;
                }
                continue;
            }
        };
        if let Err(error) = lines.write(&reply).await {
            tracing::debug!(%error, "a client of the control socket did not wait for its answer");
            return;
        }
    }
}

async fn ask(orders: &mpsc::Sender<Order>, request: Request) -> Outcome {
    let (reply, outcome) = oneshot::channel();
    // Either fails when the edge is about to end.
    match orders.send(Order::Request { request, reply }).await {
        Ok(()) => outcome.await.unwrap_or(Outcome::Done(Err(Refusal::Leaving))),
        Err(_) => Outcome::Done(Err(Refusal::Leaving)),
    }
}

async fn hand_over(lines: Lines, bequest: Bequest, grace: Duration, orders: &mpsc::Sender<Order>) {
    let order = match handover::bequeath(lines, bequest).await {
        Ok(stream) => Order::Moved { stream, grace },
        Err(error) => {
            tracing::error!(%error, "another process began to take over and did not finish");
            Order::Stay
        }
    };
    // An error means that the edge ends for another reason.
    let _ = orders.send(order).await;
}
