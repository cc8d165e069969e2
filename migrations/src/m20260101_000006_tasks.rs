//! Tasks of agents.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::create()
            .table("tasks")
            .col(big_pk_auto("id"))
            .col(big_integer_null("project_id"))
            .col(text("agent_type"))
            .col(text("task_type"))
            .col(text("description"))
            .col(integer("priority").default(1))
            .col(json_binary("input_data"))
            .col(text("state"))
            .col(timestamp_with_time_zone("created_at"))
            .col(timestamp_with_time_zone("run_at"))
            .col(integer("attempt").default(0))
            .col(integer("max_attempts"))
            .col(text_null("owner"))
            .col(timestamp_with_time_zone_null("lease_until"))
            .col(json_binary_null("output"))
            .col(text_null("error"))
            .col(timestamp_with_time_zone_null("started_at"))
            .col(timestamp_with_time_zone_null("finished_at"))
            .foreign_key(
                ForeignKey::create()
                    .name("tasks_project")
                    .from("tasks", "project_id")
                    .to("projects", "id")
                    .on_delete(ForeignKeyAction::SetNull),
            )
            .take();
        manager.create_table(table).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("tasks").take()).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
