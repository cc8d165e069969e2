//! Events that the client has not got from its queue: those that it missed before, and those that the bus let go.

use borgos_actors::{
    Error,
    event_bus::{Channel, Filter, queue::Lag},
};
use tokio::io::{AsyncRead, AsyncWrite};

use super::Session;
use crate::ws::{
    ending::Ending,
    feed::Position,
    protocol::{Outcome, Reply},
    socket::text_message,
};

/// A replay covers at most so many pages of the bus, which is more than a channel keeps.
const MAX_PAGES: usize = 1024;

/// Why reading or writing stopped half-way.
#[derive(Debug)]
pub(super) enum Stop {
    /// The bus or the store did not answer. The connection goes on.
    Failed(Error),
    /// The connection ends.
    Ending(Ending),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl From<Ending> for Stop {
    fn from(ending: Ending) -> Self {
        Self::Ending(ending)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Session<S> {
    /// Comes back to a bus that has gone, now or after a pause.
    pub(super) async fn come_back(&mut self) -> Result<(), Ending> {
        match self.heal().await {
            Ok(()) => Ok(()),
            Err(Stop::Failed(error)) => {
                tracing::debug!(%error, "the event bus is not back yet");
                Ok(())
            }
            Err(Stop::Ending(ending)) => Err(ending),
        }
    }

    /// Subscribes to channels, after coming back to the bus if it has gone.
    pub(super) async fn add(&mut self, wanted: Vec<(Channel, Filter)>) -> Result<Vec<(Channel, i64)>, Stop> {
        if self.feed.is_lost() {
            self.heal().await?;
        }
        match self.feed.add(wanted.clone()).await {
            // It has gone just now, and with it all earlier subscriptions.
            Err(Error::Restarting { .. }) => {
                self.heal().await?;
                Ok(self.feed.add(wanted).await?)
            }
            tops => Ok(tops?),
        }
    }

    /// Sends the events of a channel that follow the client's position, up to `up_to` or all that have an offset.
    pub(super) async fn catch_up(&mut self, channel: Channel, up_to: Option<i64>) -> Result<Outcome, Stop> {
        let up_to = up_to.unwrap_or(i64::MAX);
        let mut num_events = 0;
        for _ in 0..MAX_PAGES {
            let Some(Position { last, filter }) = self.feed.position(channel).cloned() else {
                break;
            };
            if last >= up_to {
                return Ok(Outcome::Replayed { num_events });
            }
            let page = self.feed.bus().replay(channel, &filter, last, up_to).await?;
            if page.has_gap {
                return Ok(Outcome::TooOld);
            }
            for frame in &page.frames {
                self.send(text_message(frame.text.clone())?).await?;
                self.feed.advance(channel, frame.offset);
                num_events += 1;
            }
            self.feed.advance(channel, page.last);
            if !page.is_full {
                let is_complete = up_to == i64::MAX || page.last == up_to;
                return Ok(if is_complete {
                    Outcome::Replayed { num_events }
                } else {
                    Outcome::TooOld
                });
            }
        }
        Ok(Outcome::TooOld)
    }

    /// Brings a channel that has just been subscribed to from where the replay ended to where the queue begins.
    pub(super) async fn finish(
        &mut self,
        channel: Channel,
        filter: &Filter,
        top: i64,
        outcome: Outcome,
    ) -> Result<Outcome, Stop> {
        let position = self.feed.position(channel).map(|position| position.last);
        let outcome = match (outcome, position) {
            // It was subscribed to before: what is queued is still to be passed on.
            (Outcome::Live, Some(last)) => {
                self.feed.set_position(
                    channel,
                    Position {
                        last,
                        filter: filter.clone(),
                    },
                );
                return Ok(outcome);
            }
            (Outcome::Replayed { .. }, Some(last)) if last > top => Outcome::UnknownOffset,
            (Outcome::Replayed { num_events: before }, Some(_)) => match self.catch_up(channel, Some(top)).await? {
                Outcome::Replayed { num_events } => Outcome::Replayed {
                    num_events: before + num_events,
                },
                lost => lost,
            },
            (outcome, _) => outcome,
        };
        self.feed.set_position(
            channel,
            Position {
                last: top,
                filter: filter.clone(),
            },
        );
        Ok(outcome)
    }

    /// Attaches to the bus anew and sends what was missed meanwhile. If that fails, it is tried again after a pause.
    async fn heal(&mut self) -> Result<(), Stop> {
        let healed = self.try_heal().await;
        if let Err(Stop::Failed(_)) = healed {
            self.feed.lose();
        }
        healed
    }

    async fn try_heal(&mut self) -> Result<(), Stop> {
        for (channel, top) in self.feed.attach_again().await? {
            if self.catch_up(channel, Some(top)).await? == Outcome::TooOld {
                self.skip_to(channel, top).await?;
            }
        }
        Ok(())
    }

    /// Goes on at `top` although the events before are not kept any more, if the client can be told so.
    async fn skip_to(&mut self, channel: Channel, top: i64) -> Result<(), Ending> {
        let Some(last) = self.feed.position(channel).map(|position| position.last) else {
            return Ok(());
        };
        if !self.feed.accepts_notices() {
            return Err(Ending::Missed);
        }
        self.feed.advance(channel, top);
        let num_dropped = top.saturating_sub(last).unsigned_abs();
        self.reply(&Reply::lagged(Lag {
            channel,
            from: last + 1,
            to: top,
            num_dropped,
        }))
        .await
    }
}
