//! Who may use the API: tokens for programs, users for people.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let tokens = Table::create()
            .table("tokens")
            .col(big_pk_auto("id"))
            .col(text("name"))
            // Of the token, which is nowhere.
            .col(text("hash").unique_key())
            .col(text("scope"))
            .col(integer_null("requests_per_minute"))
            .col(integer_null("burst"))
            .col(text("created_by"))
            .col(timestamp_with_time_zone("created_at"))
            .col(timestamp_with_time_zone_null("expires_at"))
            .col(timestamp_with_time_zone_null("last_used_at"))
            .col(timestamp_with_time_zone_null("revoked_at"))
            .take();
        manager.create_table(tokens).await?;
        let users = Table::create()
            .table("users")
            .col(big_pk_auto("id"))
            .col(text("name").unique_key())
            .col(text("password_hash"))
            .col(text("scope"))
            .col(big_integer("generation"))
            .col(timestamp_with_time_zone("created_at"))
            .col(timestamp_with_time_zone("updated_at"))
            .take();
        manager.create_table(users).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["users", "tokens"] {
            manager.drop_table(Table::drop().table(table).take()).await?;
        }
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
