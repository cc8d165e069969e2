//! Subscriptions of one connection, as the client asks for them.

use std::collections::BTreeMap;

use borgos_actors::event_bus::{Channel, Filter};
use tokio::io::{AsyncRead, AsyncWrite};

use super::{Session, replay::Stop};
use crate::ws::{
    ending::Ending,
    feed::Position,
    protocol::{MAX_CHANNELS, Name, Outcome, Reason, Reference, Reply, Subscribe, Subscribed},
};

impl<S: AsyncRead + AsyncWrite + Unpin> Session<S> {
    /// Subscribes to channels. Names that are wrong are told and do not keep the others from being subscribed to.
    pub(super) async fn subscribe(&mut self, subscribe: Subscribe) -> Result<(), Ending> {
        if subscribe.is_extended() {
            self.feed.accept_notices();
        }
        let (channels, unknown) = sort_out(&subscribe.channels);
        if !unknown.is_empty() {
            self.refuse(subscribe.reference.clone(), &Reason::UnknownChannels(unknown))
                .await?;
        }
        let (channels, forbidden): (Vec<Channel>, Vec<Channel>) =
            channels.into_iter().partition(|channel| self.viewer.may_read(*channel));
        if !forbidden.is_empty() {
            let names = forbidden.iter().map(Channel::to_string).collect();
            self.refuse(subscribe.reference.clone(), &Reason::Forbidden(names))
                .await?;
        }
        if channels.is_empty() {
            return Ok(());
        }
        if self.num_channels_with(&channels) > MAX_CHANNELS {
            return self.refuse(subscribe.reference, &Reason::TooManyChannels).await;
        }
        match self.go_live(&channels, &subscribe).await {
            Ok(subscribed) if subscribe.reference.is_some() || subscribe.since.is_some() => {
                self.reply(&Reply::Ack {
                    reference: subscribe.reference,
                    channels: subscribed,
                })
                .await
            }
            Ok(_) => Ok(()),
            Err(Stop::Ending(ending)) => Err(ending),
            Err(Stop::Failed(error)) => {
                // Half a subscription would be worse than none.
                self.feed.remove(&channels);
                self.refuse(subscribe.reference, &Reason::Unavailable(error.to_string()))
                    .await
            }
        }
    }

    /// Ends subscriptions. Those that are not there are passed over.
    pub(super) async fn unsubscribe(&mut self, names: Vec<Name>, reference: Option<Reference>) -> Result<(), Ending> {
        let (channels, unknown) = sort_out(&names);
        if !unknown.is_empty() {
            self.refuse(reference.clone(), &Reason::UnknownChannels(unknown))
                .await?;
        }
        self.feed.remove(&channels);
        self.presence.set_channels(self.feed.channels());
        match reference {
            Some(reference) => {
                self.reply(&Reply::Unsubscribed {
                    reference,
                    unsubscribed: channels,
                })
                .await
            }
            None => Ok(()),
        }
    }

    fn num_channels_with(&self, wanted: &[Channel]) -> usize {
        let others = self.feed.channels().filter(|channel| !wanted.contains(channel));
        others.count() + wanted.len()
    }

    /// Replays what the client has missed, subscribes, replays what came in between, and says how it went.
    async fn go_live(
        &mut self,
        channels: &[Channel],
        subscribe: &Subscribe,
    ) -> Result<BTreeMap<Channel, Subscribed>, Stop> {
        let filter = subscribe.filter.clone().unwrap_or_default();
        let mut outcomes = Vec::new();
        for channel in channels {
            outcomes.push(self.replay_since(*channel, &filter, subscribe).await?);
        }
        let wanted = channels.iter().map(|channel| (*channel, filter.clone())).collect();
        let tops = self.add(wanted).await?;
        let mut subscribed = BTreeMap::new();
        for ((channel, top), outcome) in tops.into_iter().zip(outcomes) {
            let outcome = self.finish(channel, &filter, top, outcome).await?;
            subscribed.insert(channel, Subscribed::new(self.feed.bus().epoch(), top, outcome));
        }
        self.presence.set_channels(self.feed.channels());
        Ok(subscribed)
    }

    /// Replays a channel as far as the store has it, before anything is queued: a long replay must not fill the queue.
    async fn replay_since(
        &mut self,
        channel: Channel,
        filter: &Filter,
        subscribe: &Subscribe,
    ) -> Result<Outcome, Stop> {
        let Some(since) = subscribe.since.as_ref().and_then(|since| since.of(channel)) else {
            return Ok(Outcome::Live);
        };
        if subscribe
            .epoch
            .as_deref()
            .is_some_and(|epoch| epoch != self.feed.bus().epoch())
        {
            return Ok(Outcome::OtherEpoch);
        }
        self.feed.set_position(
            channel,
            Position {
                last: since,
                filter: filter.clone(),
            },
        );
        self.catch_up(channel, None).await
    }
}

/// Tells channels from names that are none.
fn sort_out(names: &[Name]) -> (Vec<Channel>, Vec<String>) {
    let unknown = names
        .iter()
        .filter(|name| name.channel.is_none())
        .map(|name| name.text.clone());
    (
        names.iter().filter_map(|name| name.channel).collect(),
        unknown.collect(),
    )
}
