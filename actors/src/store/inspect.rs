//! Looking at a database without using it.

use super::{
    OpenError, Settings,
    connect::{self, Engine},
    migrate::is_behind,
};

/// What a database is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// There is no file yet.
    Missing,
    /// Its schema is older than this program's, which a start changes.
    Behind,
    /// It can be used as it is.
    UpToDate,
}

/// Connects and compares the schema, and changes nothing.
///
/// # Errors
/// Fails as [`super::Store::open`] would.
pub async fn inspect(settings: &Settings) -> Result<Condition, OpenError> {
    if let Engine::Sqlite(file) = Engine::of(&settings.url)?
        && !file.exists()
    {
        return Ok(Condition::Missing);
    }
    let database = connect::for_migration(&settings.url).await?;
    let applied = borgos_migrations::applied(&database).await.map_err(OpenError::Connect);
    database.close().await.map_err(OpenError::Connect)?;
    Ok(if is_behind(&applied?)? {
        Condition::Behind
    } else {
        Condition::UpToDate
    })
}
