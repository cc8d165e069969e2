//! The error log: what went wrong in projects and deployments.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(table()).await?;
        for column in ["occurred_at", "project_id", "deployment_id"] {
            let index = Index::create()
                .name(format!("error_log_{column}"))
                .table("error_log")
                .col(column)
                .take();
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("error_log").take()).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

/// An entry outlives what it refers to.
fn table() -> TableCreateStatement {
    Table::create()
        .table("error_log")
        .col(big_pk_auto("id"))
        .col(big_integer_null("project_id"))
        .col(big_integer_null("deployment_id"))
        .col(text("error_type"))
        .col(text("severity"))
        .col(text("message"))
        .col(text_null("stack_trace"))
        .col(json_binary("context"))
        .col(timestamp_with_time_zone("occurred_at"))
        .foreign_key(
            ForeignKey::create()
                .name("error_log_project")
                .from("error_log", "project_id")
                .to("projects", "id")
                .on_delete(ForeignKeyAction::SetNull),
        )
        .foreign_key(
            ForeignKey::create()
                .name("error_log_deployment")
                .from("error_log", "deployment_id")
                .to("deployments", "id")
                .on_delete(ForeignKeyAction::SetNull),
        )
        .take()
}
