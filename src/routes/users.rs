//! Users, who show who they are by name and password.

use std::sync::Arc;

use borgos_actors::{
    id::UserId,
    store::users::{self, NewUser, Patch},
    value::{Password, Scope, UserName},
};
use schemars::JsonSchema;
use serde::Deserialize;
use warp::{Filter, filters::BoxedFilter, reply::Response};

use super::{access, answer, id, outcome::Told, with};
use crate::{
    app::App,
    body::{self, field},
    guard::auth::Caller,
    problem::Problem,
    query::{self, Query},
    reply::{self, Reply},
};

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "CreateUser")]
pub(crate) struct Create {
    name: UserName,
    password: Password,
    scope: Scope,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "UpdateUser")]
pub(crate) struct Update {
    #[serde(default, deserialize_with = "field::not_null")]
    #[schemars(with = "Password")]
    password: Option<Password>,
    #[serde(default, deserialize_with = "field::not_null")]
    #[schemars(with = "Scope")]
    scope: Option<Scope>,
}

/// Returns the filters of this resource.
pub(super) fn routes(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    let all = || warp::path!("api" / "v1" / "users");
    let one = || warp::path!("api" / "v1" / "users" / String).and_then(id);
    let filters = query::strict(&["name", "limit", "offset"]);
    let list = all().and(warp::get()).and(filters).and(with(app)).then(list);
    let create = all()
        .and(warp::post())
        .and(query::none())
        .and(warp::ext::get())
        .and(body::json())
        .and(with(app))
        .then(create);
    let show = one().and(warp::get()).and(query::none()).and(with(app)).then(show);
    let update = one()
        .and(warp::patch())
        .and(query::none())
        .and(body::json())
        .and(with(app))
        .then(update);
    let remove = one().and(warp::delete()).and(query::none()).and(with(app)).then(remove);
    list.or(create)
        .unify()
        .or(show)
        .unify()
        .or(update)
        .unify()
        .or(remove)
        .unify()
        .map(answer)
        .boxed()
}

/// GET /api/v1/users
async fn list(query: Query, app: Arc<App>) -> Result<Reply, Problem> {
    let page = query.page()?;
    let name = query.parsed("name", UserName::try_from)?;
    let listed = users::list(&app.system.store, name.as_ref(), page.rows()).await?;
    Ok(reply::list(&listed.rows, listed.total, &page))
}

/// POST /api/v1/users
async fn create(caller: Caller, request: Create, app: Arc<App>) -> Result<Reply, Problem> {
    access::check_first(&caller, request.scope)?;
    let new = NewUser {
        name: request.name,
        password_hash: app.system.credentials.hash(request.password).await?,
        scope: request.scope,
    };
    let user = users::create(&app.system.store, &new).await?;
    access::changed(&app).await;
    Ok(reply::created(&format!("/api/v1/users/{}", user.id), &user))
}

/// GET /api/v1/users/{id}
async fn show(id: i64, app: Arc<App>) -> Result<Reply, Problem> {
    Ok(reply::ok(&users::user(&app.system.store, UserId(id)).await?))
}

/// PATCH /api/v1/users/{id}
async fn update(id: i64, request: Update, app: Arc<App>) -> Result<Reply, Problem> {
    let password_hash = match request.password {
        Some(password) => Some(app.system.credentials.hash(password).await?),
        None => None,
    };
    let patch = Patch {
        password_hash,
        scope: request.scope,
    };
    let user = users::update(&app.system.store, UserId(id), &patch).await?;
    access::changed(&app).await;
    Ok(reply::ok(&user))
}

/// DELETE /api/v1/users/{id}
async fn remove(id: i64, app: Arc<App>) -> Result<Reply, Problem> {
    users::delete(&app.system.store, UserId(id)).await?;
    access::changed(&app).await;
    Ok(reply::ok(&Told::new(format!("User {id} removed"))))
}
