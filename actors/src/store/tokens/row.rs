//! The table `tokens`.

use sea_orm::{ActiveValue::Set, entity::prelude::*};

use super::{NewToken, Token, Valid, rate};
use crate::{
    Error,
    id::TokenId,
    store::{column::parsed, now},
    value::{Count, Scope},
};

#[derive(Clone, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "tokens")]
pub(super) struct Model {
    #[sea_orm(primary_key)]
    pub id: TokenId,
    pub name: String,
    pub hash: String,
    pub scope: Scope,
    pub requests_per_minute: Option<i32>,
    pub burst: Option<i32>,
    pub created_by: String,
    pub created_at: DateTimeUtc,
    pub expires_at: Option<DateTimeUtc>,
    pub last_used_at: Option<DateTimeUtc>,
    pub revoked_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(super) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl TryFrom<Model> for Token {
    type Error = Error;

    fn try_from(row: Model) -> Result<Self, Error> {
        Ok(Self {
            id: row.id,
            name: parsed("tokens.name", row.name)?,
            scope: row.scope,
            rate_limit: rate(row.requests_per_minute, row.burst)?,
            created_by: row.created_by,
            created_at: row.created_at,
            expires_at: row.expires_at,
            last_used_at: row.last_used_at,
            revoked_at: row.revoked_at,
        })
    }
}

impl TryFrom<Model> for Valid {
    type Error = Error;

    fn try_from(row: Model) -> Result<Self, Error> {
        Ok(Self {
            id: row.id,
            name: row.name,
            hash: row.hash,
            scope: row.scope,
            rate_limit: rate(row.requests_per_minute, row.burst)?,
            expires_at: row.expires_at,
        })
    }
}

/// A fresh row.
pub(super) fn new(new: &NewToken) -> ActiveModel {
    // A million at most, so it fits.
    let number = |count: Count| count.get().get() as i32;
    ActiveModel {
        name: Set(new.name.clone().into()),
        hash: Set(new.hash.clone()),
        scope: Set(new.scope),
        requests_per_minute: Set(new.rate_limit.map(|rate| number(rate.per_minute))),
        burst: Set(new.rate_limit.map(|rate| number(rate.burst))),
        created_by: Set(new.created_by.clone()),
        created_at: Set(now()),
        expires_at: Set(new.expires_at),
        last_used_at: Set(None),
        revoked_at: Set(None),
        ..Default::default()
    }
}
