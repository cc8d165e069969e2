//! Finds out whether the kernel killed a container for its memory where the engine's own flag does not say so.
//!
//! The engine hears of the exit and of the kill in two ways. When the kill is heard second, the container's `OOMKilled`
//! stays false for ever, but the engine still emits an `oom` event, and it can be asked for recent events.

use std::{collections::HashMap, time::Duration};

use bollard::{Docker as Client, models::ContainerInspectResponse, query_parameters::EventsOptionsBuilder};
use chrono::{TimeDelta, Utc};
use futures_util::StreamExt;
use tokio::time::timeout;

use crate::runtime::{Exit, InstanceState, Observation};

/// How long after an exit its `oom` event may still come.
const LATENESS: TimeDelta = TimeDelta::milliseconds(1_000);
/// How long before its exit a program may have been out of memory: its init process ends a little later.
const HEAD_START: TimeDelta = TimeDelta::seconds(5);
/// The engine ends the list of events itself; this is for one that hangs.
const DEADLINE: Duration = Duration::from_secs(3);

/// Corrects the observation of a container that has just been killed and whose memory is limited.
pub(super) async fn complete(client: &Client, container: &ContainerInspectResponse, seen: Observation) -> Observation {
    let InstanceState::Exited(exit) = &seen.state else {
        return seen;
    };
    if exit.is_oom || exit.code != Exit::KILLED || !is_limited(container) {
        return seen;
    }
    let is_oom = has_oom_event(client, &seen.instance.0, exit).await;
    let exit = Exit { is_oom, ..exit.clone() };
    Observation {
        state: InstanceState::Exited(exit),
        ..seen
    }
}

fn is_limited(container: &ContainerInspectResponse) -> bool {
    let memory = container.host_config.as_ref().and_then(|config| config.memory);
    memory.is_some_and(|bytes| bytes > 0)
}

/// Asks for the events around the exit. An engine that does not tell leaves the flag as it is.
async fn has_oom_event(client: &Client, container: &str, exit: &Exit) -> bool {
    let until = (exit.at + LATENESS).min(Utc::now() + LATENESS);
    let filters = HashMap::from([
        ("type", vec!["container".to_owned()]),
        ("event", vec!["oom".to_owned()]),
        ("container", vec![container.to_owned()]),
    ]);
    let options = EventsOptionsBuilder::default()
        .since(&(exit.at - HEAD_START).timestamp().to_string())
        .until(&format!("{}.{:09}", until.timestamp(), until.timestamp_subsec_nanos()))
        .filters(&filters)
        .build();
    let mut events = client.events(Some(options));
    match timeout(DEADLINE, events.next()).await {
        Ok(Some(Ok(_))) => true,
        Ok(None) => false,
        Ok(Some(Err(error))) => {
            tracing::warn!(%error, container, "whether a container ran out of memory could not be asked");
            false
        }
        Err(_) => {
            tracing::warn!(
                container,
                "the engine did not say in time whether a container ran out of memory"
            );
            false
        }
    }
}
