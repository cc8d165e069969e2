//! Passes bytes between a client and an instance until one of them ends or the instance is to lose its connections.
//!
//! How a connection to an instance that is to end goes elsewhere, or ends, with the least harm:
//!
//! - HTTP/1 between two requests (exactly: see [`super::http`], not guessed from silence), and any connection on which
//!   nothing was said yet: the connection to the instance is dropped and the client's is kept. Its next request goes to a
//!   current instance. The client notices nothing, so no request can cross with a close, however busy the connection is.
//!   To close it instead would race: a request that is on its way when the close arrives fails in clients that do not
//!   repeat it, and one that nearly always has a request on its way would only be cut at the deadline.
//! - HTTP/1 within a request goes on until its response is complete, and then as above.
//! - Anything else (TLS, HTTP/2, WebSocket, a database) has a state in the instance and can only go on or end. It ends
//!   when the instance spoke last and then nothing moved for a while. The client is told that no more will come (FIN);
//!   what it sends until it closes, too, still reaches the instance and is not lost in silence. It cannot be
//!   answered any more, which is why only what cannot be moved is closed like this.
//! - At the deadline what is left is reset: a plain close would make a response that has no length look complete.

use std::{
    future::poll_fn,
    io,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::AsyncWriteExt,
    net::{
        TcpStream,
        tcp::{ReadHalf, WriteHalf},
    },
    sync::watch,
    time::{sleep, timeout},
};

use super::{
    connection::Need,
    flow::Flow,
    http::Exchanges,
    target::{Lease, Phase},
};

/// Silence of this length after the instance has spoken means that nothing is under way.
const SILENCE: Duration = Duration::from_millis(100);
/// How long a client may take to close what is being closed.
const FAREWELL: Duration = Duration::from_secs(2);

/// Why forwarding has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// Both sides have ended, and each was told.
    Closed,
    /// A side is gone, or time was up: whoever is left is to be told by a reset.
    Broken,
    /// The client needs another instance, now or for its next request.
    Freed(Need),
    /// Nothing is under way, and both sides are to be told that this is the end.
    Idle,
}

/// One client and its instance.
struct Pair<'a> {
    client: (ReadHalf<'a>, WriteHalf<'a>),
    target: (ReadHalf<'a>, WriteHalf<'a>),
    lease: &'a Lease,
    inward: Flow,
    outward: Flow,
    exchanges: Exchanges,
    num_moves: u64,
    has_target_spoken_last: bool,
    /// Which direction goes first, in turns, so that a flood in one does not starve the other.
    is_inward_first: bool,
}

/// Forwards until the end of it.
pub(super) async fn forward(client: &mut TcpStream, target: &mut TcpStream, lease: &Lease) -> Ending {
    let mut phase = lease.target().phase();
    let mut pair = Pair {
        client: client.split(),
        target: target.split(),
        lease,
        inward: Flow::default(),
        outward: Flow::default(),
        exchanges: Exchanges::default(),
        num_moves: 0,
        has_target_spoken_last: false,
        is_inward_first: false,
    };
    let ending = pair.run(&mut phase).await;
    if ending == Ending::Idle {
        pair.say_farewell(&mut phase).await;
    }
    ending
}

impl Pair<'_> {
    async fn run(&mut self, phase: &mut watch::Receiver<Phase>) -> Ending {
        loop {
            let current = *phase.borrow_and_update();
            let num_moves = self.num_moves;
            if current == Phase::Cut {
                return Ending::Broken;
            }
            tokio::select! {
                ending = poll_fn(|context| self.poll(context, current)) => return ending,
                // An error means that the target is gone, which it cannot be while it is leased.
                _ = phase.changed() => {}
                () = sleep(SILENCE), if current == Phase::Draining => {
                    if self.num_moves == num_moves && self.is_idle() {
                        return Ending::Idle;
                    }
                }
            }
        }
    }

    /// Tells whether nothing is under way, as far as silence can tell.
    fn is_idle(&self) -> bool {
        self.exchanges.is_opaque() && self.has_target_spoken_last && self.inward.rests() && self.outward.rests()
    }

    fn poll(&mut self, context: &mut Context<'_>, phase: Phase) -> Poll<Ending> {
        self.is_inward_first = !self.is_inward_first;
        let (inward, outward) = if self.is_inward_first {
            let inward = self.poll_inward(context);
            (inward, self.poll_outward(context))
        } else {
            let outward = self.poll_outward(context);
            (self.poll_inward(context), outward)
        };
        if matches!(inward, Poll::Ready(Err(_))) || matches!(outward, Poll::Ready(Err(_))) {
            return Poll::Ready(Ending::Broken);
        }
        let is_freed = phase != Phase::Serving && self.exchanges.is_between();
        if is_freed && self.inward.rests() && self.outward.rests() {
            let is_fresh = self.exchanges.is_fresh();
            return Poll::Ready(Ending::Freed(if is_fresh { Need::Target } else { Need::Request }));
        }
        let _ = (ready!(inward), ready!(outward));
        Poll::Ready(Ending::Closed)
    }

    fn poll_inward(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.inward
            .poll(context, &mut self.client.0, &mut self.target.1, |bytes| {
                self.exchanges.requested(bytes);
                self.lease.count_in(bytes.len());
                self.num_moves += 1;
                self.has_target_spoken_last = false;
            })
    }

    fn poll_outward(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.outward
            .poll(context, &mut self.target.0, &mut self.client.1, |bytes| {
                self.exchanges.responded(bytes);
                self.lease.count_out(bytes.len());
                self.num_moves += 1;
                self.has_target_spoken_last = true;
            })
    }

    /// Tells the client that no more will come, and passes on what it still sends until it closes, too.
    async fn say_farewell(&mut self, phase: &mut watch::Receiver<Phase>) {
        let Self {
            client,
            target,
            inward,
            lease,
            ..
        } = self;
        let farewell = async {
            client.1.shutdown().await?;
            poll_fn(|context| {
                inward.poll(context, &mut client.0, &mut target.1, |bytes| {
                    lease.count_in(bytes.len())
                })
            })
            .await
        };
        let ended = tokio::select! {
            ended = timeout(FAREWELL, farewell) => ended,
            _ = phase.wait_for(|phase| *phase == Phase::Cut) => return,
        };
        tracing::debug!(?ended, "an idle connection was closed");
    }
}
