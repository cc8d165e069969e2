//! Projects: directories of code.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::create()
            .table("projects")
            .col(big_pk_auto("id"))
            .col(text("name"))
            .col(text("path").unique_key())
            .col(text_null("zenith_id"))
            .col(text_null("project_type"))
            .col(json_binary("tech_stack"))
            .col(integer("health_score").default(0))
            .col(integer("vibe_score").default(75))
            .col(integer("eco_score").default(80))
            .col(json_binary("errors").default("[]"))
            .col(json_binary("metadata").default("{}"))
            .col(boolean("is_active").default(true))
            .col(timestamp_with_time_zone("created_at"))
            .col(timestamp_with_time_zone("updated_at"))
            .col(timestamp_with_time_zone_null("last_scanned_at"))
            .take();
        manager.create_table(table).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("projects").take()).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
