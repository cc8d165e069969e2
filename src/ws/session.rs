//! One connection, from the handshake to the close.

mod replay;
mod subscribe;

use borgos_actors::event_bus::{
    EventBus,
    queue::{Delivery, Next},
};
use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::tungstenite::Message;
use tokio_util::sync::CancellationToken;
use tracing::debug;

use super::{
    clients::Presence,
    ending::Ending,
    feed::Feed,
    heartbeat::{Beat, Heartbeat},
    inbound::{Inbound, Verdict},
    protocol::{Reason, Reference, Reply, Request},
    socket::{Incoming, Socket, text_message},
    viewer::Viewer,
};

/// One connection. Everything happens in turn: while something is written, nothing is read.
pub(super) struct Session<S> {
    socket: Socket<S>,
    feed: Feed,
    inbound: Inbound,
    heartbeat: Heartbeat,
    viewer: Viewer,
    presence: Presence,
    stop: CancellationToken,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Session<S> {
    /// Takes over a connection whose handshake is done.
    pub(super) async fn new(
        connection: S,
        bus: EventBus,
        viewer: Viewer,
        presence: Presence,
        stop: CancellationToken,
    ) -> Self {
        Self {
            socket: Socket::new(connection).await,
            feed: Feed::new(bus),
            inbound: Inbound::new(),
            heartbeat: Heartbeat::new(),
            viewer,
            presence,
            stop,
        }
    }

    /// Serves the client until one of both ends closes.
    pub(super) async fn run(mut self) {
        let ending = self.serve().await;
        debug!(?ending, "a client has gone");
        self.feed.detach();
        Box::pin(self.socket.close(ending)).await;
    }

    async fn serve(&mut self) -> Ending {
        loop {
            // What came in is looked at before the heartbeat: a pong may have waited while something was written.
            let step = tokio::select! {
                biased;
                () = self.stop.cancelled() => Err(Ending::Stopping),
                () = self.viewer.lost() => Err(Ending::Unauthorized),
                incoming = self.socket.receive() => match incoming {
                    Ok(incoming) => self.take_in(incoming).await,
                    Err(ending) => Err(ending),
                },
                beat = self.heartbeat.due() => self.beat(beat).await,
                next = self.feed.next() => self.pass_on(next).await,
            };
            if let Err(ending) = step {
                return ending;
            }
        }
    }

    async fn take_in(&mut self, incoming: Incoming) -> Result<(), Ending> {
        // One that nobody asked for is a message like any other.
        if incoming == Incoming::Pong && self.heartbeat.record_pong() {
            return Ok(());
        }
        self.presence.count_received();
        match (self.inbound.check(), incoming) {
            // Boxed, as all that is rare: an idle connection pays for the largest future that it can be in.
            (Verdict::Accept, Incoming::Text(text)) => Box::pin(self.answer(&text)).await,
            (Verdict::Accept, Incoming::Ping | Incoming::Pong) => Ok(()),
            (Verdict::Refuse, _) => self.refuse(None, &Reason::RateLimited).await,
            (Verdict::Close, _) => Err(Ending::Flood),
        }
    }

    async fn answer(&mut self, text: &str) -> Result<(), Ending> {
        match Request::parse(text) {
            Ok(Request::Subscribe(subscribe)) => self.subscribe(subscribe).await,
            Ok(Request::Unsubscribe { channels, reference }) => self.unsubscribe(channels, reference).await,
            Ok(Request::Hello { reference }) => self.welcome(reference).await,
            Ok(Request::Ping { reference }) => self.reply(&Reply::Pong { reference }).await,
            Err((reference, reason)) => self.refuse(reference, &reason).await,
        }
    }

    /// Tells a client about the connection. It says by asking that it understands every kind of frame.
    async fn welcome(&mut self, reference: Option<Reference>) -> Result<(), Ending> {
        self.feed.accept_notices();
        let welcome = Reply::welcome(reference, self.presence.id(), self.feed.bus().epoch());
        self.reply(&welcome).await
    }

    async fn beat(&mut self, beat: Beat) -> Result<(), Ending> {
        match beat {
            Beat::Ping => self.send(Message::Ping(Bytes::new())).await,
            Beat::Dead => Err(Ending::NoPong),
        }
    }

    async fn pass_on(&mut self, next: Next) -> Result<(), Ending> {
        match next {
            Next::Delivery(Delivery::Event(frame)) if self.feed.advance(frame.channel, frame.offset) => {
                self.send(text_message(frame.text.clone())?).await
            }
            Next::Delivery(Delivery::Lagged(lag)) if self.feed.advance(lag.channel, lag.to) => {
                self.reply(&Reply::lagged(*lag)).await
            }
            // The client has seen these while it caught up, or has unsubscribed.
            Next::Delivery(Delivery::Event(_) | Delivery::Lagged(_)) => Ok(()),
            Next::Slow => Err(Ending::Slow),
            Next::Gone => Box::pin(self.come_back()).await,
        }
    }

    async fn reply(&mut self, reply: &Reply) -> Result<(), Ending> {
        self.send(Message::text(reply.to_text())).await
    }

    async fn refuse(&mut self, reference: Option<Reference>, reason: &Reason) -> Result<(), Ending> {
        self.reply(&Reply::error(reference, reason)).await
    }

    /// Sends a message, unless the connection is to end meanwhile.
    async fn send(&mut self, message: Message) -> Result<(), Ending> {
        if message.is_text() {
            self.presence.count_sent(message.len());
        }
        tokio::select! {
            biased;
            () = self.stop.cancelled() => Err(Ending::Stopping),
            () = self.feed.slow() => Err(Ending::Slow),
            sent = self.socket.send(message) => sent,
        }
    }
}
