//! What the end of a project means to its tasks.

use sea_orm::{DatabaseTransaction, QueryOrder, QuerySelect, entity::prelude::*};

use super::{State, row};
use crate::{
    Error,
    id::{ProjectId, TaskId},
};

/// So many are named of those that are in the way.
const MAX_NAMED: u64 = 10;

/// Takes the tasks of a project that is about to be deleted, and that is locked, from it. They are kept, and never carried
/// out again: nobody knows where that would be.
///
/// # Errors
/// Fails with `PROJECT_HAS_TASKS` while some are unfinished.
pub(in crate::store) async fn leave(transaction: &DatabaseTransaction, project: ProjectId) -> Result<(), Error> {
    let unfinished = State::WAITING.into_iter().chain([State::Running]);
    let ids: Vec<TaskId> = row::Entity::find()
        .select_only()
        .column(row::Column::Id)
        .filter(row::Column::ProjectId.eq(project))
        .filter(row::Column::State.is_in(unfinished))
        .order_by_asc(row::Column::Id)
        .limit(MAX_NAMED + 1)
        .into_tuple()
        .all(transaction)
        .await?;
    if !ids.is_empty() {
        return Err(Error::Conflict {
            code: "PROJECT_HAS_TASKS",
            reason: format!(
                "project {project} has unfinished tasks ({}); cancel them or wait for their ends first",
                named(&ids)
            ),
        });
    }
    row::Entity::update_many()
        .col_expr(row::Column::IsOrphaned, Expr::val(true))
        .filter(row::Column::ProjectId.eq(project))
        .exec(transaction)
        .await?;
    Ok(())
}

fn named(ids: &[TaskId]) -> String {
    let (named, more) = ids.split_at(ids.len().min(MAX_NAMED as usize));
    let mut names: Vec<String> = named.iter().map(TaskId::to_string).collect();
    if !more.is_empty() {
        names.push("…".to_owned());
    }
    names.join(", ")
}
