//! Push to deploy: the secret of each project's hook, which deliveries were seen, and which commits are still to be built.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [hooks(), deliveries(), wishes()] {
            manager.create_table(table).await?;
        }
        for column in ["delivery", "body_digest"] {
            // Either of them tells a delivery that was seen before.
            let index = Index::create()
                .name(format!("push_deliveries_{column}"))
                .table("push_deliveries")
                .col("project_id")
                .col(column)
                .unique()
                .take();
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["push_wishes", "push_deliveries", "push_hooks"] {
            manager.drop_table(Table::drop().table(table).take()).await?;
        }
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

fn hooks() -> TableCreateStatement {
    Table::create()
        .table("push_hooks")
        .col(big_integer("project_id").primary_key().take())
        .col(text("secret"))
        .col(text_null("branch"))
        .col(json_binary_null("deployments"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone("updated_at"))
        .foreign_key(&mut of_project("push_hooks"))
        .take()
}

fn deliveries() -> TableCreateStatement {
    Table::create()
        .table("push_deliveries")
        .col(big_pk_auto("id"))
        .col(big_integer("project_id"))
        .col(text("delivery"))
        .col(text("body_digest"))
        .col(text("branch"))
        .col(text("commit_id"))
        .col(timestamp_with_time_zone("received_at"))
        .foreign_key(&mut of_project("push_deliveries"))
        .take()
}

/// One for each deployment at most: a newer one takes its place.
fn wishes() -> TableCreateStatement {
    Table::create()
        .table("push_wishes")
        .col(big_integer("deployment_id").primary_key().take())
        .col(text("branch"))
        .col(text("commit_id"))
        .col(timestamp_with_time_zone("wished_at"))
        .take()
}

fn of_project(table: &'static str) -> ForeignKeyCreateStatement {
    ForeignKey::create()
        .name(format!("{table}_project"))
        .from(table, "project_id")
        .to("projects", "id")
        .on_delete(ForeignKeyAction::Cascade)
        .take()
}
