//! Who the caller is, and what they can get for a credential that they have.

use std::sync::Arc;

use borgos_actors::{
    credentials::{self, Method},
    value::Scope,
};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use warp::{Filter, Rejection, filters::BoxedFilter, http::StatusCode, reply::Response};

use super::{answer, with};
use crate::{
    app::App,
    guard::{auth::Caller, tickets},
    problem::Problem,
    query,
    reply::{self, Reply},
};

/// Who the caller is.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Caller")]
pub(crate) struct Me {
    name: String,
    /// How they showed it.
    method: Method,
    scope: Scope,
    /// Until when the credential is valid, if not for ever.
    expires_at: Option<DateTime<Utc>>,
}

/// What opens one connection of `/ws`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Ticket")]
pub(crate) struct Issued {
    ticket: String,
    /// In so many seconds.
    expires_in: u64,
}

/// An access token, in the words of OAuth 2.0.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "AccessToken")]
pub(crate) struct Granted {
    access_token: String,
    token_type: &'static str,
    /// In so many seconds.
    expires_in: i64,
    scope: Scope,
}

/// Returns the filters of this resource.
pub(super) fn routes(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    let me = below("me").and(warp::get()).and(query::none()).and(warp::ext::get());
    let ticket = below("ticket")
        .and(warp::post())
        .and(query::none())
        .and(warp::ext::get())
        .and(with(app));
    let token = below("token")
        .and(warp::post())
        .and(query::none())
        .and(warp::ext::get())
        .and(with(app));
    me.map(me_body)
        .or(ticket.map(issue_ticket))
        .unify()
        .or(token.map(issue_token))
        .unify()
        .map(answer)
        .boxed()
}

fn below(name: &'static str) -> impl Filter<Extract = (), Error = Rejection> + Clone {
    warp::path!("api" / "v1" / "auth" / ..)
        .and(warp::path(name))
        .and(warp::path::end())
}

/// GET /api/v1/auth/me
fn me_body(caller: Caller) -> Result<Reply, Problem> {
    Ok(reply::ok(&Me {
        name: caller.name.to_string(),
        method: caller.method,
        scope: caller.scope,
        expires_at: caller.expires_at,
    }))
}

/// POST /api/v1/auth/ticket
fn issue_ticket(caller: Caller, app: Arc<App>) -> Result<Reply, Problem> {
    let ticket = app.tickets.issue(&caller)?;
    Ok(reply::ok(&Issued {
        ticket: ticket.expose().to_owned(),
        expires_in: tickets::LIFETIME.as_secs(),
    }))
}

/// POST /api/v1/auth/token
fn issue_token(caller: Caller, app: Arc<App>) -> Result<Reply, Problem> {
    // Otherwise one that was stolen would last for ever.
    if matches!(caller.method, Method::AccessToken | Method::Ticket) {
        let message = "an access token is got with a token or a password, not with another access token";
        return Err(Problem::new(
            StatusCode::FORBIDDEN,
            "LASTING_CREDENTIAL_NEEDED",
            message,
        ));
    }
    let token = app.system.credentials.issue(&caller)?;
    let lifetime = (token.expires_at - Utc::now()).num_seconds();
    Ok(reply::ok(&Granted {
        access_token: token.text,
        token_type: "Bearer",
        expires_in: lifetime.clamp(0, credentials::LIFETIME.as_secs() as i64),
        scope: caller.scope,
    }))
}
