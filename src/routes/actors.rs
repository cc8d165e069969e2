//! The actors, for those who operate BorgOS.

use std::{sync::Arc, time::Duration};

use borgos_actors::Error;
use warp::{Filter, Rejection, filters::BoxedFilter, path::Tail, reject, reply::Response};

use super::{answer, with};
use crate::{
    app::App,
    problem::Problem,
    query::{self, unescape},
    reply::{self, Reply},
};

/// How long an actor may take to work off what it has accepted before it is killed.
const DRAIN_PATIENCE: Duration = Duration::from_secs(10);

/// Returns the filters of this resource. An actor's path has slashes, so the rest of the URL is taken as a whole.
pub(super) fn routes(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    let path = || warp::path!("api" / "v1" / "actors" / ..).and(warp::path::tail());

    let list = warp::path!("api" / "v1" / "actors")
        .and(warp::get())
        .and(query::none())
        .and(with(app))
        .then(list);
    let show = path().and(warp::get()).and(query::none()).and(with(app)).then(show);
    let restart = path()
        .and_then(without_verb)
        .and(warp::post())
        .and(query::none())
        .and(with(app))
        .then(restart);
    list.or(show).unify().or(restart).unify().map(answer).boxed()
}

/// GET /api/v1/actors
async fn list(app: Arc<App>) -> Result<Reply, Problem> {
    Ok(reply::ok(&app.system.tree.view()))
}

/// GET /api/v1/actors/{path}
async fn show(path: Tail, app: Arc<App>) -> Result<Reply, Problem> {
    let path = unescape(path.as_str()).unwrap_or_default();
    let actor = app.system.tree.actor(&path);
    let actor = actor.ok_or(Error::NotFound {
        kind: "Actor",
        id: path,
    })?;
    Ok(reply::ok(&actor))
}

/// POST /api/v1/actors/{path}/restart
async fn restart(path: String, app: Arc<App>) -> Result<Reply, Problem> {
    Ok(reply::ok(&app.system.tree.restart(&path, DRAIN_PATIENCE).await?))
}

async fn without_verb(path: Tail) -> Result<String, Rejection> {
    let actor = path.as_str().strip_suffix("/restart").and_then(unescape);
    actor.ok_or_else(reject::not_found)
}
