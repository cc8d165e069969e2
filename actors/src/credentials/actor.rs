//! Keeps the snapshot of tokens and users fresh.
//!
//! The worker `credentials` under `app`. It owns nothing: every look is anew, and after a crash readers still have the last
//! snapshot. A database that does not answer does not end it.

use std::{sync::Arc, time::Duration};

use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
use tokio::{sync::watch, time::Instant};

use super::Snapshot;
use crate::{
    Error,
    id::TokenId,
    store::{Store, tokens},
    supervision,
};

/// The actor's path.
pub const PATH: &str = "credentials";
/// How often the rows are looked at, since other programs may change them.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// What the actor can be asked.
#[derive(Debug)]
pub enum Message {
    /// Look at the rows.
    Look,
    /// Look at the rows and say when that is done.
    Sync {
        /// Is told when what was written before is seen.
        reply: RpcReplyPort<()>,
    },
    /// Write down that a token was used.
    RecordUse {
        /// The token.
        token: TokenId,
    },
}

impl supervision::Message for Message {
    fn kind(&self) -> &'static str {
        match self {
            Self::Look => "look",
            Self::Sync { .. } => "sync",
            Self::RecordUse { .. } => "record_use",
        }
    }
}

/// What the actor is given.
#[derive(Clone)]
pub struct Args {
    pub(super) store: Store,
    /// Is told of every change.
    pub(super) snapshots: watch::Sender<Arc<Snapshot>>,
    /// Is told of every look.
    pub(super) checked_at: watch::Sender<Instant>,
}

/// The actor.
pub struct Keeper;

impl Actor for Keeper {
    type Msg = Message;
    type State = Args;
    type Arguments = Args;

    async fn pre_start(&self, myself: ActorRef<Message>, args: Args) -> Result<Args, ActorProcessingErr> {
        myself.cast(Message::Look)?;
        Ok(args)
    }

    async fn handle(
        &self,
        myself: ActorRef<Message>,
        message: Message,
        args: &mut Args,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            Message::Look => {
                args.look().await;
                // Planned again when it is done, so that none pile up while the database is slow.
                myself.send_after(LOOK_EVERY, || Message::Look);
            }
            Message::Sync { reply } => {
                args.look().await;
                // Whoever asked may have stopped waiting.
                let _ = reply.send(());
            }
            Message::RecordUse { token } => report(tokens::record_use(&args.store, token).await),
        }
        Ok(())
    }
}

impl Args {
    async fn look(&self) {
        let began_at = Instant::now();
        match Snapshot::take(&self.store).await {
            Ok(snapshot) => {
                self.snapshots.send_if_modified(|known| {
                    let is_new = **known != snapshot;
                    if is_new {
                        *known = Arc::new(snapshot);
                    }
                    is_new
                });
                self.checked_at.send_replace(began_at);
            }
            Err(error) => report(Err(error)),
        }
    }
}

/// A database that is away is told of by who watches it.
fn report(result: Result<(), Error>) {
    if let Err(error) = result {
        tracing::debug!(%error, "tokens and users were not looked at");
    }
}
