//! The tables `webhooks` and `webhook_cursors`.

use sea_orm::{
    ActiveValue::{Set, Unchanged},
    entity::prelude::*,
};

use super::{NewWebhook, Patch, Webhook};
use crate::{
    Error,
    id::WebhookId,
    store::{
        column::{from_json, parsed, to_json},
        now,
    },
};

const EVENTS: &str = "webhooks.events";

#[derive(Clone, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "webhooks")]
pub(super) struct Model {
    #[sea_orm(primary_key)]
    pub id: WebhookId,
    pub url: String,
    pub events: Json,
    pub secret: String,
    pub is_active: bool,
    /// The last event that happened before it was switched on.
    pub after_event: i64,
    pub created_at: DateTimeUtc,
    pub failing_since: Option<DateTimeUtc>,
    pub last_success_at: Option<DateTimeUtc>,
    pub disabled_reason: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(super) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl TryFrom<Model> for Webhook {
    type Error = Error;

    fn try_from(row: Model) -> Result<Self, Error> {
        Ok(Self {
            id: row.id,
            url: parsed("webhooks.url", row.url)?,
            events: from_json(EVENTS, row.events)?,
            secret: parsed("webhooks.secret", row.secret)?,
            is_active: row.is_active,
            created_at: row.created_at,
            failing_since: row.failing_since,
            last_success_at: row.last_success_at,
            disabled_reason: row.disabled_reason,
        })
    }
}

/// A fresh row.
pub(super) fn new(new: &NewWebhook) -> Result<ActiveModel, Error> {
    Ok(ActiveModel {
        url: Set(new.url.clone().into()),
        events: Set(to_json(EVENTS, &new.events)?),
        secret: Set(new.secret.expose().to_owned()),
        is_active: Set(new.is_active),
        created_at: Set(now()),
        ..Default::default()
    })
}

/// The columns that a patch changes.
pub(super) fn change(id: WebhookId, patch: &Patch) -> Result<ActiveModel, Error> {
    let mut row = ActiveModel {
        id: Unchanged(id),
        ..Default::default()
    };
    if let Some(url) = patch.url.clone() {
        row.url = Set(url.into());
    }
    if let Some(events) = &patch.events {
        row.events = Set(to_json(EVENTS, events)?);
    }
    if let Some(secret) = &patch.secret {
        row.secret = Set(secret.expose().to_owned());
    }
    if let Some(is_active) = patch.is_active {
        row.is_active = Set(is_active);
    }
    Ok(row)
}

/// How far each webhook has read each channel.
pub(super) mod cursors {
    use sea_orm::entity::prelude::*;

    use crate::id::WebhookId;

    #[derive(Clone, Debug, DeriveEntityModel)]
    #[sea_orm(table_name = "webhook_cursors")]
    pub(in super::super) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub webhook_id: WebhookId,
        #[sea_orm(primary_key, auto_increment = false)]
        pub channel: String,
        pub last: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(in super::super) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
