//! The attempts at a task: who made them, and how each ended.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use sea_orm::{
    ActiveValue::Set, DatabaseTransaction, QueryOrder, QuerySelect, entity::prelude::*, sea_query::OnConflict,
};
use serde::{Deserialize, Serialize};

use super::{State, Task, machine::Ending, row as tasks};
use crate::{Error, id::TaskId, store::Store};

mod row;

/// Attempts that are shown of one task; the newest say the most.
const MAX_SHOWN: u64 = 100;

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, EnumIter, DeriveActiveEnum, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[schemars(inline)]
pub enum AttemptOutcome {
    /// The task was done.
    Completed,
    /// The task was not done.
    Failed,
    /// Its worker stopped renewing the lease.
    Lost,
    /// Its worker handed the task back.
    Interrupted,
    /// Somebody called the task off.
    Cancelled,
}

/// An attempt at a task.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Attempt {
    /// Its number, from 1.
    pub number: i32,
    /// The worker that made it.
    pub owner: String,
    /// When it was begun.
    pub started_at: DateTime<Utc>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
    /// How it ended.
    pub outcome: Option<AttemptOutcome>,
    /// The class of its failure.
    pub error_kind: Option<String>,
    /// Why it failed.
    pub error: Option<String>,
}

impl Attempt {
    fn begun(task: Task) -> Self {
        Self {
            number: task.attempt,
            owner: task.owner.unwrap_or_default(),
            started_at: task.started_at.unwrap_or(task.created_at),
            ended_at: None,
            outcome: None,
            error_kind: None,
            error: None,
        }
    }
}

impl From<row::Model> for Attempt {
    fn from(row: row::Model) -> Self {
        Self {
            number: row.number,
            owner: row.owner,
            started_at: row.started_at,
            ended_at: row.ended_at,
            outcome: row.outcome,
            error_kind: row.error_kind,
            error: row.error,
        }
    }
}

/// Returns the newest hundred attempts at a task, oldest first. One that runs is known by its task alone until it has ended.
///
/// # Errors
/// Fails when the database does.
pub async fn attempts(store: &Store, id: TaskId) -> Result<Vec<Attempt>, Error> {
    let query = row::Entity::find()
        .filter(row::Column::TaskId.eq(id))
        .order_by_desc(row::Column::Number)
        .limit(MAX_SHOWN);
    let running = tasks::Entity::find_by_id(id)
        .filter(tasks::Column::State.eq(State::Running))
        .into_partial_model::<Task>();
    store
        .read(async |reader| {
            let running = running.one(reader).await?;
            let ended = query.all(reader).await?.into_iter().rev().map(Attempt::from);
            let mut attempts: Vec<Attempt> = ended.collect();
            let is_last = |task: &Task| attempts.last().is_none_or(|last| last.number < task.attempt);
            attempts.extend(running.filter(is_last).map(Attempt::begun));
            Ok(attempts)
        })
        .await
}

/// Notes how the attempts ended that these tasks had.
pub(super) async fn end_all(
    transaction: &DatabaseTransaction,
    endings: Vec<(Task, Ending)>,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    if endings.is_empty() {
        return Ok(());
    }
    let ended = endings.into_iter().map(|(task, ending)| row::ActiveModel {
        task_id: Set(task.id),
        number: Set(task.attempt),
        owner: Set(task.owner.unwrap_or_default()),
        started_at: Set(task.started_at.unwrap_or(task.created_at)),
        ended_at: Set(Some(now)),
        outcome: Set(Some(ending.outcome)),
        error_kind: Set(ending.error_kind),
        error: Set(ending.error),
    });
    // An earlier BorgOS has written attempts at their beginning.
    let update = OnConflict::columns([row::Column::TaskId, row::Column::Number])
        .update_columns([
            row::Column::EndedAt,
            row::Column::Outcome,
            row::Column::ErrorKind,
            row::Column::Error,
        ])
        .to_owned();
    row::Entity::insert_many(ended)
        .on_conflict(update)
        .exec_without_returning(transaction)
        .await?;
    Ok(())
}
