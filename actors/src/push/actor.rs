//! Has what was pushed built: `push` under `app`.
//!
//! It owns nothing. What is wished is in rows, and a look takes each of them whose deployment builds nothing else; the
//! others are looked at again soon. While the actor is down wishes wait, and its next incarnation begins with a look.

use std::time::Duration;

use ractor::{Actor, ActorProcessingErr, ActorRef, MessagingErr};
use tokio::task::JoinHandle;

use crate::{
    Error,
    deployments::Deployments,
    store::{Store, push},
    supervision,
};

/// The actor's path.
pub const PATH: &str = "push";
/// The pause before a deployment is looked at again that was building.
const BUILDING_PAUSE: Duration = Duration::from_millis(500);
/// The pause before the database is asked again after it did not answer.
const DATABASE_PAUSE: Duration = Duration::from_secs(5);

/// What the actor can be asked.
#[derive(Debug)]
pub enum Message {
    /// Look at what is wished.
    Look,
}

impl supervision::Message for Message {
    fn kind(&self) -> &'static str {
        match self {
            Self::Look => "look",
        }
    }
}

/// What the actor is given.
#[derive(Clone)]
pub struct Args {
    /// Where the rows are.
    pub store: Store,
    /// Is told which deployments have a release to build.
    pub deployments: Deployments,
}

/// The actor.
pub struct PushActor;

/// What the actor holds.
pub struct State {
    args: Args,
    myself: ActorRef<Message>,
    /// Brings the next look; one is enough.
    reminder: Option<JoinHandle<Result<(), MessagingErr<Message>>>>,
}

impl Actor for PushActor {
    type Msg = Message;
    type State = State;
    type Arguments = Args;

    async fn pre_start(&self, myself: ActorRef<Message>, args: Args) -> Result<State, ActorProcessingErr> {
        myself.cast(Message::Look)?;
        Ok(State {
            args,
            myself,
            reminder: None,
        })
    }

    async fn handle(
        &self,
        _myself: ActorRef<Message>,
        message: Message,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            Message::Look => state.look().await,
        }
    }
}

impl State {
    async fn look(&mut self) -> Result<(), ActorProcessingErr> {
        match self.fulfil().await {
            Ok(0) => Ok(()),
            Ok(_) => {
                self.remind(BUILDING_PAUSE);
                Ok(())
            }
            // A crash would bring no database back.
            Err(Error::Database(cause)) => {
                tracing::warn!(error = %cause, "what was pushed waits for the database");
                self.remind(DATABASE_PAUSE);
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Begins the releases that can be begun, and counts those that cannot yet.
    async fn fulfil(&self) -> Result<usize, Error> {
        let mut num_waiting = 0;
        for id in push::wished(&self.args.store).await? {
            match push::fulfil(&self.args.store, id).await? {
                push::Fulfilment::Begun(release) => {
                    tracing::info!(deployment.id = %id, "deployment {id} builds release {release} of a push");
                    self.args.deployments.begun(id);
                }
                push::Fulfilment::Waits => num_waiting += 1,
                push::Fulfilment::Dropped => {}
            }
        }
        Ok(num_waiting)
    }

    fn remind(&mut self, pause: Duration) {
        if let Some(earlier) = self.reminder.take() {
            earlier.abort();
        }
        self.reminder = Some(self.myself.send_after(pause, || Message::Look));
    }
}
