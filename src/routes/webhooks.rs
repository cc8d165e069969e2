//! Webhooks: who is told of what happens, and what came of it.

use std::sync::Arc;

use borgos_actors::{
    id::{DeliveryId, WebhookId},
    store::webhooks::{
        self, NewWebhook, Patch, Webhook,
        deliveries::{self, Status},
    },
    value::{WebhookSecret, WebhookUrl},
    webhooks::Wanted,
};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use warp::{Filter, Rejection, filters::BoxedFilter, reply::Response};

use super::{answer, id, outcome::Told, with};
use crate::{
    app::App,
    body::{self, field},
    problem::Problem,
    query::{self, Query},
    reply::{self, Reply},
};

const MASK: &str = "***";

pub(crate) const STATUSES: [(&str, Status); 3] = [
    ("pending", Status::Pending),
    ("delivered", Status::Delivered),
    ("failed", Status::Failed),
];

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "CreateWebhook")]
pub(crate) struct Create {
    url: WebhookUrl,
    events: Wanted,
    secret: Option<WebhookSecret>,
    active: Option<bool>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "UpdateWebhook")]
pub(crate) struct Update {
    #[serde(default, deserialize_with = "field::not_null")]
    #[schemars(with = "WebhookUrl")]
    url: Option<WebhookUrl>,
    #[serde(default, deserialize_with = "field::not_null")]
    #[schemars(with = "Wanted")]
    events: Option<Wanted>,
    #[serde(default, deserialize_with = "field::not_null")]
    #[schemars(with = "WebhookSecret")]
    secret: Option<WebhookSecret>,
    #[serde(default, deserialize_with = "field::not_null")]
    #[schemars(with = "bool")]
    active: Option<bool>,
}

/// A webhook as clients see it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Webhook")]
pub(crate) struct WebhookBody {
    id: WebhookId,
    url: WebhookUrl,
    events: Wanted,
    /// Masked, but in the answer that tells of a secret that was made for the client.
    secret: String,
    active: bool,
    created_at: DateTime<Utc>,
    failing_since: Option<DateTime<Utc>>,
    last_success_at: Option<DateTime<Utc>>,
    disabled_reason: Option<String>,
}

impl From<Webhook> for WebhookBody {
    fn from(webhook: Webhook) -> Self {
        Self {
            id: webhook.id,
            url: webhook.url,
            events: webhook.events,
            secret: MASK.to_owned(),
            active: webhook.is_active,
            created_at: webhook.created_at,
            failing_since: webhook.failing_since,
            last_success_at: webhook.last_success_at,
            disabled_reason: webhook.disabled_reason,
        }
    }
}

/// Returns the filters of this resource.
pub(super) fn routes(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    let all = || warp::path!("api" / "v1" / "webhooks");
    let list = all()
        .and(warp::get())
        .and(query::strict(&["limit", "offset"]))
        .and(with(app))
        .then(list);
    let create = all()
        .and(warp::post())
        .and(query::none())
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
    let delete = one().and(warp::delete()).and(query::none()).and(with(app)).then(delete);
    let test = below("test")
        .and(warp::path::end())
        .and(warp::post())
        .and(query::none())
        .and(with(app))
        .then(test);
    list.or(create)
        .unify()
        .or(show)
        .unify()
        .or(update)
        .unify()
        .or(delete)
        .unify()
        .or(test)
        .unify()
        .or(of_deliveries(app))
        .unify()
        .map(answer)
        .boxed()
}

fn of_deliveries(app: &Arc<App>) -> BoxedFilter<(Result<Reply, Problem>,)> {
    let list = below("deliveries")
        .and(warp::path::end())
        .and(warp::get())
        .and(query::strict(&["status", "limit", "offset"]))
        .and(with(app))
        .then(list_deliveries);
    let redeliver = below("deliveries")
        .and(warp::path!(String / "redeliver"))
        .and(warp::post())
        .and_then(async |webhook: i64, delivery: String| Ok::<_, Rejection>((webhook, id(delivery).await?)))
        .untuple_one()
        .and(query::none())
        .and(with(app))
        .then(redeliver);
    list.or(redeliver).unify().boxed()
}

/// Matches one webhook.
fn one() -> impl Filter<Extract = (i64,), Error = Rejection> + Clone {
    warp::path!("api" / "v1" / "webhooks" / String).and_then(id)
}

/// Matches what begins with a part of one webhook, by name.
fn below(name: &'static str) -> impl Filter<Extract = (i64,), Error = Rejection> + Clone {
    warp::path!("api" / "v1" / "webhooks" / String / ..)
        .and(warp::path(name))
        .and_then(id)
}

/// GET /api/v1/webhooks
async fn list(query: Query, app: Arc<App>) -> Result<Reply, Problem> {
    let page = query.page()?;
    let listed = webhooks::list(&app.system.store, page.rows()).await?;
    let rows: Vec<WebhookBody> = listed.rows.into_iter().map(WebhookBody::from).collect();
    Ok(reply::list(&rows, listed.total, &page))
}

/// POST /api/v1/webhooks
async fn create(request: Create, app: Arc<App>) -> Result<Reply, Problem> {
    let is_given = request.secret.is_some();
    let new = NewWebhook {
        url: request.url,
        events: request.events,
        secret: request.secret.unwrap_or_else(WebhookSecret::generate),
        is_active: request.active.unwrap_or(true),
    };
    let mut body = WebhookBody::from(app.system.webhooks.create(&new).await?);
    if !is_given {
        body.secret = new.secret.expose().to_owned();
    }
    Ok(reply::created(&format!("/api/v1/webhooks/{}", body.id), &body))
}

/// GET /api/v1/webhooks/{id}
async fn show(id: i64, app: Arc<App>) -> Result<Reply, Problem> {
    let webhook = webhooks::webhook(&app.system.store, WebhookId(id)).await?;
    Ok(reply::ok(&WebhookBody::from(webhook)))
}

/// PATCH /api/v1/webhooks/{id}
async fn update(id: i64, request: Update, app: Arc<App>) -> Result<Reply, Problem> {
    let patch = Patch {
        url: request.url,
        events: request.events,
        secret: request.secret,
        is_active: request.active,
    };
    let webhook = app.system.webhooks.update(WebhookId(id), &patch).await?;
    Ok(reply::ok(&WebhookBody::from(webhook)))
}

/// DELETE /api/v1/webhooks/{id}
async fn delete(id: i64, app: Arc<App>) -> Result<Reply, Problem> {
    webhooks::delete(&app.system.store, WebhookId(id)).await?;
    Ok(reply::ok(&Told::new(format!("Webhook {id} deleted"))))
}

/// POST /api/v1/webhooks/{id}/test
async fn test(id: i64, app: Arc<App>) -> Result<Reply, Problem> {
    Ok(reply::ok(&app.system.webhooks.test(WebhookId(id)).await?))
}

/// GET /api/v1/webhooks/{id}/deliveries
async fn list_deliveries(id: i64, query: Query, app: Arc<App>) -> Result<Reply, Problem> {
    let page = query.page()?;
    let status = query.choice("status", &STATUSES)?;
    let listed = deliveries::list(&app.system.store, WebhookId(id), status, page.rows()).await?;
    Ok(reply::list(&listed.rows, listed.total, &page))
}

/// POST /api/v1/webhooks/{id}/deliveries/{delivery}/redeliver
async fn redeliver(id: i64, delivery: i64, app: Arc<App>) -> Result<Reply, Problem> {
    let delivery = app
        .system
        .webhooks
        .redeliver(WebhookId(id), DeliveryId(delivery))
        .await?;
    Ok(reply::accepted(&delivery))
}
