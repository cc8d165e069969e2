//! What a release was made of: the commit that was asked for, and the plan by which it was built.

use sea_orm_migration::{prelude::*, schema::*};

use crate::columns;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        columns::add(manager, &mut columns()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        columns::drop(manager, &mut columns()).await
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
