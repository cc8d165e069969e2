//! Deployments: what is to run of a project, on which port, and what was last seen of it.
//!
//! The row of a deleted deployment stays, so that its releases and log entries keep what they refer to; when its project
//! goes, the row loses the reference. A live deployment cannot lose it: the check below refuses that.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(table()).await?;
        for claim in ["port", "name"] {
            manager.create_index(live_unique(claim)).await?;
        }
        let of_project = Index::create()
            .name("deployments_project_id")
            .table("deployments")
            .col("project_id")
            .take();
        manager.create_index(of_project).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("deployments").take()).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

fn table() -> TableCreateStatement {
    Table::create()
        .table("deployments")
        .col(big_pk_auto("id"))
        .col(big_integer_null("project_id"))
        .col(text("name"))
        .col(integer("port"))
        .col(text("desired"))
        .col(text("status"))
        .col(text_null("reason"))
        .col(timestamp_with_time_zone("observed_at"))
        .col(text("runtime"))
        .col(text_null("image"))
        .col(json_binary_null("command"))
        .col(integer_null("container_port"))
        .col(json_binary("environment"))
        .col(text_null("cpu_limit"))
        .col(text_null("memory_limit"))
        .col(text_null("health_check_path"))
        .col(big_integer("health_timeout_s"))
        .col(big_integer("health_interval_s"))
        .col(big_integer("health_retries"))
        // No foreign key: releases refer to deployments, and SQLite cannot add the way back later.
        .col(big_integer_null("release_id"))
        .col(big_integer_null("target_id"))
        .col(text_null("instance"))
        .col(text_null("candidate"))
        .col(boolean("is_replacing").default(false))
        .col(big_integer("generation").default(0))
        .col(big_integer("restarts").default(0))
        .col(timestamp_with_time_zone_null("started_at"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone("updated_at"))
        .col(timestamp_with_time_zone_null("deleted_at"))
        .foreign_key(
            ForeignKey::create()
                .name("deployments_project")
                .from("deployments", "project_id")
                .to("projects", "id")
                .on_delete(ForeignKeyAction::SetNull),
        )
        .check(
            Expr::col("project_id")
                .is_not_null()
                .or(Expr::col("deleted_at").is_not_null()),
        )
        .take()
}

/// No two deployments that are not deleted have the same value here, whatever the timing.
fn live_unique(column: &'static str) -> IndexCreateStatement {
    Index::create()
        .name(format!("deployments_live_{column}"))
        .table("deployments")
        .col(column)
        .unique()
        .and_where(Expr::col("deleted_at").is_null())
        .take()
}
