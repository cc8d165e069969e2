//! Accepting a task.

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::{DatabaseTransaction, PaginatorTrait, entity::prelude::*};

use super::{
    NewTask, State, Task,
    announce::{announce, event},
    row,
};
use crate::{
    Error,
    id::{ProjectId, TaskId},
    store::{
        Store, claimed, clock,
        column::{storable, storable_json},
        events, projects,
    },
};

/// What came of a wish to create a task.
#[derive(Debug, Clone, PartialEq)]
pub struct Created {
    /// The task: the new one, or the one that has its key.
    pub task: Task,
    /// Whether it was there before.
    pub is_duplicate: bool,
}

/// Creates a task, unless one with its idempotency key is known or one with its unique key is unfinished.
///
/// # Errors
/// Fails when there is no such project, with [`Error::TooManyTasks`] when `max_waiting` tasks of the agent wait already,
/// and with `IDEMPOTENCY_KEY_REUSED` when the key came with another task.
pub async fn create(store: &Store, new: &NewTask, max_waiting: u64) -> Result<Created, Error> {
    claimed(|| try_create(store, new, max_waiting)).await
}

async fn try_create(store: &Store, new: &NewTask, max_waiting: u64) -> Result<Created, Error> {
    store
        .write(async |transaction| {
            if let Some(row) = existing(transaction, new).await? {
                return Ok(Created {
                    task: row.into(),
                    is_duplicate: true,
                });
            }
            if let Some(id) = new.project_id {
                projects::check_exists(transaction, id).await?;
            }
            check_room(transaction, &new.agent_type, 1, max_waiting).await?;
            let now = clock::now(transaction).await?;
            let task: Task = row::Entity::insert(row::new(new, now))
                .exec_with_returning(transaction)
                .await?
                .into();
            announce(transaction, "task_created", &task).await?;
            Ok(Created {
                task,
                is_duplicate: false,
            })
        })
        .await
}

/// Creates tasks that have no keys, all of them or none, and returns their ids in the same order. Each comes with how many
/// tasks of its agent may wait.
///
/// # Errors
/// Those of [`create`].
pub async fn create_all(store: &Store, new: &[(NewTask, u64)]) -> Result<Vec<TaskId>, Error> {
    claimed(|| try_create_all(store, new)).await
}

async fn try_create_all(store: &Store, new: &[(NewTask, u64)]) -> Result<Vec<TaskId>, Error> {
    store
        .write(async |transaction| {
            let projects: BTreeSet<ProjectId> = new.iter().filter_map(|(task, _)| task.project_id).collect();
            for id in projects {
                projects::check_exists(transaction, id).await?;
            }
            let mut rooms: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
            for (task, max_waiting) in new {
                rooms.entry(&task.agent_type).or_insert((0, *max_waiting)).0 += 1;
            }
            for (agent_type, (num_new, max_waiting)) in rooms {
                check_room(transaction, agent_type, num_new, max_waiting).await?;
            }
            let now = clock::now(transaction).await?;
            let rows = row::Entity::insert_many(new.iter().map(|(task, _)| row::new(task, now)))
                .exec_with_returning(transaction)
                .await?;
            let mut tasks: Vec<Task> = rows.into_iter().map(Task::from).collect();
            tasks.sort_unstable_by_key(|task| task.id);
            let news = tasks.iter().map(|task| event("task_created", task)).collect();
            events::append_all(transaction, news).await?;
            Ok(tasks.iter().map(|task| task.id).collect())
        })
        .await
}

async fn existing(transaction: &DatabaseTransaction, new: &NewTask) -> Result<Option<row::Model>, Error> {
    if let Some(key) = new.idempotency_key.clone() {
        let query = row::Entity::find().filter(row::Column::IdempotencyKey.eq(storable(key)));
        match query.one(transaction).await? {
            Some(row) if is_same(&row, new) => return Ok(Some(row)),
            Some(row) => {
                return Err(Error::Conflict {
                    code: "IDEMPOTENCY_KEY_REUSED",
                    reason: format!("the idempotency key came with another task before, task {}", row.id),
                });
            }
            None => {}
        }
    }
    match new.unique_key.clone() {
        Some(key) => unfinished_with(transaction, key).await,
        None => Ok(None),
    }
}

/// Finds the unfinished task that has a unique key.
pub(super) async fn unfinished_with(
    transaction: &DatabaseTransaction,
    unique_key: String,
) -> Result<Option<row::Model>, Error> {
    let unfinished = State::WAITING.into_iter().chain([State::Running]);
    let query = row::Entity::find()
        .filter(row::Column::UniqueKey.eq(storable(unique_key)))
        .filter(row::Column::State.is_in(unfinished));
    Ok(query.one(transaction).await?)
}

fn is_same(row: &row::Model, new: &NewTask) -> bool {
    let same_work = row.agent_type == new.agent_type
        && row.task_type == storable(new.task_type.clone())
        && row.description == storable(new.description.clone())
        && row.input_data == storable_json(new.input_data.clone());
    same_work
        && (row.project_id, row.priority, row.max_attempts, row.timeout_s)
            == (new.project_id, new.priority, new.max_attempts, new.timeout_s)
}

/// Back pressure, not a quota: two that come in the same instant may both find the last place.
async fn check_room(
    transaction: &DatabaseTransaction,
    agent_type: &str,
    num_new: u64,
    max_waiting: u64,
) -> Result<(), Error> {
    let num_waiting = row::Entity::find()
        .filter(row::Column::AgentType.eq(storable(agent_type.to_owned())))
        .filter(row::Column::State.is_in(State::WAITING))
        .count(transaction)
        .await?;
    match num_waiting + num_new > max_waiting {
        true => Err(Error::TooManyTasks {
            agent_type: agent_type.to_owned(),
            max_waiting,
        }),
        false => Ok(()),
    }
}
