//! Tokens: how programs show who they are. Only hashes are kept, and a revoked token's row stays, to be found in the audit.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use sea_orm::{
    ActiveValue::Set, Condition, DatabaseTransaction, PaginatorTrait, QueryOrder, QuerySelect, entity::prelude::*,
};
use serde::Serialize;
use serde_json::json;

use super::{
    Listed, Page, Store, column,
    events::{self, NewEvent},
    now,
};
use crate::{
    Error,
    id::TokenId,
    value::{Rate, Scope, ShortText},
};

mod row;

/// More tokens than this cannot be valid at once: all of them are held in memory.
pub const MAX_VALID: u64 = 10_000;

/// A token, without its secret.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Token {
    /// Its id.
    pub id: TokenId,
    /// What people call it.
    pub name: ShortText,
    /// What it allows.
    pub scope: Scope,
    /// How many requests it may send, if not as many as everybody.
    pub rate_limit: Option<Rate>,
    /// Who made it.
    pub created_by: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Until when it is valid, if not for ever.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<DateTime<Utc>>,
    /// When it was revoked.
    pub revoked_at: Option<DateTime<Utc>>,
}

/// A token that is about to be made.
#[derive(Debug, Clone)]
pub struct NewToken {
    /// What people call it.
    pub name: ShortText,
    /// The hash of its secret, in hexadecimal digits.
    pub hash: String,
    /// What it allows.
    pub scope: Scope,
    /// How many requests it may send.
    pub rate_limit: Option<Rate>,
    /// Who makes it.
    pub created_by: String,
    /// Until when it is valid.
    pub expires_at: Option<DateTime<Utc>>,
}

/// A token that is valid now, as it is recognised by.
#[derive(Debug, Clone, PartialEq)]
pub struct Valid {
    /// Its id.
    pub id: TokenId,
    /// What people call it.
    pub name: String,
    /// The hash of its secret, in hexadecimal digits.
    pub hash: String,
    /// What it allows.
    pub scope: Scope,
    /// How many requests it may send.
    pub rate_limit: Option<Rate>,
    /// Until when it is valid.
    pub expires_at: Option<DateTime<Utc>>,
}

/// Keeps a new token.
///
/// # Errors
/// Fails with `TOO_MANY_TOKENS` when [`MAX_VALID`] are valid.
pub async fn create(store: &Store, new: &NewToken) -> Result<Token, Error> {
    store
        .write(async |transaction| {
            let valid = row::Entity::find().filter(is_valid()).count(transaction).await?;
            if valid >= MAX_VALID {
                return Err(Error::Conflict {
                    code: "TOO_MANY_TOKENS",
                    reason: format!("{MAX_VALID} tokens are valid, revoke some first"),
                });
            }
            let row = row::Entity::insert(row::new(new))
                .exec_with_returning(transaction)
                .await?;
            let token = Token::try_from(row)?;
            announce(transaction, "token_created", &token).await?;
            Ok(token)
        })
        .await
}

/// Returns a token.
///
/// # Errors
/// Fails when there is none with that id.
pub async fn token(store: &Store, id: TokenId) -> Result<Token, Error> {
    store
        .read(async |reader| {
            let row = row::Entity::find_by_id(id).one(reader).await?;
            row.ok_or_else(|| not_found(id))?.try_into()
        })
        .await
}

/// Lists tokens in the order of their creation, revoked and expired ones too.
///
/// # Errors
/// Fails when the database does.
pub async fn list(store: &Store, page: Page) -> Result<Listed<Token>, Error> {
    let query = row::Entity::find().order_by_asc(row::Column::Id);
    store.list(query, page, Token::try_from).await
}

/// Lists the tokens that are valid now.
///
/// # Errors
/// Fails when the database does.
pub async fn valid(store: &Store) -> Result<Vec<Valid>, Error> {
    let query = row::Entity::find().filter(is_valid()).order_by_asc(row::Column::Id);
    store
        .read(async |reader| {
            let rows = query.all(reader).await?;
            rows.into_iter().map(Valid::try_from).collect()
        })
        .await
}

/// Tells whether a token was ever made.
///
/// # Errors
/// Fails when the database does.
pub async fn has_any(store: &Store) -> Result<bool, Error> {
    let query = row::Entity::find().select_only().column(row::Column::Id);
    store
        .read(async |reader| Ok(query.into_tuple::<TokenId>().one(reader).await?.is_some()))
        .await
}

/// Makes a token invalid for ever. One that is revoked already stays as it is.
///
/// # Errors
/// Fails when there is none with that id.
pub async fn revoke(store: &Store, id: TokenId) -> Result<Token, Error> {
    store
        .write(async |transaction| {
            let found = row::Entity::find_by_id(id).lock_exclusive().one(transaction).await?;
            let row = found.ok_or_else(|| not_found(id))?;
            if row.revoked_at.is_some() {
                return row.try_into();
            }
            let change = row::ActiveModel {
                id: Set(id),
                revoked_at: Set(Some(now())),
                ..Default::default()
            };
            let token = Token::try_from(row::Entity::update(change).exec(transaction).await?)?;
            announce(transaction, "token_revoked", &token).await?;
            Ok(token)
        })
        .await
}

/// Records that a token was used just now. One that is gone meanwhile is no failure.
///
/// # Errors
/// Fails when the database does.
pub async fn record_use(store: &Store, id: TokenId) -> Result<(), Error> {
    store
        .write(async |transaction| {
            row::Entity::update_many()
                .col_expr(row::Column::LastUsedAt, Expr::value(now()))
                .filter(row::Column::Id.eq(id))
                .exec(transaction)
                .await?;
            Ok(())
        })
        .await
}

fn is_valid() -> Condition {
    let is_lasting = Condition::any()
        .add(row::Column::ExpiresAt.is_null())
        .add(row::Column::ExpiresAt.gt(now()));
    Condition::all().add(row::Column::RevokedAt.is_null()).add(is_lasting)
}

async fn announce(transaction: &DatabaseTransaction, kind: &'static str, token: &Token) -> Result<(), Error> {
    let event = NewEvent {
        channel: events::ACCESS,
        subject: None,
        kind,
        data: json!({"id": token.id, "name": token.name, "scope": token.scope}),
    };
    events::append(transaction, event).await
}

fn not_found(id: TokenId) -> Error {
    Error::NotFound {
        kind: "Token",
        id: id.to_string(),
    }
}

/// Brings the columns of a rate together.
fn rate(requests_per_minute: Option<i32>, burst: Option<i32>) -> Result<Option<Rate>, Error> {
    let count = |stored: Option<i32>| column::parsed_opt("tokens.burst", stored.map(i64::from));
    Ok(match (count(requests_per_minute)?, count(burst)?) {
        (Some(per_minute), Some(burst)) => Some(Rate { per_minute, burst }),
        _ => None,
    })
}
