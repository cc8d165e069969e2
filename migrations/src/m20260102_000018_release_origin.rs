//! What a release was made of: the commit that was asked for, and the plan by which it was built.

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

fn columns() -> [(&'static str, ColumnDef); 3] {
    [
        ("deployments", text_null("source_ref")),
        ("releases", text_null("source_ref")),
        ("releases", json_binary_null("recipe")),
    ]
}
