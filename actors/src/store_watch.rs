//! Watches the database and keeps it small.
//!
//! The worker `store-watch`, first child of the root. It owns nothing: every look is anew. A database that does not
//! answer ends neither it nor the tree, since that would help nobody; it is told to whoever holds the watch channel, and
//! `/health` says it.

use std::time::Duration;

use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::{sync::watch, time::timeout};
use tracing::{info, warn};

use crate::{
    Error,
    store::{Store, audit, events, mcp_queries, webhooks::deliveries},
    supervision,
};

/// How often the database is asked whether it is there.
const PING_EVERY: Duration = Duration::from_secs(5);
/// How long it may take to answer that.
const PING_PATIENCE: Duration = Duration::from_secs(3);
/// How often old rows are removed.
const PRUNE_EVERY: Duration = Duration::from_secs(3600);
/// Events are kept for a week, so that a client that was away over a weekend can resume.
const EVENT_AGE: Duration = Duration::from_secs(7 * 24 * 3600);
/// More events than this are not kept in one channel.
const EVENTS_PER_CHANNEL: u64 = 100_000;

/// The audit log is kept for a year.
const AUDIT_AGE: Duration = Duration::from_secs(365 * 24 * 3600);
/// Queries in plain words are kept for a month.
const QUERY_AGE: Duration = Duration::from_secs(30 * 24 * 3600);
/// Messages to webhooks that are not sent any more are kept for as long as the events that they tell of.
const DELIVERY_AGE: Duration = EVENT_AGE;

/// What the actor can be asked.
#[derive(Debug)]
pub enum Message {
    /// Ask the database whether it is there.
    Ping,
    /// Remove what is too old.
    Prune,
}

impl supervision::Message for Message {
    fn kind(&self) -> &'static str {
        match self {
            Self::Ping => "ping",
            Self::Prune => "prune",
        }
    }
}

/// What the actor is given.
#[derive(Clone)]
pub struct Args {
    /// The database.
    pub store: Store,
    /// Is told whether the database answers.
    pub is_reachable: watch::Sender<bool>,
}

/// The actor.
pub struct StoreWatch;

impl Actor for StoreWatch {
    type Msg = Message;
    type State = Args;
    type Arguments = Args;

    async fn pre_start(&self, myself: ActorRef<Message>, args: Args) -> Result<Args, ActorProcessingErr> {
        myself.cast(Message::Ping)?;
        myself.cast(Message::Prune)?;
        Ok(args)
    }

    async fn handle(
        &self,
        myself: ActorRef<Message>,
        message: Message,
        args: &mut Args,
    ) -> Result<(), ActorProcessingErr> {
        // Each is planned again when it is done, so that none pile up while the database is slow.
        match message {
            Message::Ping => {
                args.ping().await;
                myself.send_after(PING_EVERY, || Message::Ping);
            }
            Message::Prune => {
                args.prune().await;
                myself.send_after(PRUNE_EVERY, || Message::Prune);
            }
        }
        Ok(())
    }
}

impl Args {
    async fn ping(&self) {
        let answer = match timeout(PING_PATIENCE, self.store.ping()).await {
            Ok(answer) => answer,
            Err(_) => Err(Error::Timeout {
                actor: "database".to_owned(),
                after: PING_PATIENCE,
            }),
        };
        let was_reachable = self.is_reachable.send_replace(answer.is_ok());
        match (was_reachable, answer) {
            (true, Err(error)) => warn!(error = &error as &dyn std::error::Error, "the database does not answer"),
            (false, Ok(())) => info!("the database answers again"),
            (true, Ok(())) | (false, Err(_)) => {}
        }
    }

    async fn prune(&self) {
        let events = events::prune(&self.store, EVENT_AGE, EVENTS_PER_CHANNEL).await;
        report("events", events);
        let queries = mcp_queries::prune(&self.store, QUERY_AGE).await;
        report("queries", queries);
        let deliveries = deliveries::prune(&self.store, DELIVERY_AGE).await;
        report("deliveries", deliveries);
        let entries = audit::prune(&self.store, AUDIT_AGE).await;
        report("entries of the audit log", entries);
    }
}

fn report(kind: &str, pruned: Result<u64, Error>) {
    match pruned {
        Ok(0) => {}
        Ok(num_rows) => info!(num_rows, "removed {num_rows} old {kind}"),
        Err(error) => warn!(
            error = &error as &dyn std::error::Error,
            "old {kind} could not be removed"
        ),
    }
}
