//! Users: how people show who they are. Of their passwords only slow hashes are kept.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use sea_orm::{
    ActiveValue::Set, DatabaseTransaction, PaginatorTrait, QueryOrder, QuerySelect, QueryTrait, entity::prelude::*,
};
use serde::Serialize;
use serde_json::json;

use super::{
    Listed, Page, Store, claimed,
    events::{self, NewEvent},
    now,
};
use crate::{
    Error,
    id::UserId,
    value::{Scope, UserName},
};

mod row;

/// There cannot be more users than this: all of them are held in memory.
pub const MAX_USERS: u64 = 10_000;

/// A user, without the password.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct User {
    /// The id.
    pub id: UserId,
    /// The name, which no other user has.
    pub name: UserName,
    /// What they may do.
    pub scope: Scope,
    /// When they were added.
    pub created_at: DateTime<Utc>,
    /// When name, password or scope last changed.
    pub updated_at: DateTime<Utc>,
}

/// A user that is about to be added.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// The name.
    pub name: UserName,
    /// The hash of the password.
    pub password_hash: String,
    /// What they may do.
    pub scope: Scope,
}

/// Changes of a user. What is `None` stays. Access tokens of before are worth nothing after any of them.
#[derive(Debug, Clone, Default)]
pub struct Patch {
    /// The hash of another password.
    pub password_hash: Option<String>,
    /// What they may do.
    pub scope: Option<Scope>,
}

/// A user as they log in.
#[derive(Debug, Clone, PartialEq)]
pub struct Login {
    /// The id.
    pub id: UserId,
    /// The name.
    pub name: String,
    /// The hash of the password.
    pub password_hash: String,
    /// What they may do.
    pub scope: Scope,
    /// Counts the changes of password and scope.
    pub generation: i64,
}

/// Adds a user.
///
/// # Errors
/// Fails with `NAME_IN_USE` when there is one of that name, with `TOO_MANY_USERS` when there are [`MAX_USERS`].
pub async fn create(store: &Store, new: &NewUser) -> Result<User, Error> {
    claimed(|| try_create(store, new)).await
}

async fn try_create(store: &Store, new: &NewUser) -> Result<User, Error> {
    store
        .write(async |transaction| {
            let same = row::Entity::find().filter(row::Column::Name.eq(new.name.as_str()));
            if same.count(transaction).await? > 0 {
                return Err(Error::NameInUse {
                    name: new.name.as_str().to_owned(),
                });
            }
            if row::Entity::find().count(transaction).await? >= MAX_USERS {
                return Err(Error::Conflict {
                    code: "TOO_MANY_USERS",
                    reason: format!("there are {MAX_USERS} users, remove some first"),
                });
            }
            let row = row::Entity::insert(row::new(new))
                .exec_with_returning(transaction)
                .await?;
            let user = User::try_from(row)?;
            announce(transaction, "user_created", &user).await?;
            Ok(user)
        })
        .await
}

/// Returns a user.
///
/// # Errors
/// Fails when there is none with that id.
pub async fn user(store: &Store, id: UserId) -> Result<User, Error> {
    store
        .read(async |reader| {
            let row = row::Entity::find_by_id(id).one(reader).await?;
            row.ok_or_else(|| not_found(id))?.try_into()
        })
        .await
}

/// Lists users in the order in which they were added, or the one of this name.
///
/// # Errors
/// Fails when the database does.
pub async fn list(store: &Store, name: Option<&UserName>, page: Page) -> Result<Listed<User>, Error> {
    let query = row::Entity::find()
        .apply_if(name, |query, name| query.filter(row::Column::Name.eq(name.as_str())))
        .order_by_asc(row::Column::Id);
    store.list(query, page, User::try_from).await
}

/// Lists all users as they log in.
///
/// # Errors
/// Fails when the database does.
pub async fn logins(store: &Store) -> Result<Vec<Login>, Error> {
    let query = row::Entity::find().order_by_asc(row::Column::Id);
    store
        .read(async |reader| Ok(query.all(reader).await?.into_iter().map(Login::from).collect()))
        .await
}

/// Changes a user.
///
/// # Errors
/// Fails when there is none with that id.
pub async fn update(store: &Store, id: UserId, patch: &Patch) -> Result<User, Error> {
    store
        .write(async |transaction| {
            let row = locked(transaction, id).await?;
            let mut change = row::ActiveModel {
                id: Set(id),
                generation: Set(row.generation + 1),
                updated_at: Set(now()),
                ..Default::default()
            };
            if let Some(password_hash) = &patch.password_hash {
                change.password_hash = Set(password_hash.clone());
            }
            if let Some(scope) = patch.scope {
                change.scope = Set(scope);
            }
            let user = User::try_from(row::Entity::update(change).exec(transaction).await?)?;
            announce(transaction, "user_changed", &user).await?;
            Ok(user)
        })
        .await
}

/// Removes a user.
///
/// # Errors
/// Fails when there is none with that id.
pub async fn delete(store: &Store, id: UserId) -> Result<User, Error> {
    store
        .write(async |transaction| {
            let user = User::try_from(locked(transaction, id).await?)?;
            row::Entity::delete_by_id(id).exec(transaction).await?;
            announce(transaction, "user_removed", &user).await?;
            Ok(user)
        })
        .await
}

async fn locked(transaction: &DatabaseTransaction, id: UserId) -> Result<row::Model, Error> {
    let row = row::Entity::find_by_id(id).lock_exclusive().one(transaction).await?;
    row.ok_or_else(|| not_found(id))
}

async fn announce(transaction: &DatabaseTransaction, kind: &'static str, user: &User) -> Result<(), Error> {
    let event = NewEvent {
        channel: events::ACCESS,
        subject: None,
        kind,
        data: json!({"id": user.id, "name": user.name, "scope": user.scope}),
    };
    events::append(transaction, event).await
}

fn not_found(id: UserId) -> Error {
    Error::NotFound {
        kind: "User",
        id: id.to_string(),
    }
}
