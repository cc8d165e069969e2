//! Forgetting tasks that ended long ago.

use std::time::Duration;

use sea_orm::{Condition, QuerySelect, QueryTrait, entity::prelude::*};

use super::{State, row};
use crate::{
    Error,
    store::{Store, clock},
};

/// Rows per transaction, so that writers wait for milliseconds.
const BATCH: u64 = 500;

/// Deletes tasks, with their attempts, that were done longer ago than `completed_age` or that failed or were called off
/// longer ago than `failed_age`. Returns how many were deleted.
///
/// # Errors
/// Fails when the database does; what was deleted before that stays deleted.
pub async fn prune(store: &Store, completed_age: Duration, failed_age: Duration) -> Result<u64, Error> {
    let mut num_deleted = 0;
    loop {
        let num_rows = store
            .write(async |transaction| {
                let now = clock::now(transaction).await?;
                let is_old = |states: &[State], age: Duration| {
                    Condition::all()
                        .add(row::Column::State.is_in(states.iter().copied()))
                        .add(row::Column::FinishedAt.lt(now - age))
                };
                let old = row::Entity::find()
                    .select_only()
                    .column(row::Column::Id)
                    .filter(
                        Condition::any()
                            .add(is_old(&[State::Completed], completed_age))
                            .add(is_old(&[State::Failed, State::Cancelled], failed_age)),
                    )
                    .limit(BATCH)
                    .into_query();
                let delete = row::Entity::delete_many().filter(row::Column::Id.in_subquery(old));
                Ok(delete.exec(transaction).await?.rows_affected)
            })
            .await?;
        num_deleted += num_rows;
        if num_rows < BATCH {
            return Ok(num_deleted);
        }
    }
}
