//! Releases: the built versions of a deployment, numbered within it.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::create()
            .table("releases")
            .col(big_pk_auto("id"))
            .col(big_integer("deployment_id"))
            .col(big_integer("number"))
            .col(json_binary_null("artifact"))
            .col(json_binary("environment"))
            .col(text_null("cpu_limit"))
            .col(text_null("memory_limit"))
            .col(text_null("source_commit"))
            .col(text("status"))
            .col(text_null("reason"))
            .col(timestamp_with_time_zone("created_at"))
            .col(text("created_by"))
            .col(timestamp_with_time_zone_null("served_at"))
            .foreign_key(
                ForeignKey::create()
                    .name("releases_deployment")
                    .from("releases", "deployment_id")
                    .to("deployments", "id")
                    .on_delete(ForeignKeyAction::Cascade),
            )
            .take();
        manager.create_table(table).await?;
        let number = Index::create()
            .name("releases_deployment_id_number")
            .table("releases")
            .col("deployment_id")
            .col("number")
            .unique()
            .take();
        manager.create_index(number).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("releases").take()).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
