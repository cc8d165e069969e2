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
    let fresh = ActiveModel {
        key: ActiveValue::Set(key.to_owned()),
        value: ActiveValue::Set(Uuid::new_v4().to_string()),
    };
    Entity::insert(fresh)
        .on_conflict(OnConflict::column(Column::Key).do_nothing().to_owned())
        .exec_without_returning(database)
        .await?;
    match Entity::find_by_id(key).one(database).await? {
        Some(row) => Ok(row.value),
        None => Err(DbErr::RecordNotFound(format!("`{key}` in table `meta`"))),
    }
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
