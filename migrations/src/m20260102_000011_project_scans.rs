//! What the scans of projects found, and which scans were asked for.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::create()
            .table("project_scans")
            .col(big_integer("project_id").primary_key())
            .col(timestamp_with_time_zone_null("requested_at"))
            .col(text_null("failure"))
            .col(json_binary_null("found"))
            .col(json_binary_null("document"))
            .foreign_key(
                ForeignKey::create()
                    .name("project_scans_project")
                    .from("project_scans", "project_id")
                    .to("projects", "id")
                    .on_delete(ForeignKeyAction::Cascade),
            )
            .take();
        manager.create_table(table).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("project_scans").take()).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
