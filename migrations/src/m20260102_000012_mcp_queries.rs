//! What was asked of tools in plain words, and what came of it.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::create()
            .table("mcp_queries")
            .col(big_pk_auto("id"))
            .col(timestamp_with_time_zone("asked_at"))
            .col(text("caller"))
            .col(text("query_type"))
            .col(text("query"))
            .col(text_null("tool"))
            .col(json_binary("arguments"))
            .col(text("model"))
            .col(big_integer("tokens_used"))
            .col(big_integer("duration_ms"))
            .col(text("outcome"))
            .take();
        manager.create_table(table).await?;
        let index = Index::create()
            .name("mcp_queries_asked_at")
            .table("mcp_queries")
            .col("asked_at")
            .take();
        manager.create_index(index).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("mcp_queries").take()).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
