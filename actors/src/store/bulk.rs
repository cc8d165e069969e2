//! One statement that gives many rows values of their own.

use sea_orm::{
    ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, Value,
    sea_query::{Alias, Expr, ExprTrait, IntoIden, Query, TableRef, ValueTuple},
};

/// What the list of new values is called within the statement.
const GIVEN: &str = "given";

/// Writes the columns `changes` of those rows whose columns `keys` are as given, and returns how many rows that were. Each
/// of `rows` has the values of the keys, then those of the changes. SQL takes some thirty thousand values.
///
/// # Errors
/// Fails when the database does; the transaction is of no use then.
pub(super) async fn update<E: EntityTrait>(
    transaction: &DatabaseTransaction,
    keys: &[E::Column],
    changes: &[E::Column],
    rows: Vec<Vec<Value>>,
) -> Result<u64, DbErr> {
    if rows.is_empty() {
        return Ok(0);
    }
    let rows = rows.into_iter().map(ValueTuple::Many).collect();
    let mut update = Query::update();
    update
        .table(E::default())
        .from(TableRef::ValuesList(rows, GIVEN.into_iden()));
    for (number, column) in (1..).zip(keys) {
        update.and_where(Expr::col((E::default(), *column)).eq(given(number)));
    }
    for (number, column) in (keys.len() + 1..).zip(changes) {
        update.value(*column, given(number));
    }
    Ok(transaction.execute(&update).await?.rows_affected())
}

/// Names a value as both databases do.
fn given(number: usize) -> Expr {
    Expr::col((GIVEN, Alias::new(format!("column{number}"))))
}
