//! The live stream's entrance.

use std::sync::Arc;

use hyper::upgrade::OnUpgrade;
use warp::{Filter, Reply, filters::BoxedFilter, http::HeaderMap, reply::Response};

use super::with;
use crate::{
    app::App,
    guard::auth::Caller,
    problem::Problem,
    ws::{self, Refusal, Viewer},
};

/// Returns the filter of `/ws`.
pub(super) fn routes(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    warp::path!("ws")
        .and(warp::get())
        .and(warp::header::headers_cloned())
        .and(warp::ext::optional())
        .and(warp::ext::get())
        .and(with(app))
        .map(connect)
        .boxed()
}

/// GET /ws
fn connect(headers: HeaderMap, on_upgrade: Option<OnUpgrade>, caller: Caller, app: Arc<App>) -> Response {
    let viewer = Viewer::new(caller, app.system.credentials.clone());
    match ws::upgrade(&headers, on_upgrade, &app.sessions, viewer) {
        Ok(response) => response.map(|()| Response::default().into_body()),
        Err(refusal) => refused(refusal),
    }
}

fn refused(refusal: Refusal) -> Response {
    let problem = Problem::new(refusal.status(), refusal.code(), refusal.to_string());
    let mut response = problem.into_response();
    if let Some((name, value)) = refusal.header() {
        response.headers_mut().insert(name, value);
    }
    response
}
