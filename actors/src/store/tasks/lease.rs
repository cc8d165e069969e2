//! Leases: renewed by those who work, taken from those who do not.

use std::{collections::HashSet, time::Duration};

use sea_orm::{
    Condition, DatabaseTransaction, DbErr, QueryOrder, QuerySelect,
    entity::prelude::*,
    sea_query::{Expr, LockBehavior, LockType},
};
use uuid::Uuid;

use super::{MAX_BATCH, State, Task, machine::Outcome, row, settle::end_all};
use crate::{
    Error,
    id::TaskId,
    store::{Store, clock},
};

/// A worker: the installation that it belongs to, and which of the incarnations there it is. No two are the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    text: String,
    node_end: usize,
}

impl Owner {
    /// Makes the next worker of a node.
    pub fn new(node: Uuid) -> Self {
        let node = node.simple().to_string();
        Self {
            text: format!("{node}/{}", Uuid::new_v4().simple()),
            node_end: node.len(),
        }
    }

    /// Returns the text that names the worker.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns what the texts of all workers of this node begin with.
    pub fn node_prefix(&self) -> &str {
        &self.text[..=self.node_end]
    }
}

/// What tells an attempt at a task from any other, together with its owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fence {
    /// The task.
    pub task: TaskId,
    /// The attempt.
    pub attempt: i32,
}

/// What a worker is told of an attempt whose lease it has renewed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Beat {
    /// The attempt.
    pub fence: Fence,
    /// Whether somebody has asked for the task to be called off.
    pub is_cancel_requested: bool,
}

/// Renews the leases of these attempts in one write and returns those that the worker still has. An attempt that is
/// missing in the answer was given to somebody else, or has ended.
///
/// # Errors
/// Fails when the database does; no lease was renewed then.
pub async fn heartbeat(store: &Store, owner: &Owner, fences: &[Fence], lease: Duration) -> Result<Vec<Beat>, Error> {
    store
        .write(async |transaction| {
            let tasks = held(transaction, owner, fences).await?;
            let lease_until = clock::now(transaction).await? + lease;
            row::Entity::update_many()
                .col_expr(row::Column::LeaseUntil, Expr::val(lease_until))
                .filter(row::Column::Id.is_in(tasks.iter().map(|task| task.id)))
                .exec(transaction)
                .await?;
            let beat = |task: &Task| Beat {
                fence: task.fence(),
                is_cancel_requested: task.cancel_requested_at.is_some(),
            };
            Ok(tasks.iter().map(beat).collect())
        })
        .await
}

/// Locks the rows of those attempts that the worker still has.
pub(super) async fn held(
    transaction: &DatabaseTransaction,
    owner: &Owner,
    fences: &[Fence],
) -> Result<Vec<Task>, DbErr> {
    let tasks: Vec<Task> = row::Entity::find()
        .filter(row::Column::Id.is_in(fences.iter().map(|fence| fence.task)))
        .filter(row::Column::State.eq(State::Running))
        .filter(row::Column::Owner.eq(owner.as_str()))
        .order_by_asc(row::Column::Id)
        .lock_exclusive()
        .into_partial_model()
        .all(transaction)
        .await?;
    let fences: HashSet<&Fence> = fences.iter().collect();
    Ok(tasks
        .into_iter()
        .filter(|task| fences.contains(&task.fence()))
        .collect())
}

/// Takes the tasks from all workers that have not renewed their leases in time, and returns how many that were. What the
/// caller itself is `busy` with stays: after a sleep it renews those leases, unless somebody else was faster.
///
/// # Errors
/// Fails when the database does; what was taken before that stays taken.
pub async fn rescue(store: &Store, busy: &[Fence]) -> Result<u64, Error> {
    let ids: Vec<TaskId> = busy.iter().map(|fence| fence.task).collect();
    take_back(store, lost("the worker stopped renewing its lease"), |now| {
        Condition::all()
            .add(row::Column::LeaseUntil.lt(now))
            .add(row::Column::Id.is_not_in(ids.iter().copied()))
    })
    .await
}

/// Takes the tasks from all earlier workers of the owner's node, which are gone for sure, and returns how many that were.
///
/// # Errors
/// Those of [`rescue`].
pub async fn release(store: &Store, owner: &Owner) -> Result<u64, Error> {
    take_back(store, lost("BorgOS ended without handing the task back"), |_| {
        Condition::all()
            .add(row::Column::Owner.starts_with(owner.node_prefix()))
            .add(row::Column::Owner.ne(owner.as_str()))
    })
    .await
}

/// Gives back what the owner was given and does not know of, since the answer to its claim was cut off: everything that it
/// has and is not `busy` with. Nothing of that was begun.
///
/// # Errors
/// Those of [`rescue`].
pub async fn give_back(store: &Store, owner: &Owner, busy: &[Fence]) -> Result<u64, Error> {
    let ids: Vec<TaskId> = busy.iter().map(|fence| fence.task).collect();
    take_back(store, Outcome::Interrupted, |_| {
        Condition::all()
            .add(row::Column::Owner.eq(owner.as_str()))
            .add(row::Column::Id.is_not_in(ids.iter().copied()))
    })
    .await
}

fn lost(reason: &str) -> Outcome {
    Outcome::Lost {
        reason: reason.to_owned(),
    }
}

async fn take_back(store: &Store, outcome: Outcome, which: impl Fn(DateTimeUtc) -> Condition) -> Result<u64, Error> {
    let mut num_taken = 0;
    loop {
        let num_tasks = store
            .write(async |transaction| {
                let now = clock::now(transaction).await?;
                let tasks: Vec<Task> = row::Entity::find()
                    .filter(row::Column::State.eq(State::Running))
                    .filter(which(now))
                    .order_by_asc(row::Column::Id)
                    .limit(MAX_BATCH as u64)
                    .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
                    .into_partial_model()
                    .all(transaction)
                    .await?;
                let num_tasks = tasks.len();
                let ended = tasks.into_iter().map(|task| (task, outcome.clone())).collect();
                end_all(transaction, ended, now).await?;
                Ok(num_tasks)
            })
            .await?;
        num_taken += num_tasks as u64;
        if num_tasks < MAX_BATCH {
            return Ok(num_taken);
        }
    }
}
