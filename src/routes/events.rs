//! The events of the live stream over plain HTTP.

use std::sync::Arc;

use borgos_actors::event_bus::{Channel, Filter as EventFilter, UnknownChannel};
use futures_util::StreamExt;
use serde_json::{Map, Value};
use warp::{
    Filter,
    filters::BoxedFilter,
    http::{HeaderMap, StatusCode, header::ACCEPT},
    reply::Response,
};

use super::{answer, live::viewer, with};
use crate::{
    app::App,
    events::{self, Cursor, Wanted},
    guard::audit::Requester,
    problem::Problem,
    query::{self, Query},
    reply::{self, Reply},
    ws::Viewer,
};

pub(crate) const EVENT_STREAM: &str = "text/event-stream";
const LAST_EVENT_ID: &str = "last-event-id";
/// How many events a page has when the client does not say, and how many it may ask for.
pub(crate) const DEFAULT_EVENTS: u64 = 100;
pub(crate) const MAX_EVENTS: u64 = 1000;

/// Returns the filter of this resource.
pub(super) fn routes(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    warp::path!("api" / "v1" / "events")
        .and(warp::get())
        .and(query::strict(&["channels", "since", "filter", "limit"]))
        .and(warp::header::headers_cloned())
        .and(warp::ext::get())
        .and(with(app))
        .then(list)
        .map(answer)
        .boxed()
}

/// GET /api/v1/events
///
/// A client that takes `text/event-stream` is sent what comes until it hangs up, is too slow, loses its credential or the
/// service stops.
async fn list(query: Query, headers: HeaderMap, requester: Requester, app: Arc<App>) -> Result<Reply, Problem> {
    let bus = app.sessions.bus();
    let mut viewer = viewer(requester, &app);
    let channels = channels(&query, &viewer)?;
    let wanted = Wanted {
        since: since(&query, &headers, bus.epoch(), &channels)?,
        filter: filter(&query)?,
        channels,
    };
    let limit = query.number("limit", 1, MAX_EVENTS)?;
    if !accepts_stream(&headers) {
        let limit = usize::try_from(limit.unwrap_or(DEFAULT_EVENTS)).unwrap_or(usize::MAX);
        return Ok(reply::ok(&events::page(bus, &wanted, limit).await?));
    }
    if limit.is_some() {
        return Err(Problem::invalid_field("limit", "is for pages; a stream has no end"));
    }
    let coming = events::follow(bus.clone(), wanted).await?;
    let sessions = app.sessions.clone();
    let ending = async move {
        tokio::select! {
            () = sessions.closing() => {}
            () = viewer.lost() => {}
        }
    };
    let coming = coming.take_until(Box::pin(ending));
    Ok(reply::stream(EVENT_STREAM, coming))
}

fn accepts_stream(headers: &HeaderMap) -> bool {
    let values = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    values
        .flat_map(|value| value.split(','))
        .any(|kind| kind.trim().starts_with(EVENT_STREAM))
}

/// Reads the channels; without any all are meant that the caller may read and that are not of a single subject.
fn channels(query: &Query, viewer: &Viewer) -> Result<Vec<Channel>, Problem> {
    let parse = |text: &str| -> Result<Vec<Channel>, Problem> {
        let parsed: Result<_, UnknownChannel> = text.split(',').map(str::parse).collect();
        parsed.map_err(|unknown| Problem::invalid_field("channels", unknown.to_string()))
    };
    let Some(text) = query.text("channels")? else {
        let mut all = parse(&Channel::NAMES.join(","))?;
        all.retain(|channel| viewer.may_read(*channel));
        return Ok(all);
    };
    let mut channels = parse(text)?;
    if let Some(channel) = channels.iter().find(|channel| !viewer.may_read(**channel)) {
        let message = format!("this credential may not read the channel `{channel}`");
        return Err(Problem::new(StatusCode::FORBIDDEN, "INSUFFICIENT_SCOPE", message));
    }
    channels.sort_unstable();
    channels.dedup();
    Ok(channels)
}

/// Reads where to begin: what the client says that it got last, else what was asked for.
fn since(query: &Query, headers: &HeaderMap, epoch: &str, channels: &[Channel]) -> Result<Option<Cursor>, Problem> {
    let last = headers.get(LAST_EVENT_ID).and_then(|value| value.to_str().ok());
    let (name, text) = match last.filter(|id| !id.is_empty()) {
        Some(id) => ("Last-Event-ID", Some(id)),
        None => ("since", query.text("since")?),
    };
    let cursor = text.map(|text| Cursor::parse(text, epoch, channels)).transpose();
    cursor.map_err(|cause| Problem::invalid_field(name, cause.to_string()))
}

/// Reads `key:value,key:value`, where a value is a number, `true`, `false`, `null` or else a text.
fn filter(query: &Query) -> Result<EventFilter, Problem> {
    let invalid = |reason: String| Problem::invalid_field("filter", reason);
    let mut keys = Map::new();
    for part in query
        .text("filter")?
        .unwrap_or_default()
        .split(',')
        .filter(|part| !part.is_empty())
    {
        let (key, value) = part
            .split_once(':')
            .ok_or_else(|| invalid("must be pairs such as `project_id:7`, separated by commas".to_owned()))?;
        let value = serde_json::from_str(value).unwrap_or_else(|_| Value::from(value));
        keys.insert(key.to_owned(), value);
    }
    EventFilter::try_from(keys).map_err(|cause| invalid(cause.to_string()))
}
