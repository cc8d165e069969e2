//! All SQL. Rows are the facts; a message to an actor is a hint to look at them.
//!
//! One file per table, functions named after the question they answer. Every function that writes runs one transaction
//! that also appends the events of what it changed, and returns only after the commit is on disk. SQLite has one writer
//! connection, so writers wait for each other instead of failing; PostgreSQL has one pool. The same code and the same
//! tests run on both.

use std::{path::PathBuf, sync::Arc, time::Duration};

use chrono::{DateTime, SubsecRound, Utc};
use sea_orm::{
    ColumnTrait, DatabaseConnection, DatabaseTransaction, DbErr, DeleteMany, EntityTrait, PaginatorTrait, QueryFilter,
    QuerySelect, QueryTrait, Select, SqlErr, SqliteTransactionMode, TransactionOptions, TransactionTrait,
};
use uuid::Uuid;

use crate::{
    Error,
    seal::{Key, Sealed},
    value::Environment,
};

pub mod audit;
mod bulk;
mod clock;
mod column;
mod connect;
pub mod deployments;
pub mod error_log;
pub mod events;
mod inspect;
pub mod mcp_queries;
mod meta;
mod migrate;
pub mod projects;
pub mod push;
pub mod releases;
pub mod scans;
mod seal;
pub mod tasks;
pub mod tokens;
pub mod users;
pub mod webhooks;

#[cfg(test)]
mod tests;

pub use inspect::{Condition, inspect};
pub use migrate::OpenError;
pub use seal::{Rotated, rotate_key};

/// No answer from the database takes longer than this; a server that was cut off would otherwise hold us for hours.
pub(crate) const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// Rows per transaction that removes them, so that writers wait for milliseconds.
const PRUNE_BATCH: u64 = 1_000;
/// How often a claim is made that loses against others between its look and its write.
const MAX_TRIES: u32 = 5;

/// Where the database is.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `sqlite:` with a file and `?mode=rwc`, or `postgres:`, or `postgresql:`.
    pub url: String,
    /// Holds the lock that two migrations of one SQLite file wait for, and the key of the environments.
    pub data_dir: PathBuf,
    /// The key of the environments, instead of the one in the data directory.
    pub secret_key: Option<Key>,
}

impl Settings {
    /// Names the SQLite file that is used when nobody names another database.
    ///
    /// # Errors
    /// Fails when the directory's name is not valid UTF-8, which a url cannot hold.
    pub fn sqlite(data_dir: PathBuf) -> Result<Self, OpenError> {
        let file = data_dir.join("borgos.db");
        let file = file
            .to_str()
            .ok_or(OpenError::Url("cannot name a file whose path is not valid UTF-8"))?;
        // What ends a path in a url, and what begins an escape.
        let escaped = file.replace('%', "%25").replace('?', "%3F");
        Ok(Self {
            url: format!("sqlite://{escaped}?mode=rwc"),
            data_dir,
            secret_key: None,
        })
    }
}

/// The database. Cheap to clone; all clones share the connections.
#[derive(Debug, Clone)]
pub struct Store {
    writer: DatabaseConnection,
    reader: DatabaseConnection,
    instance: Uuid,
    epoch: Arc<str>,
    key: Key,
}

impl Store {
    /// Connects, brings the schema up to date and reads what the database says about itself.
    ///
    /// # Errors
    /// Fails when the database cannot be reached, is of a newer BorgOS, cannot be migrated or is sealed with another key. A
    /// failed migration leaves the database as it was.
    pub async fn open(settings: &Settings) -> Result<Self, OpenError> {
        migrate::migrate(settings).await?;
        let (writer, reader) = connect::pools(&settings.url).await?;
        let meta::Identity { instance, epoch } = meta::identity(&writer).await.map_err(OpenError::Connect)?;
        let key = seal::key(&writer, settings).await?;
        Ok(Self {
            writer,
            reader,
            instance,
            epoch: epoch.into(),
            key,
        })
    }

    /// Returns the id of this installation, which labels everything that it starts.
    pub fn instance(&self) -> Uuid {
        self.instance
    }

    /// Returns the id of the event log. Offsets of another epoch mean nothing here.
    pub fn epoch(&self) -> &str {
        &self.epoch
    }

    /// Opens a sealed environment.
    ///
    /// # Errors
    /// Fails when it is damaged.
    pub fn unseal(&self, sealed: &Sealed) -> Result<Environment, Error> {
        self.key.open(sealed)
    }

    /// Checks that the database answers.
    ///
    /// # Errors
    /// Fails when it does not.
    pub async fn ping(&self) -> Result<(), Error> {
        in_time(async { Ok(self.reader.ping().await?) }).await
    }

    /// Closes all connections, of all clones.
    ///
    /// # Errors
    /// Fails when a connection could not be closed in order; nothing that was committed is lost by that.
    pub async fn close(&self) -> Result<(), Error> {
        in_time(async {
            self.reader.close_by_ref().await?;
            Ok(self.writer.close_by_ref().await?)
        })
        .await
    }

    /// Runs `work` in a transaction of its own and commits it, or rolls it back when `work` fails.
    async fn write<T>(&self, work: impl AsyncFnOnce(&DatabaseTransaction) -> Result<T, Error>) -> Result<T, Error> {
        in_time(async {
            let transaction = self.writer.begin_with_options(immediate()).await?;
            match work(&transaction).await {
                Ok(answer) => {
                    transaction.commit().await?;
                    Ok(answer)
                }
                Err(error) => {
                    transaction.rollback().await?;
                    Err(error)
                }
            }
        })
        .await
    }

    /// Runs reading `work` on connections that never wait for writers.
    async fn read<T>(&self, work: impl AsyncFnOnce(&DatabaseConnection) -> Result<T, Error>) -> Result<T, Error> {
        in_time(work(&self.reader)).await
    }

    /// Reads one page of a query that has its filters and its order.
    async fn list<E, T>(
        &self,
        query: Select<E>,
        page: Page,
        value: impl Fn(E::Model) -> Result<T, Error>,
    ) -> Result<Listed<T>, Error>
    where
        E: EntityTrait<Model: Sync>,
    {
        let total = query.clone();
        let rows = query.limit(page.limit).offset(page.offset);
        self.read(async |reader| {
            let total = total.count(reader).await?;
            let rows = rows.all(reader).await?;
            let rows: Result<_, _> = rows.into_iter().map(value).collect();
            Ok(Listed { rows: rows?, total })
        })
        .await
    }

    /// Repeats a deletion of at most `batch` rows, each time in a transaction of its own, until none are left. Returns how
    /// many were deleted.
    async fn delete_batches<E: EntityTrait>(&self, delete: DeleteMany<E>, batch: u64) -> Result<u64, Error> {
        let mut num_deleted = 0;
        loop {
            let next = delete.clone();
            let result = self
                .write(async |transaction| Ok(next.exec(transaction).await?))
                .await?;
            num_deleted += result.rows_affected;
            if result.rows_affected < batch {
                return Ok(num_deleted);
            }
        }
    }

    /// Deletes rows that are older than `max_age` and returns how many. `at` tells when a row was written.
    async fn prune<E: EntityTrait>(&self, id: E::Column, at: E::Column, max_age: Duration) -> Result<u64, Error> {
        let Some(oldest_kept) = ago(max_age) else {
            return Ok(0);
        };
        let old = E::find().select_only().column(id).filter(at.lt(oldest_kept));
        let old = old.limit(PRUNE_BATCH).into_query();
        let delete = E::delete_many().filter(id.in_subquery(old));
        self.delete_batches(delete, PRUNE_BATCH).await
    }
}

/// Which part of a list is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// At most so many rows.
    pub limit: u64,
    /// After leaving out so many.
    pub offset: u64,
}

/// A part of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed<T> {
    /// The rows of the page.
    pub rows: Vec<T>,
    /// How many rows there are on all pages.
    pub total: u64,
}

/// SQLite takes the write lock at the beginning: a transaction that reads first and asks for it later is refused at once
/// when another one wrote in between.
fn immediate() -> TransactionOptions {
    TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    }
}

/// Makes a claim again when a constraint shows that somebody came between its look and its write, which happens on
/// PostgreSQL only: the next look sees them.
async fn claimed<T, F>(mut claim: impl FnMut() -> F) -> Result<T, Error>
where
    F: Future<Output = Result<T, Error>>,
{
    let mut num_tries = 1;
    loop {
        match claim().await {
            Err(Error::Database(cause)) if lost_a_race(&cause) && num_tries < MAX_TRIES => num_tries += 1,
            other => return other,
        }
    }
}

/// Boxes the work, since the futures of queries are large and callers nest them in futures of their own.
fn in_time<T>(work: impl Future<Output = Result<T, Error>>) -> impl Future<Output = Result<T, Error>> {
    let work = tokio::time::timeout(ANSWER_TIMEOUT, Box::pin(work));
    async {
        match work.await {
            Ok(answer) => answer,
            Err(_) => Err(DbErr::Custom(format!("no answer within {ANSWER_TIMEOUT:?}")).into()),
        }
    }
}

fn lost_a_race(cause: &DbErr) -> bool {
    matches!(
        cause.sql_err(),
        Some(SqlErr::UniqueConstraintViolation(_) | SqlErr::ForeignKeyConstraintViolation(_))
    )
}

/// Returns the time before which everything is older than `age`, unless nothing can be.
fn ago(age: Duration) -> Option<DateTime<Utc>> {
    now().checked_sub_signed(chrono::Duration::from_std(age).ok()?)
}

/// Returns the time as the database keeps it: PostgreSQL stores microseconds.
fn now() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(6)
}
