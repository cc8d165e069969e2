//! The table `users`.

use sea_orm::{ActiveValue::Set, entity::prelude::*};

use super::{Login, NewUser, User};
use crate::{
    Error,
    id::UserId,
    store::{column::parsed, now},
    value::Scope,
};

#[derive(Clone, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "users")]
pub(super) struct Model {
    #[sea_orm(primary_key)]
    pub id: UserId,
    pub name: String,
    pub password_hash: String,
    pub scope: Scope,
    pub generation: i64,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(super) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl TryFrom<Model> for User {
    type Error = Error;

    fn try_from(row: Model) -> Result<Self, Error> {
        Ok(Self {
            id: row.id,
            name: parsed("users.name", row.name)?,
            scope: row.scope,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

impl From<Model> for Login {
    fn from(row: Model) -> Self {
        Self {
            id: row.id,
            name: row.name,
            password_hash: row.password_hash,
            scope: row.scope,
            generation: row.generation,
        }
    }
}

/// A fresh row.
pub(super) fn new(new: &NewUser) -> ActiveModel {
    ActiveModel {
        name: Set(new.name.clone().into()),
        password_hash: Set(new.password_hash.clone()),
        scope: Set(new.scope),
        generation: Set(1),
        created_at: Set(now()),
        updated_at: Set(now()),
        ..Default::default()
    }
}
