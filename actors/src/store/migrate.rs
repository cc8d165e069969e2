//! Brings the schema up to date: one program at a time, all steps or none, and with a copy to go back to.

use std::{
    fs::{File, TryLockError},
    path::{Path, PathBuf},
    time::Duration,
};

use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, RuntimeErr, Statement, TransactionTrait,
};
use tokio::time::Instant;

use super::{
    Settings,
    connect::{self, Engine},
    immediate,
};

/// How long to wait for another program's migration.
const LOCK_TIMEOUT: Duration = Duration::from_secs(60);
const LOCK_INTERVAL: Duration = Duration::from_millis(50);

/// The advisory lock that migrations of one PostgreSQL database take; any number does that nobody else uses.
const POSTGRES_LOCK: i64 = 0x0062_6f72_676f_7301;

/// Why the database could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The url is not one of a database that we can use. It is not repeated, since it may hold a password.
    #[error("the database url {0}")]
    Url(&'static str),
    /// The database could not be reached or read.
    #[error("cannot open the database")]
    Connect(#[source] DbErr),
    /// The lock of migrations could not be opened.
    #[error("cannot open the lock file `{path}`")]
    LockFile {
        /// Its path.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// Another program has been migrating the database for too long.
    #[error("another program is still migrating the database after {LOCK_TIMEOUT:?}")]
    Locked,
    /// A newer BorgOS has changed the schema.
    #[error(
        "the database belongs to a newer BorgOS: it has the steps `{}`, which this program does not know; \
         use the newer program, or the copy that it left beside the database",
        unknown.join("`, `")
    )]
    Newer {
        /// The steps that this program does not know.
        unknown: Vec<String>,
    },
    /// The SQLite file has tables, yet none of ours.
    #[error("`{0}` is a database of another program")]
    Foreign(PathBuf),
    /// The database could not be copied, so it was not changed.
    #[error("cannot copy the database to `{path}` before migrating it")]
    Copy {
        /// Where the copy was to be.
        path: PathBuf,
        /// What went wrong.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The environments need another key.
    #[error("the database is sealed with key `{wanted}`, and {place} holds key `{given}`")]
    WrongKey {
        /// The id of the key that they need.
        wanted: String,
        /// The id of the key that there is.
        given: String,
        /// Where that was found.
        place: String,
    },
    /// There is no key, and none could be made.
    #[error(transparent)]
    Key(crate::seal::KeyFileError),
    /// The environments could not be sealed, or not with another key.
    #[error("cannot seal the environments in the database")]
    Seal(#[source] DbErr),
    /// A step failed; the database is as it was.
    #[error("cannot migrate the database")]
    Migrate(#[source] DbErr),
}

/// Brings the database that `settings` name up to date.
pub(super) async fn migrate(settings: &Settings) -> Result<(), OpenError> {
    let engine = Engine::of(&settings.url)?;
    let _lock = match &engine {
        Engine::Sqlite(_) => Some(lock(settings.data_dir.join("migration.lock")).await?),
        Engine::Postgres => None,
    };
    let database = connect::for_migration(&settings.url).await?;
    let result = match &engine {
        Engine::Sqlite(file) => migrate_sqlite(&database, file).await,
        Engine::Postgres => migrate_postgres(&database).await,
    };
    let closed = database.close().await.map_err(OpenError::Connect);
    result.and(closed)
}

/// Takes the lock of migrations, which ends with the returned file.
async fn lock(path: PathBuf) -> Result<File, OpenError> {
    let failed = |source| OpenError::LockFile {
        path: path.clone(),
        source,
    };
    let file = File::create(&path).map_err(failed)?;
    let deadline = Instant::now() + LOCK_TIMEOUT;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::Error(source)) => return Err(failed(source)),
            Err(TryLockError::WouldBlock) if Instant::now() < deadline => tokio::time::sleep(LOCK_INTERVAL).await,
            Err(TryLockError::WouldBlock) => return Err(OpenError::Locked),
        }
    }
}

async fn migrate_sqlite(database: &DatabaseConnection, file: &Path) -> Result<(), OpenError> {
    let applied = borgos_migrations::applied(database).await.map_err(OpenError::Connect)?;
    if !is_behind(&applied)? {
        return Ok(());
    }
    match applied.last() {
        Some(last) => copy(database, file, last).await?,
        None => check_is_ours(database, file).await?,
    }
    let transaction = database
        .begin_with_options(immediate())
        .await
        .map_err(OpenError::Migrate)?;
    take_steps(transaction).await.map_err(OpenError::Migrate)
}

/// The lock is one of the transaction, so that it cannot outlive it, and is taken before the first look.
async fn migrate_postgres(database: &DatabaseConnection) -> Result<(), OpenError> {
    let transaction = database.begin().await.map_err(OpenError::Connect)?;
    let timeout = format!("SET LOCAL lock_timeout = {}", LOCK_TIMEOUT.as_millis());
    transaction
        .execute_unprepared(&timeout)
        .await
        .map_err(OpenError::Connect)?;
    let lock = Statement::from_sql_and_values(
        DbBackend::Postgres,
        "SELECT pg_advisory_xact_lock($1)",
        [POSTGRES_LOCK.into()],
    );
    transaction.execute_raw(lock).await.map_err(locked_or_lost)?;
    let applied = borgos_migrations::applied(&transaction)
        .await
        .map_err(OpenError::Connect)?;
    if !is_behind(&applied)? {
        return Ok(());
    }
    take_steps(transaction).await.map_err(OpenError::Migrate)
}

fn locked_or_lost(cause: DbErr) -> OpenError {
    const LOCK_NOT_AVAILABLE: &str = "55P03";
    let code = match &cause {
        DbErr::Exec(RuntimeErr::SqlxError(error)) | DbErr::Query(RuntimeErr::SqlxError(error)) => {
            error.as_database_error().and_then(|error| error.code())
        }
        _ => None,
    };
    match code.as_deref() {
        Some(LOCK_NOT_AVAILABLE) => OpenError::Locked,
        _ => OpenError::Connect(cause),
    }
}

/// Tells whether the database lacks a step, and refuses one that has a step too many.
pub(super) fn is_behind(applied: &[String]) -> Result<bool, OpenError> {
    let known = borgos_migrations::known();
    let unknown: Vec<String> = applied.iter().filter(|name| !known.contains(name)).cloned().collect();
    if unknown.is_empty() {
        return Ok(applied.len() < known.len());
    }
    Err(OpenError::Newer { unknown })
}

async fn take_steps(transaction: DatabaseTransaction) -> Result<(), DbErr> {
    borgos_migrations::up(&transaction).await?;
    if transaction.get_database_backend() == DbBackend::Sqlite {
        check_references(&transaction).await?;
    }
    transaction.commit().await
}

/// Foreign keys are off while the schema changes, so look afterwards.
async fn check_references(transaction: &DatabaseTransaction) -> Result<(), DbErr> {
    let check = Statement::from_string(DbBackend::Sqlite, "PRAGMA foreign_key_check");
    match transaction.query_all_raw(check).await?.len() {
        0 => Ok(()),
        num_broken => Err(DbErr::Custom(format!("{num_broken} references would be broken"))),
    }
}

async fn check_is_ours(database: &DatabaseConnection, file: &Path) -> Result<(), OpenError> {
    let any_table = "SELECT 1 FROM sqlite_schema WHERE type = 'table' \
                     AND name NOT LIKE 'sqlite_%' AND name <> 'seaql_migrations' LIMIT 1";
    let found = database
        .query_one_raw(Statement::from_string(DbBackend::Sqlite, any_table))
        .await
        .map_err(OpenError::Connect)?;
    match found {
        None => Ok(()),
        Some(_) => Err(OpenError::Foreign(file.to_owned())),
    }
}

/// Copies the database as it is after step `last`. An older copy of the same name is replaced only by a complete one.
async fn copy(database: &DatabaseConnection, file: &Path, last: &str) -> Result<(), OpenError> {
    let path = with_suffix(file, &format!(".before-{last}"));
    match try_copy(database, &path).await {
        Ok(()) => Ok(()),
        Err(source) => Err(OpenError::Copy { path, source }),
    }
}

async fn try_copy(database: &DatabaseConnection, path: &Path) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let unfinished = with_suffix(path, ".unfinished");
    match tokio::fs::remove_file(&unfinished).await {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    let name = unfinished.to_str().ok_or("its name is not valid UTF-8")?;
    let vacuum = Statement::from_sql_and_values(DbBackend::Sqlite, "VACUUM INTO ?", [name.into()]);
    database.execute_raw(vacuum).await?;
    tokio::fs::File::open(&unfinished).await?.sync_all().await?;
    tokio::fs::rename(&unfinished, path).await?;
    if let Some(directory) = path.parent() {
        tokio::fs::File::open(directory).await?.sync_all().await?;
    }
    Ok(())
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
