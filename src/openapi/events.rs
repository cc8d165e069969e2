//! What happens, as it happens.

use serde_json::json;

use super::{operation::Operation, parameter::Parameter};
use crate::{
    events::Page,
    routes::events::{DEFAULT_EVENTS, EVENT_STREAM, MAX_EVENTS},
    ws::ClientView,
};

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::new("live", "Opens the live stream")
            .describe(
                "A WebSocket. After it was opened, `{\"type\": \"subscribe\", \"channels\": [\"deployments\"]}` is \
                answered with events as they happen.",
            )
            .tells(101, "The connection speaks WebSocket from here on.", &[])
            .refuses(400, &["INVALID_HANDSHAKE"])
            .refuses(426, &["UPGRADE_REQUIRED"])
            .refuses(429, &["RATE_LIMITED"])
            .refuses(503, &["STOPPING"]),
        Operation::new("live.clients", "Lists who is connected to the live stream")
            .lists::<ClientView>("The connections, in the order in which they came."),
        list(),
    ]
}

fn list() -> Operation {
    Operation::new("events.list", "Lists events, or sends them as they happen")
        .describe(
            "A client that accepts `text/event-stream` is sent events until it hangs up, without `limit`. Others are \
            sent a page: the events after `since`, or the newest ones.",
        )
        .takes([
            Parameter::text(
                "channels",
                "Their channels, separated by commas; by default all that are not of a single subject.",
            )
            .example("deployments,errors"),
            Parameter::text("since", "Where to begin: the id of an event, or an offset."),
            Parameter::text("filter", "What their data must have: pairs, separated by commas.").example("project_id:7"),
            Parameter::number("limit", "How many at most.", 1, MAX_EVENTS, DEFAULT_EVENTS),
            Parameter::header(
                "Last-Event-ID",
                "The id of the last event that the client got, in the place of `since`.",
                json!({"type": "string"}),
            ),
        ])
        .answers::<Page>(200, "The events.")
        .example(json!({
            "events": [{
                "type": "deployment_status", "data": {"id": 1, "status": "running", "port": 8090},
                "at": "2024-01-15T10:30:00Z", "channel": "deployments", "offset": 4, "id": "0198-4",
            }],
            "last_event_id": "0198;deployments=4", "has_more": false, "recovered": true,
        }))
        .or_tells(EVENT_STREAM)
}
