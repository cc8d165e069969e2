//! THE list of endpoints, one line each in URL order, and the filters that answer them.
//!
//! A request whose path and method are not in [`TABLE`] never reaches a filter, and a line cannot be written without a
//! scope: what is not listed does not exist.

pub mod system;
mod table;

use warp::{Filter, filters::BoxedFilter, http::Method, reply::Response};

pub use self::table::{Endpoint, Miss, Scope, find};
use crate::{app::App, problem};

/// Every endpoint. `/health` does not count against the rate limit, so that no probe is ever refused.
pub static TABLE: &[Endpoint] = &[
    Endpoint::uncounted(Method::GET, "/health", Scope::Public, "health"),
    Endpoint::new(Method::GET, "/api/v1/status", Scope::Read, "status"),
];

/// Returns the filters that answer the endpoints of [`TABLE`].
pub fn routes(app: &App) -> BoxedFilter<(Response,)> {
    system::routes(app).recover(problem::recover).unify().boxed()
}
