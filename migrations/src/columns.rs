//! Steps that only add columns.

use sea_orm_migration::prelude::*;

/// Columns by the table that they are added to.
type Columns<'a> = &'a mut [(&'static str, ColumnDef)];

/// Adds columns, one at a time, since SQLite adds no more at once.
pub(crate) async fn add(manager: &SchemaManager<'_>, columns: Columns<'_>) -> Result<(), DbErr> {
    for (table, column) in columns {
        let alter = Table::alter().table(*table).add_column(column.take()).take();
        manager.alter_table(alter).await?;
    }
    Ok(())
}

/// Takes them away again.
pub(crate) async fn drop(manager: &SchemaManager<'_>, columns: Columns<'_>) -> Result<(), DbErr> {
    for (table, column) in columns {
        let name = column.take().get_column_name();
        let alter = Table::alter().table(*table).drop_column(name).take();
        manager.alter_table(alter).await?;
    }
    Ok(())
}
