//! What people order: a task called off, or tried again.

use sea_orm::{ActiveValue::Set, DatabaseTransaction, QuerySelect, entity::prelude::*};

use super::{State, Task, announce::announce, create::unfinished_with, not_found, row};
use crate::{
    Error,
    id::TaskId,
    store::{Store, claimed, clock},
};

/// Calls a task off. One that waits is cancelled at once; of one that runs this is noted, and its worker is told with the
/// next heartbeat. Asking twice is as good as once.
///
/// # Errors
/// Fails when there is no such task, and with `TASK_FINISHED` when it has ended otherwise.
pub async fn cancel(store: &Store, id: TaskId) -> Result<Task, Error> {
    store
        .write(async |transaction| {
            let before = locked(transaction, id).await?;
            let now = clock::now(transaction).await?;
            match before.state {
                State::Cancelled => Ok(before.into()),
                State::Running if before.cancel_requested_at.is_some() => Ok(before.into()),
                State::Running => {
                    let change = row::ActiveModel {
                        cancel_requested_at: Set(Some(now)),
                        ..Default::default()
                    };
                    write(transaction, id, change, "task_cancel_requested").await
                }
                State::Completed | State::Failed => Err(Error::Conflict {
                    code: "TASK_FINISHED",
                    reason: format!("task {id} has ended already"),
                }),
                State::Pending | State::Scheduled | State::Retryable | State::Interrupted => {
                    let change = row::ActiveModel {
                        state: Set(State::Cancelled),
                        finished_at: Set(Some(now)),
                        ..Default::default()
                    };
                    write(transaction, id, change, "task_cancelled").await
                }
            }
        })
        .await
}

/// Has a task that failed or was called off tried again, with as many attempts as a new one; one that waits for its next
/// attempt is tried at once.
///
/// # Errors
/// Fails when there is no such task, with `TASK_NOT_RETRYABLE` when it runs, was done or is about to run anyway, with
/// `UNIQUE_KEY_IN_USE` when another one with its key is unfinished, and with `PROJECT_DELETED` when its project is gone.
pub async fn retry(store: &Store, id: TaskId) -> Result<Task, Error> {
    claimed(|| try_retry(store, id)).await
}

async fn try_retry(store: &Store, id: TaskId) -> Result<Task, Error> {
    store
        .write(async |transaction| {
            let before = locked(transaction, id).await?;
            check_project(&before)?;
            match before.state {
                State::Failed | State::Cancelled => check_key(transaction, &before).await?,
                State::Retryable => {}
                State::Pending | State::Scheduled | State::Running | State::Completed | State::Interrupted => {
                    return Err(Error::Conflict {
                        code: "TASK_NOT_RETRYABLE",
                        reason: format!("task {id} has not failed, so it cannot be tried again"),
                    });
                }
            }
            let change = row::ActiveModel {
                state: Set(State::Pending),
                run_at: Set(clock::now(transaction).await?),
                failed_attempts: Set(0),
                lost_attempts: Set(0),
                cancel_requested_at: Set(None),
                finished_at: Set(None),
                ..Default::default()
            };
            write(transaction, id, change, "task_retried").await
        })
        .await
}

/// Without its project it would be carried out somewhere else.
fn check_project(row: &row::Model) -> Result<(), Error> {
    match row.is_orphaned {
        true => Err(Error::Conflict {
            code: "PROJECT_DELETED",
            reason: format!(
                "the project of task {} was deleted, so it cannot be tried again",
                row.id
            ),
        }),
        false => Ok(()),
    }
}

async fn check_key(transaction: &DatabaseTransaction, row: &row::Model) -> Result<(), Error> {
    let Some(key) = row.unique_key.clone() else {
        return Ok(());
    };
    match unfinished_with(transaction, key).await? {
        Some(other) => Err(Error::Conflict {
            code: "UNIQUE_KEY_IN_USE",
            reason: format!("task {} has the same unique key and is not finished", other.id),
        }),
        None => Ok(()),
    }
}

async fn locked(transaction: &DatabaseTransaction, id: TaskId) -> Result<row::Model, Error> {
    let row = row::Entity::find_by_id(id).lock_exclusive().one(transaction).await?;
    row.ok_or_else(|| not_found(id))
}

async fn write(
    transaction: &DatabaseTransaction,
    id: TaskId,
    change: row::ActiveModel,
    event: &'static str,
) -> Result<Task, Error> {
    let change = row::ActiveModel { id: Set(id), ..change };
    let task: Task = row::Entity::update(change).exec(transaction).await?.into();
    announce(transaction, event, &task).await?;
    Ok(task)
}
