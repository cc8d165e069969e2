//! The live stream's entrance.

use std::{convert::Infallible, sync::Arc};

use hyper::upgrade::OnUpgrade;
use warp::{Filter, Reply as _, filters::BoxedFilter, http::HeaderMap, reply::Response};

use super::{answer, with};
use crate::{
    app::App,
    guard::{PeerAddr, auth::Caller},
    problem::Problem,
    query::{self, Query},
    reply::{self, Reply},
    ws::{self, Refusal, Visitor},
};

/// Returns the filters of `/ws`, and of those who are connected to it.
pub(super) fn routes(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    let connect = warp::path!("ws")
        .and(warp::get())
        .and(warp::header::headers_cloned())
        .and(warp::ext::optional())
        .and(visitor())
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

/// Says who asks.
fn visitor() -> impl Filter<Extract = (Visitor,), Error = Infallible> + Clone {
    warp::ext::optional()
        .and(warp::ext::optional())
        .map(|peer: Option<PeerAddr>, caller: Option<Caller>| Visitor {
            peer: peer.map(|PeerAddr(address)| address.ip()),
            caller: caller.map(|caller| caller.name().to_string()),
        })
}

/// GET /ws
fn connect(headers: HeaderMap, on_upgrade: Option<OnUpgrade>, visitor: Visitor, app: Arc<App>) -> Response {
    match ws::upgrade(&headers, on_upgrade, &app.sessions, visitor) {
        Ok(response) => response.map(|()| Response::default().into_body()),
        Err(refusal) => refused(refusal),
    }
}

/// GET /api/v1/ws/clients
async fn clients(query: Query, app: Arc<App>) -> Result<Reply, Problem> {
    Ok(reply::page_of(&app.sessions.clients(), &query.page()?))
}

fn refused(refusal: Refusal) -> Response {
    let problem = Problem::new(refusal.status(), refusal.code(), refusal.to_string());
    let mut response = problem.into_response();
    if let Some((name, value)) = refusal.header() {
        response.headers_mut().insert(name, value);
    }
    response
}
