//! Hints about changes, from the engine's event stream.

use std::{collections::HashMap, sync::Arc, time::Duration};

use bollard::{errors::Error as ClientError, models::EventMessage, query_parameters::EventsOptionsBuilder};
use chrono::Utc;
use futures_util::stream::{self, BoxStream, StreamExt};
use tokio::time::{sleep, timeout};
use uuid::Uuid;

use super::{
    connect::{Connection, QUICK, failed, within},
    labels,
};
use crate::{
    id::DeploymentId,
    runtime::{Change, Error},
};

/// What of a container's life is of interest.
const ACTIONS: [&str; 4] = ["start", "die", "destroy", "oom"];
/// After so long a silence the connection is made anew: a dead one is silent too.
const MAX_SILENCE: Duration = Duration::from_secs(60);
/// The engine replays its latest events from here on, so that none falls between two connections.
const OVERLAP_SECONDS: i64 = 2;
const FIRST_DELAY: Duration = Duration::from_millis(250);
const MAX_DELAY: Duration = Duration::from_secs(5);

type Events = BoxStream<'static, Result<EventMessage, ClientError>>;

struct Watch {
    connection: Arc<Connection>,
    instance: Uuid,
    events: Option<Events>,
    /// How long to wait before the next attempt, after one that failed.
    delay: Duration,
}

/// Streams hints, for ever: an engine that went away is waited for.
pub(super) fn changes(connection: Arc<Connection>, instance: Uuid) -> BoxStream<'static, Change> {
    let watch = Watch {
        connection,
        instance,
        events: None,
        delay: Duration::ZERO,
    };
    stream::unfold(watch, |mut watch| async {
        let change = watch.next().await;
        Some((change, watch))
    })
    .boxed()
}

impl Watch {
    async fn next(&mut self) -> Change {
        loop {
            let Some(events) = &mut self.events else {
                if self.reconnect().await {
                    return Change::Everything;
                }
                continue;
            };
            match timeout(MAX_SILENCE, events.next()).await {
                Ok(Some(Ok(event))) => {
                    self.delay = Duration::ZERO;
                    if let Some(deployment) = deployment_of(event) {
                        return Change::Deployment(deployment);
                    }
                }
                Ok(Some(Err(cause))) => self.lose(&failed(cause).to_string()),
                Ok(None) => self.lose("it was closed"),
                Err(_) => {
                    self.delay = Duration::ZERO;
                    self.lose("it was silent");
                }
            }
        }
    }

    fn lose(&mut self, reason: &str) {
        tracing::debug!(reason, "the engine's event stream has ended: {reason}");
        self.events = None;
    }

    /// Subscribes once the engine answers. The subscription begins before now, so whoever looks at everything after this
    /// misses nothing.
    async fn reconnect(&mut self) -> bool {
        sleep(self.delay).await;
        let subscribed = subscribe(Arc::clone(&self.connection), self.instance).await;
        // Grows until an event arrives: an engine that answers and drops streams is not hammered.
        self.delay = (self.delay * 2).clamp(FIRST_DELAY, MAX_DELAY);
        match subscribed {
            Ok(events) => {
                self.events = Some(events);
                true
            }
            Err(cause) => {
                tracing::debug!(error = %cause, "the engine cannot be watched: {cause}");
                false
            }
        }
    }
}

async fn subscribe(connection: Arc<Connection>, instance: Uuid) -> Result<Events, Error> {
    let client = connection.client()?;
    within(QUICK, client.ping()).await.map_err(failed)?;
    let since = Utc::now().timestamp() - OVERLAP_SECONDS;
    let filters = HashMap::from([
        ("type", vec!["container".to_owned()]),
        ("event", ACTIONS.map(str::to_owned).to_vec()),
        ("label", vec![format!("{}={}", labels::INSTANCE, instance)]),
    ]);
    let options = EventsOptionsBuilder::default()
        .since(&since.to_string())
        .filters(&filters)
        .build();
    Ok(client.events(Some(options)).boxed())
}

fn deployment_of(event: EventMessage) -> Option<DeploymentId> {
    let labels = event.actor?.attributes?;
    labels.get(labels::DEPLOYMENT)?.parse().ok().map(DeploymentId)
}
