//! What the API says about itself: its description for programs, and a page for people that shows it. Both are public, as
//! they say nothing that this program's source does not.

use bytes::Bytes;
use rust_embed::RustEmbed;
use warp::{Filter, Reply, filters::BoxedFilter, http::HeaderMap, reply::Response};

use super::answer;
use crate::{embedded, openapi, problem::Problem, query, reply};

/// The page takes nothing from anywhere but here, and may be part of no other page.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; \
    form-action 'none'; frame-ancestors 'none'";

#[derive(RustEmbed)]
#[folder = "src/routes/docs"]
struct Files;

/// Returns the filters of this resource. The description is written once: it stays the same as long as the program runs.
pub(super) fn routes() -> BoxedFilter<(Response,)> {
    let description = Bytes::from(openapi::document().to_string());
    let show = warp::path!("api" / "v1" / "openapi.json")
        .and(warp::get())
        .and(query::none())
        .map(move || answer(Ok(reply::raw("application/json", description.clone()))));
    let page = warp::path!("docs")
        .and(warp::get())
        .and(query::none())
        .and(warp::header::headers_cloned())
        .map(page);
    let assets = asset("script.js").or(asset("style.css")).unify();
    let files = page.or(assets).unify().map(Reply::into_response);
    show.or(files).unify().boxed()
}

/// GET /docs
fn page(headers: HeaderMap) -> Result<Response, Problem> {
    embedded::answer::<Files>("page.html", POLICY, &headers)
}

/// GET /docs/script.js, GET /docs/style.css
fn asset(name: &'static str) -> BoxedFilter<(Result<Response, Problem>,)> {
    warp::path("docs")
        .and(warp::path(name))
        .and(warp::path::end())
        .and(warp::get())
        .and(query::none())
        .and(warp::header::headers_cloned())
        .map(move |headers: HeaderMap| embedded::answer::<Files>(name, POLICY, &headers))
        .boxed()
}
