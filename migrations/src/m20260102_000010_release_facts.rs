//! What is known of a release beside what it runs: which one is being started, which one was built for it, how a start or a
//! build went, and how long each part of it took.

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
