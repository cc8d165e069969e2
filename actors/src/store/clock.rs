//! The one clock that all programs on a database share.

use chrono::{DateTime, SubsecRound, Utc};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};

/// Returns the database's time. SQLite has no server: its clock is that of this machine, as ours is. PostgreSQL is asked
/// for the time at which it answers, since a transaction may have waited long for a lock.
pub(super) async fn now(database: &impl ConnectionTrait) -> Result<DateTime<Utc>, DbErr> {
    if database.get_database_backend() != DbBackend::Postgres {
        return Ok(super::now());
    }
    let query = Statement::from_string(DbBackend::Postgres, "SELECT clock_timestamp()");
    let row = database.query_one_raw(query).await?;
    let row = row.ok_or_else(|| DbErr::RecordNotFound("the database's time".to_owned()))?;
    let now: DateTime<Utc> = row.try_get_by_index(0)?;
    Ok(now.trunc_subsecs(6))
}
