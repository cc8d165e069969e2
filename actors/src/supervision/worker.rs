//! The wrapper that every actor of the tree runs in: span, meter and count, so that no actor can forget them.

use std::sync::Arc;

use ractor::{Actor, ActorProcessingErr, ActorRef, SupervisionEvent};
use tracing::{Instrument, Span, info_span};

use super::{handle::Queued, record::Record};

/// A message of a supervised actor.
pub trait Message: ractor::Message {
    /// Names the sort of message for operators and logs: the variant in snake case.
    fn kind(&self) -> &'static str;
}

/// An actor with everything around it that is the same for all. It speaks the actor's own messages, so that the
/// `myself` that the actor gets is what it expects.
pub(super) struct Supervised<A> {
    actor: A,
    record: Arc<Record>,
    queued: Queued,
    generation: u64,
}

impl<A> Supervised<A> {
    pub(super) fn new(actor: A, record: Arc<Record>, queued: Queued) -> Self {
        let generation = record.generation();
        Self {
            actor,
            record,
            queued,
            generation,
        }
    }

    async fn run<F: Future>(&self, kind: &'static str, step: F) -> F::Output {
        self.record
            .meter()
            .measure(kind, step)
            .instrument(self.span(kind))
            .await
    }

    fn span(&self, kind: &'static str) -> Span {
        info_span!(
            "message",
            actor.path = self.record.path(),
            actor.kind = self.record.kind(),
            message = kind,
            generation = self.generation
        )
    }
}

impl<A> Actor for Supervised<A>
where
    A: Actor,
    A::Msg: Message,
{
    type Msg = A::Msg;
    type State = A::State;
    type Arguments = A::Arguments;

    async fn pre_start(
        &self,
        myself: ActorRef<Self::Msg>,
        args: Self::Arguments,
    ) -> Result<Self::State, ActorProcessingErr> {
        self.run("pre_start", self.actor.pre_start(myself, args)).await
    }

    async fn post_start(&self, myself: ActorRef<Self::Msg>, state: &mut Self::State) -> Result<(), ActorProcessingErr> {
        self.run("post_start", self.actor.post_start(myself, state)).await
    }

    async fn handle(
        &self,
        myself: ActorRef<Self::Msg>,
        message: Self::Msg,
        state: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        self.queued.take_one();
        let handled = self
            .run(message.kind(), self.actor.handle(myself, message, state))
            .await;
        self.record.meter().count_handled();
        handled
    }

    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<Self::Msg>,
        event: SupervisionEvent,
        state: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        self.run(
            "supervision_event",
            self.actor.handle_supervisor_evt(myself, event, state),
        )
        .await
    }

    async fn post_stop(&self, myself: ActorRef<Self::Msg>, state: &mut Self::State) -> Result<(), ActorProcessingErr> {
        self.run("post_stop", self.actor.post_stop(myself, state)).await
    }
}
