//! What the task queue needs beside the tasks: keys, limits, progress, the attempts, and which agents are paused.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// States in which a task waits for a worker.
const WAITING: [&str; 4] = ["pending", "scheduled", "retryable", "interrupted"];
const RUNNING: &str = "running";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in columns() {
            manager
                .alter_table(Table::alter().table("tasks").add_column(column).take())
                .await?;
        }
        for index in indexes() {
            manager.create_index(index).await?;
        }
        manager.create_table(attempts()).await?;
        manager.create_table(paused_agents()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("paused_agents").take()).await?;
        manager.drop_table(Table::drop().table("task_attempts").take()).await?;
        for index in indexes() {
            let name = index.get_index_spec().get_name().unwrap_or_default().to_owned();
            manager
                .drop_index(Index::drop().name(name).table("tasks").to_owned())
                .await?;
        }
        // SQLite drops one column at a time.
        for column in columns() {
            manager
                .alter_table(
                    Table::alter()
                        .table("tasks")
                        .drop_column(column.get_column_name())
                        .take(),
                )
                .await?;
        }
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

fn columns() -> Vec<ColumnDef> {
    vec![
        text_null("unique_key").take(),
        text_null("idempotency_key").take(),
        big_integer_null("timeout_s").take(),
        integer("failed_attempts").default(0).take(),
        timestamp_with_time_zone_null("cancel_requested_at").take(),
        json_binary_null("progress").take(),
    ]
}

fn indexes() -> Vec<IndexCreateStatement> {
    let index = |name: &str| Index::create().name(name).table("tasks").take();
    let is_waiting = Expr::col("state").is_in(WAITING);
    let is_unfinished = Expr::col("state").is_in(WAITING.into_iter().chain([RUNNING]));
    vec![
        // The order in which tasks are claimed.
        index("tasks_waiting")
            .col("agent_type")
            .col(("priority", IndexOrder::Desc))
            .col("run_at")
            .col("id")
            .and_where(is_waiting)
            .take(),
        index("tasks_leases")
            .col("lease_until")
            .and_where(Expr::col("state").eq(RUNNING))
            .take(),
        index("tasks_unique_key")
            .col("unique_key")
            .unique()
            .and_where(is_unfinished)
            .take(),
        index("tasks_idempotency_key").col("idempotency_key").unique().take(),
        index("tasks_finished").col("finished_at").take(),
    ]
}

fn attempts() -> TableCreateStatement {
    Table::create()
        .table("task_attempts")
        .col(big_integer("task_id"))
        .col(integer("number"))
        .col(text("owner"))
        .col(timestamp_with_time_zone("started_at"))
        .col(timestamp_with_time_zone_null("ended_at"))
        .col(text_null("outcome"))
        .col(text_null("error_kind"))
        .col(text_null("error"))
        .primary_key(Index::create().name("task_attempts_key").col("task_id").col("number"))
        .foreign_key(
            ForeignKey::create()
                .name("task_attempts_task")
                .from("task_attempts", "task_id")
                .to("tasks", "id")
                .on_delete(ForeignKeyAction::Cascade),
        )
        .take()
}

fn paused_agents() -> TableCreateStatement {
    Table::create()
        .table("paused_agents")
        .col(text("agent_type").primary_key())
        .col(timestamp_with_time_zone("paused_at"))
        .take()
}
