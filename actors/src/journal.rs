//! Publishes what happens to the actors as events of the channel `actors`.
//!
//! The worker `journal` under `app`. It owns nothing. What it is told while the database is away is lost, as the log
//! has it too.

use ractor::{Actor, ActorProcessingErr, ActorRef};
use serde_json::json;
use tracing::warn;

use crate::{
    event_bus,
    store::{
        Store,
        events::{self, NewEvent},
    },
    supervision::{self, Handle, Happening, Lifecycle},
};

/// What the actor can be asked.
#[derive(Debug)]
pub enum Message {
    /// Publish these.
    Record(Vec<Lifecycle>),
}

impl supervision::Message for Message {
    fn kind(&self) -> &'static str {
        match self {
            Self::Record(_) => "record",
        }
    }
}

/// What the actor is given.
#[derive(Clone)]
pub struct Args {
    /// Where the events are written.
    pub store: Store,
    /// Is told that there are new events.
    pub events: Handle<event_bus::Message>,
}

/// The actor.
pub struct Journal;

impl Actor for Journal {
    type Msg = Message;
    type State = Args;
    type Arguments = Args;

    async fn pre_start(&self, _myself: ActorRef<Message>, args: Args) -> Result<Args, ActorProcessingErr> {
        Ok(args)
    }

    async fn handle(
        &self,
        _myself: ActorRef<Message>,
        message: Message,
        args: &mut Args,
    ) -> Result<(), ActorProcessingErr> {
        let Message::Record(happened) = message;
        let written = events::record(&args.store, happened.iter().map(event).collect()).await;
        if let Err(error) = written.and_then(|()| args.events.cast(event_bus::Message::Nudge)) {
            warn!(
                error = &error as &dyn std::error::Error,
                "what happened to actors was not published"
            );
        }
        Ok(())
    }
}

fn event(lifecycle: &Lifecycle) -> NewEvent {
    let kind = match lifecycle.what {
        Happening::Started => "actor_started",
        Happening::Exited { .. } => "actor_exited",
        Happening::Restarting { .. } => "actor_restarting",
        Happening::Stuck { .. } => "actor_stuck",
        Happening::GaveUp { .. } => "actor_gave_up",
    };
    NewEvent {
        channel: events::ACTORS,
        subject: None,
        kind,
        data: json!(lifecycle),
    }
}
