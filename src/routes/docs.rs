//! What the API says about itself: its description for programs, and a page for people that shows it. Both are public, as
//! they say nothing that this program's source does not.

use bytes::Bytes;
use warp::{
    Filter,
    filters::BoxedFilter,
    http::{
        HeaderValue,
        header::{CONTENT_SECURITY_POLICY, REFERRER_POLICY},
    },
    reply::Response,
};

use super::answer;
use crate::{openapi, query, reply};

/// The page takes nothing from anywhere but here, and may be part of no other page.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; \
    form-action 'none'; frame-ancestors 'none'";

/// Returns the filters of this resource. The description is written once: it stays the same as long as the program runs.
pub(super) fn routes() -> BoxedFilter<(Response,)> {
    let description = Bytes::from(openapi::document().to_string());
    let show = warp::path!("api" / "v1" / "openapi.json")
        .and(warp::get())
        .and(query::none())
        .map(move || answer(Ok(reply::raw("application/json", description.clone()))));
    let page = warp::path!("docs").and(warp::get()).and(query::none()).map(page);
    let script = asset(
        "script.js",
        "text/javascript; charset=utf-8",
        include_str!("docs/script.js"),
    );
    let style = asset("style.css", "text/css; charset=utf-8", include_str!("docs/style.css"));
    show.or(page).unify().or(script).unify().or(style).unify().boxed()
}

/// GET /docs
fn page() -> Response {
    let page = Bytes::from_static(include_bytes!("docs/page.html"));
    let reply = reply::raw("text/html; charset=utf-8", page)
        .with_header(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY))
        .with_header(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    answer(Ok(reply))
}

/// GET /docs/script.js, GET /docs/style.css
fn asset(name: &'static str, content_type: &'static str, text: &'static str) -> BoxedFilter<(Response,)> {
    warp::path("docs")
        .and(warp::path(name))
        .and(warp::path::end())
        .and(warp::get())
        .and(query::none())
        .map(move || answer(Ok(reply::raw(content_type, Bytes::from_static(text.as_bytes())))))
        .boxed()
}
