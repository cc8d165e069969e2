//! Connections: how many, and with which settings.

use std::{path::PathBuf, str::FromStr, time::Duration};

use sea_orm::{
    ConnectOptions, DatabaseConnection, DbErr, SqlxPostgresConnector, SqlxSqliteConnector,
    sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};

use super::OpenError;

/// How long a SQLite connection waits for a lock that another process holds.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a caller waits for a free connection before it is told that the database does not answer.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(15);

const NUM_SQLITE_READERS: u32 = 4;
const NUM_POSTGRES_CONNECTIONS: u32 = 10;

/// Which database a url names.
pub(super) enum Engine {
    /// A SQLite file.
    Sqlite(PathBuf),
    /// A PostgreSQL server.
    Postgres,
}

impl Engine {
    pub(super) fn of(url: &str) -> Result<Self, OpenError> {
        if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            return Ok(Self::Postgres);
        }
        if !url.starts_with("sqlite:") {
            return Err(OpenError::Url(
                "must begin with `sqlite:`, `postgres:` or `postgresql:`",
            ));
        }
        // Each connection would have a database of its own, and all of them would end with the process.
        if url.contains(":memory:") || url.contains("mode=memory") {
            return Err(OpenError::Url("must name a file"));
        }
        match SqliteConnectOptions::from_str(url) {
            Ok(options) => Ok(Self::Sqlite(options.get_filename().to_owned())),
            Err(_) => Err(OpenError::Url("must be `sqlite://`, an absolute path and `?mode=rwc`")),
        }
    }
}

/// Opens the connections for writing and for reading. On PostgreSQL they are the same.
pub(super) async fn pools(url: &str) -> Result<(DatabaseConnection, DatabaseConnection), OpenError> {
    if let Engine::Postgres = Engine::of(url)? {
        let pool = postgres(url, NUM_POSTGRES_CONNECTIONS).await?;
        return Ok((pool.clone(), pool));
    }
    let writer = sqlite(url, 1, |options| options.foreign_keys(true)).await?;
    let reader = sqlite(url, NUM_SQLITE_READERS, |options| options.pragma("query_only", "ON")).await?;
    Ok((writer, reader))
}

/// Opens one connection that may change the schema: without foreign keys on SQLite, where rebuilding a table would
/// otherwise delete whatever refers to it.
pub(super) async fn for_migration(url: &str) -> Result<DatabaseConnection, OpenError> {
    match Engine::of(url)? {
        Engine::Postgres => postgres(url, 1).await,
        Engine::Sqlite(_) => sqlite(url, 1, |options| options.foreign_keys(false)).await,
    }
}

async fn sqlite(
    url: &str,
    num_connections: u32,
    adjust: fn(SqliteConnectOptions) -> SqliteConnectOptions,
) -> Result<DatabaseConnection, OpenError> {
    let mut options = options(url, num_connections);
    options.map_sqlx_sqlite_opts(move |options| {
        // FULL: a commit is on disk when it returns; with NORMAL a power cut could take back an answer.
        let options = options
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            // What is deleted may have been secret.
            .pragma("secure_delete", "ON")
            .busy_timeout(BUSY_TIMEOUT);
        adjust(options)
    });
    connected(SqlxSqliteConnector::connect(options).await)
}

async fn postgres(url: &str, num_connections: u32) -> Result<DatabaseConnection, OpenError> {
    connected(SqlxPostgresConnector::connect(options(url, num_connections)).await)
}

fn options(url: &str, num_connections: u32) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(num_connections)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .sqlx_logging(false);
    options
}

fn connected(result: Result<DatabaseConnection, DbErr>) -> Result<DatabaseConnection, OpenError> {
    result.map_err(OpenError::Connect)
}
