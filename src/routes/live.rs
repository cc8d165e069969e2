//! The live stream's entrance.

use std::sync::Arc;

use hyper::upgrade::OnUpgrade;
use warp::{Filter, Reply as _, filters::BoxedFilter, http::HeaderMap, reply::Response};

use super::{answer, with};
use crate::{
    app::App,
    guard::audit::Requester,
    problem::Problem,
    query::{self, Query},
    reply::{self, Reply},
    ws::{self, Refusal, Viewer},
};

/// Returns the filters of `/ws`, and of those who are connected to it.
pub(super) fn routes(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    let connect = warp::path!("ws")
        .and(warp::get())
        .and(warp::header::headers_cloned())
        .and(warp::ext::optional())
        .and(warp::ext::get())
        .and(with(app))
        .map(connect);
    let clients = warp::path!("api" / "v1" / "ws" / "clients")
        .and(warp::get())
        .and(query::strict(&["limit", "offset"]))
        .and(with(app))
        .then(clients)
        .map(answer);
    connect.or(clients).unify().boxed()
}

/// GET /ws
fn connect(headers: HeaderMap, on_upgrade: Option<OnUpgrade>, requester: Requester, app: Arc<App>) -> Response {
    let viewer = viewer(requester, &app);
    match ws::upgrade(&headers, on_upgrade, &app.sessions, viewer) {
        Ok(response) => response.map(|()| Response::default().into_body()),
        Err(refusal) => refused(refusal),
    }
}

/// GET /api/v1/ws/clients
async fn clients(query: Query, app: Arc<App>) -> Result<Reply, Problem> {
    Ok(reply::page_of(&app.sessions.clients(), &query.page()?))
}

/// Lets who asked read for as long as their credential holds.
pub(super) fn viewer(requester: Requester, app: &App) -> Viewer {
    Viewer::new(requester.caller, requester.address, app.system.credentials.clone())
}

fn refused(refusal: Refusal) -> Response {
    let problem = Problem::new(refusal.status(), refusal.code(), refusal.to_string());
    let mut response = problem.into_response();
    if let Some((name, value)) = refusal.header() {
        response.headers_mut().insert(name, value);
    }
    response
}
