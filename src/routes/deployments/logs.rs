//! What a deployment printed and prints.

use std::{
    convert::Infallible,
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
};

use borgos_actors::{
    id::DeploymentId,
    logs::{LogLine, Selection},
};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use warp::{Filter, filters::BoxedFilter, http::header::ACCEPT, reply::Response};

use super::below;
use crate::{
    app::App,
    guard::PeerAddr,
    problem::Problem,
    query::{self, Query},
    reply::{self, Reply},
    routes::{answer, with},
};

/// How many lines are shown when the client does not say.
pub(crate) const DEFAULT_TAIL: u64 = 100;
/// How many lines a client may ask for.
pub(crate) const MAX_TAIL: u64 = 10_000;
pub(crate) const NDJSON: &str = "application/x-ndjson";
pub(crate) const FORMATS: [(&str, Format); 2] = [("text", Format::Text), ("json", Format::Json)];

/// How lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// As they were printed.
    Text,
    /// An object a line, with time, release and stream.
    Json,
}

/// Returns the filters of this resource.
pub(super) fn routes(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    below("logs")
        .and(warp::get())
        .and(query::strict(&["tail", "since", "release", "follow", "format"]))
        .and(warp::header::optional(ACCEPT.as_str()))
        .and(reader())
        .and(with(app))
        .then(logs)
        .map(answer)
        .boxed()
}

/// Where a request comes from; those that a tool makes come from here.
fn reader() -> impl Filter<Extract = (IpAddr,), Error = Infallible> + Clone {
    let here = IpAddr::from(Ipv4Addr::LOCALHOST);
    warp::ext::optional::<PeerAddr>().map(move |peer: Option<PeerAddr>| peer.map_or(here, |peer| peer.0.ip()))
}

/// GET /api/v1/deployments/{id}/logs
///
/// A follower is sent what comes until it hangs up, the deployment is deleted or the service stops.
async fn logs(id: i64, query: Query, accept: Option<String>, reader: IpAddr, app: Arc<App>) -> Result<Reply, Problem> {
    let selection = Selection {
        release: query.id("release")?,
        tail: query.number("tail", 0, MAX_TAIL)?.unwrap_or(DEFAULT_TAIL) as usize,
        since: query.time("since")?,
    };
    let format = match query.choice("format", &FORMATS)? {
        Some(format) => format,
        None if accept.is_some_and(|accept| accept.contains(NDJSON)) => Format::Json,
        None => Format::Text,
    };
    let is_followed = query.boolean("follow")?.unwrap_or(false);
    let log = app.system.deployments.log(DeploymentId(id), selection, reader).await?;
    let first = format.write(&log.lines);
    if !is_followed {
        return Ok(reply::raw(format.content_type(), first));
    }
    let sessions = app.sessions.clone();
    let coming = log.follow().map(move |lines| lines.map(|lines| format.write(&lines)));
    let coming = coming.take_until(Box::pin(async move { sessions.closing().await }));
    let chunks = stream::iter([Ok(first)]).chain(coming);
    Ok(reply::stream(format.content_type(), chunks))
}

impl Format {
    fn content_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; charset=utf-8",
            Self::Json => NDJSON,
        }
    }

    fn write(self, lines: &[LogLine]) -> Bytes {
        let mut text = String::new();
        for line in lines {
            match self {
                Self::Text => text.push_str(&line.message),
                Self::Json => text.push_str(&serde_json::json!(line).to_string()),
            }
            text.push('\n');
        }
        text.into()
    }
}
