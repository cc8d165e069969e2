//! What is known of a release beside what it runs: which one is being started, which one was built for it, how a start or a
//! build went, and how long each part of it took.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (table, column) in columns() {
            // One at a time, since SQLite adds no more at once.
            manager
                .alter_table(Table::alter().table(table).add_column(column).take())
                .await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (table, mut column) in columns() {
            let name = column.take().get_column_name();
            manager
                .alter_table(Table::alter().table(table).drop_column(name).take())
                .await?;
        }
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

fn columns() -> [(&'static str, ColumnDef); 7] {
    [
        // No foreign key, for the same reason as for the other releases of a deployment.
        ("deployments", big_integer_null("candidate_release_id")),
        ("releases", big_integer_null("built_as")),
        ("releases", json_binary_null("phases")),
        ("releases", json_binary_null("build_log")),
        ("releases", big_integer_null("exit_code")),
        ("releases", boolean_null("is_oom")),
        ("releases", json_binary_null("last_lines")),
    ]
}
