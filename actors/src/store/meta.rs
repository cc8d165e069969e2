//! What the database says about itself, written once when it is new.

use sea_orm::{ActiveValue, DatabaseConnection, DbErr, TransactionTrait, entity::prelude::*, sea_query::OnConflict};
use uuid::Uuid;

use super::immediate;

/// Ids that live as long as the database does.
pub(super) struct Identity {
    /// Labels everything that this installation starts.
    pub(super) instance: Uuid,
    /// Names the event log that offsets belong to.
    pub(super) epoch: String,
}

/// Reads the ids, after making those that are missing.
pub(super) async fn identity(database: &DatabaseConnection) -> Result<Identity, DbErr> {
    let transaction = database.begin_with_options(immediate()).await?;
    let instance = value_or_new(&transaction, "instance").await?;
    let epoch = value_or_new(&transaction, "epoch").await?;
    transaction.commit().await?;
    let instance =
        Uuid::try_parse(&instance).map_err(|_| DbErr::Type("`instance` in table `meta` is not a UUID".to_owned()))?;
    Ok(Identity { instance, epoch })
}

async fn value_or_new(database: &impl ConnectionTrait, key: &str) -> Result<String, DbErr> {
    set_if_absent(database, key, &Uuid::new_v4().to_string()).await?;
    let value = value(database, key).await?;
    value.ok_or_else(|| DbErr::RecordNotFound(format!("`{key}` in table `meta`")))
}

/// Reads a value.
pub(super) async fn value(database: &impl ConnectionTrait, key: &str) -> Result<Option<String>, DbErr> {
    let row = Entity::find_by_id(key).one(database).await?;
    Ok(row.map(|row| row.value))
}

/// Writes a value.
pub(super) async fn set(database: &impl ConnectionTrait, key: &str, value: &str) -> Result<(), DbErr> {
    let replaced = OnConflict::column(Column::Key).update_column(Column::Value).to_owned();
    insert(database, key, value, replaced).await
}

/// Writes a value where there is none.
pub(super) async fn set_if_absent(database: &impl ConnectionTrait, key: &str, value: &str) -> Result<(), DbErr> {
    insert(
        database,
        key,
        value,
        OnConflict::column(Column::Key).do_nothing().to_owned(),
    )
    .await
}

/// Removes a value.
pub(super) async fn remove(database: &impl ConnectionTrait, key: &str) -> Result<(), DbErr> {
    Entity::delete_by_id(key).exec(database).await.map(drop)
}

async fn insert(database: &impl ConnectionTrait, key: &str, value: &str, on_conflict: OnConflict) -> Result<(), DbErr> {
    let row = ActiveModel {
        key: ActiveValue::Set(key.to_owned()),
        value: ActiveValue::Set(value.to_owned()),
    };
    let insert = Entity::insert(row).on_conflict(on_conflict);
    insert.exec_without_returning(database).await.map(drop)
}

#[derive(Clone, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "meta")]
pub(super) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub key: String,
    pub value: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(super) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
