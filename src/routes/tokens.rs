//! Tokens, by which programs show who they are.

use std::sync::Arc;

use borgos_actors::{
    credentials::{Secret, digest},
    id::TokenId,
    store::tokens::{self, NewToken, Token},
    value::{Rate, Scope, ShortText},
};
use chrono::{TimeDelta, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use warp::{Filter, filters::BoxedFilter, reply::Response};

use super::{access, answer, id, outcome::Told, with};
use crate::{
    app::App,
    body::{self, field::Bounded},
    guard::auth::Caller,
    problem::Problem,
    query::{self, Query},
    reply::{self, Reply},
};

/// Ten years, in seconds.
const MAX_LIFETIME: i32 = 10 * 365 * 24 * 3600;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "CreateToken")]
pub(crate) struct Create {
    name: ShortText,
    scope: Scope,
    expires_in_s: Option<Bounded<1, MAX_LIFETIME>>,
    rate_limit: Option<Rate>,
}

/// A token with its secret, which is shown this once.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "CreatedToken")]
pub(crate) struct Created<'a> {
    token: &'a str,
    #[serde(flatten)]
    row: Token,
}

/// Returns the filters of this resource.
pub(super) fn routes(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    let all = || warp::path!("api" / "v1" / "tokens");
    let one = || warp::path!("api" / "v1" / "tokens" / String).and_then(id);
    let page = query::strict(&["limit", "offset"]);
    let list = all().and(warp::get()).and(page).and(with(app)).then(list);
    let create = all()
        .and(warp::post())
        .and(query::none())
        .and(warp::ext::get())
        .and(body::json())
        .and(with(app))
        .then(create);
    let show = one().and(warp::get()).and(query::none()).and(with(app)).then(show);
    let revoke = one().and(warp::delete()).and(query::none()).and(with(app)).then(revoke);
    list.or(create)
        .unify()
        .or(show)
        .unify()
        .or(revoke)
        .unify()
        .map(answer)
        .boxed()
}

/// GET /api/v1/tokens
async fn list(query: Query, app: Arc<App>) -> Result<Reply, Problem> {
    let page = query.page()?;
    let listed = tokens::list(&app.system.store, page.rows()).await?;
    Ok(reply::list(&listed.rows, listed.total, &page))
}

/// POST /api/v1/tokens
async fn create(caller: Caller, request: Create, app: Arc<App>) -> Result<Reply, Problem> {
    access::check_first(&caller, request.scope)?;
    let secret = Secret::token()?;
    let lifetime = request
        .expires_in_s
        .map(|seconds| TimeDelta::seconds(seconds.get().into()));
    let new = NewToken {
        name: request.name,
        hash: digest(secret.expose()),
        scope: request.scope,
        rate_limit: request.rate_limit,
        created_by: caller.name.to_string(),
        expires_at: lifetime.map(|lifetime| Utc::now() + lifetime),
    };
    let row = tokens::create(&app.system.store, &new).await?;
    access::changed(&app).await;
    let location = format!("/api/v1/tokens/{}", row.id);
    let token = secret.expose();
    Ok(reply::created(&location, &Created { token, row }))
}

/// GET /api/v1/tokens/{id}
async fn show(id: i64, app: Arc<App>) -> Result<Reply, Problem> {
    Ok(reply::ok(&tokens::token(&app.system.store, TokenId(id)).await?))
}

/// DELETE /api/v1/tokens/{id}
async fn revoke(id: i64, app: Arc<App>) -> Result<Reply, Problem> {
    tokens::revoke(&app.system.store, TokenId(id)).await?;
    access::changed(&app).await;
    Ok(reply::ok(&Told::new(format!("Token {id} revoked"))))
}
