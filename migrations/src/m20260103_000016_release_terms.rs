//! How the instances of a release are asked whether they are well: those of before were asked as their deployment says. And
//! the volumes of a deployment.

use sea_orm_migration::{prelude::*, schema::*};

const TABLE: &str = "releases";
const VOLUMES: &str = "volumes";

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for mut column in columns() {
            let name = column.get_column_name();
            // One at a time, since SQLite adds no more at once.
            manager
                .alter_table(Table::alter().table(TABLE).add_column(column.take()).take())
                .await?;
            let of_deployment = Query::select()
                .column(("deployments", name.clone()))
                .from("deployments")
                .and_where(Expr::col(("deployments", "id")).equals((TABLE, "deployment_id")))
                .take();
            let update = Query::update().table(TABLE).value(name, of_deployment).take();
            manager.execute(update).await?;
        }
        let volumes = Table::alter()
            .table("deployments")
            .add_column(json_binary_null(VOLUMES))
            .take();
        manager.alter_table(volumes).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for mut column in columns() {
            let name = column.take().get_column_name();
            manager
                .alter_table(Table::alter().table(TABLE).drop_column(name).take())
                .await?;
        }
        let volumes = Table::alter().table("deployments").drop_column(VOLUMES).take();
        manager.alter_table(volumes).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

fn columns() -> [ColumnDef; 4] {
    [
        text_null("health_check_path"),
        // A column that is not null needs a default; none of these numbers stays.
        big_integer("health_timeout_s").default(60).take(),
        big_integer("health_interval_s").default(10).take(),
        big_integer("health_retries").default(3).take(),
    ]
}
