//! The files of the dashboard.

use warp::{Filter, Reply, filters::BoxedFilter, http::HeaderMap, path::Tail, reply::Response};

use crate::{dashboard, problem::Problem, query::unescape};

/// Returns the filters of the dashboard. They take any query: it changes nothing.
pub(super) fn routes() -> BoxedFilter<(Response,)> {
    let page = warp::path::end()
        .and(warp::get())
        .and(warp::header::headers_cloned())
        .map(page);
    let asset = warp::path!("assets" / ..)
        .and(warp::path::tail())
        .and(warp::get())
        .and(warp::header::headers_cloned())
        .map(asset);
    page.or(asset).unify().map(Reply::into_response).boxed()
}

/// GET /
fn page(headers: HeaderMap) -> Result<Response, Problem> {
    dashboard::page(&headers)
}

/// GET /assets/{file}
fn asset(path: Tail, headers: HeaderMap) -> Result<Response, Problem> {
    let path = unescape(path.as_str()).ok_or_else(Problem::unknown_path)?;
    dashboard::file(&path, &headers)
}
