//! Claiming: who may work on which tasks next.

use std::{cmp::Reverse, time::Duration};

use chrono::{DateTime, Utc};
use sea_orm::{
    ConnectionTrait, DatabaseTransaction, DbErr, QueryOrder, QuerySelect, Select,
    entity::prelude::*,
    sea_query::{Expr, LockBehavior, LockType},
};

use super::{Details, MAX_BATCH, Owner, State, Task, announce::event, pause, row};
use crate::{
    Error,
    store::{Store, clock, events},
};

/// How many more tasks of one agent a worker can take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Room {
    /// The agent.
    pub agent_type: String,
    /// So many tasks.
    pub num_tasks: u64,
}

/// Gives a worker tasks whose time has come, and the lease of each: those with the highest priority first, then those that
/// have waited longest, then the oldest. At most `limit` and [`MAX_BATCH`], of each agent as many as there is room for,
/// and none of an agent that is paused. On PostgreSQL several workers claim side by side.
///
/// # Errors
/// Fails when the database does; nothing was claimed then.
pub async fn claim(
    store: &Store,
    owner: &Owner,
    rooms: &[Room],
    limit: usize,
    lease: Duration,
) -> Result<Vec<Details>, Error> {
    // Most looks find nothing, and reading makes nobody wait.
    if !store.read(async |reader| Ok(is_any_due(reader, rooms).await?)).await? {
        return Ok(Vec::new());
    }
    store
        .write(async |transaction| {
            let now = clock::now(transaction).await?;
            let mut rows = due_rows(transaction, rooms, now).await?;
            rows.sort_by_key(|row| (Reverse(row.priority), row.run_at, row.id));
            rows.truncate(limit.min(MAX_BATCH));
            let mut claimed: Vec<Details> = rows.into_iter().map(Details::from).collect();
            let tasks = claimed.iter_mut().map(|details| &mut details.task).collect();
            begin(transaction, tasks, owner, now, now + lease).await?;
            Ok(claimed)
        })
        .await
}

async fn is_any_due(database: &impl ConnectionTrait, rooms: &[Room]) -> Result<bool, DbErr> {
    let now = clock::now(database).await?;
    let types = rooms.iter().map(|room| room.agent_type.as_str());
    let found = due(now)
        .filter(row::Column::AgentType.is_in(types))
        .filter(row::Column::AgentType.not_in_subquery(pause::paused_types()))
        .select_only()
        .column(row::Column::Id)
        .into_tuple::<i64>()
        .one(database)
        .await?;
    Ok(found.is_some())
}

fn due(now: DateTime<Utc>) -> Select<row::Entity> {
    row::Entity::find()
        .filter(row::Column::State.is_in(State::WAITING))
        .filter(row::Column::RunAt.lte(now))
}

async fn due_rows(
    transaction: &DatabaseTransaction,
    rooms: &[Room],
    now: DateTime<Utc>,
) -> Result<Vec<row::Model>, DbErr> {
    let paused = pause::paused_in(transaction).await?;
    let mut rows = Vec::new();
    for room in rooms.iter().filter(|room| !paused.contains(&room.agent_type)) {
        let of_agent = due(now)
            .filter(row::Column::AgentType.eq(&room.agent_type))
            .order_by_desc(row::Column::Priority)
            .order_by_asc(row::Column::RunAt)
            .order_by_asc(row::Column::Id)
            .limit(room.num_tasks.min(MAX_BATCH as u64))
            .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked);
        rows.extend(of_agent.all(transaction).await?);
    }
    Ok(rows)
}

/// Writes the leases of locked tasks, and brings what is known of them up to date.
async fn begin(
    transaction: &DatabaseTransaction,
    mut tasks: Vec<&mut Task>,
    owner: &Owner,
    now: DateTime<Utc>,
    lease_until: DateTime<Utc>,
) -> Result<(), Error> {
    // Its `min` is not that of numbers.
    use sea_orm::sea_query::ExprTrait;

    if tasks.is_empty() {
        return Ok(());
    }
    row::Entity::update_many()
        .col_expr(row::Column::State, Expr::val(State::Running))
        .col_expr(row::Column::Attempt, ExprTrait::add(Expr::col(row::Column::Attempt), 1))
        .col_expr(row::Column::Owner, Expr::val(owner.as_str()))
        .col_expr(row::Column::LeaseUntil, Expr::val(lease_until))
        .col_expr(row::Column::StartedAt, Expr::val(now))
        .col_expr(row::Column::Progress, Expr::val(Option::<Json>::None))
        .filter(row::Column::Id.is_in(tasks.iter().map(|task| task.id)))
        .exec(transaction)
        .await?;
    for task in &mut tasks {
        task.state = State::Running;
        task.attempt += 1;
        task.owner = Some(owner.as_str().to_owned());
        task.lease_until = Some(lease_until);
        task.started_at = Some(now);
        task.progress = None;
    }
    events::append_all(
        transaction,
        tasks.iter().map(|task| event("task_started", task)).collect(),
    )
    .await
}
