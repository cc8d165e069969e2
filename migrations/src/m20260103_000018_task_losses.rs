//! Lost workers are counted apart from failures, a task remembers that its project was deleted, and indexes hold only the
//! tasks that they are for: each change of a task writes anew whatever index it is in.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in columns() {
            manager
                .alter_table(Table::alter().table("tasks").add_column(column).take())
                .await?;
        }
        replace(manager, INDEXES.map(partial)).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        replace(manager, INDEXES.map(whole)).await?;
        for column in columns() {
            let drop = Table::alter()
                .table("tasks")
                .drop_column(column.get_column_name())
                .take();
            manager.alter_table(drop).await?;
        }
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

/// An index, its column, and whether it is unique.
type Known = (&'static str, &'static str, bool);

const INDEXES: [Known; 2] = [
    ("tasks_idempotency_key", "idempotency_key", true),
    ("tasks_finished", "finished_at", false),
];

async fn replace(manager: &SchemaManager<'_>, indexes: [IndexCreateStatement; 2]) -> Result<(), DbErr> {
    for ((name, ..), index) in INDEXES.into_iter().zip(indexes) {
        manager
            .drop_index(Index::drop().name(name).table("tasks").to_owned())
            .await?;
        manager.create_index(index).await?;
    }
    Ok(())
}

fn whole((name, column, is_unique): Known) -> IndexCreateStatement {
    let mut index = Index::create().name(name).table("tasks").col(column).take();
    if is_unique {
        index.unique();
    }
    index
}

fn partial(known: Known) -> IndexCreateStatement {
    whole(known).and_where(Expr::col(known.1).is_not_null()).take()
}

fn columns() -> [ColumnDef; 2] {
    [
        integer("lost_attempts").default(0).take(),
        boolean("is_orphaned").default(false).take(),
    ]
}
