//! The seal of the database: which key its environments need, how those of an older BorgOS are sealed, and how the key is
//! changed.

use std::path::{Path, PathBuf};

use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbErr, ExprTrait, TransactionTrait,
    entity::prelude::*,
    sea_query::{Expr, Query},
};
use tokio::task::spawn_blocking;

use super::{OpenError, Settings, Store, connect::Engine, immediate, meta};
use crate::seal::{Key, KeyFileError, KeyFiles, Sealed};

/// In table `meta`: the id of the key that everything is sealed with.
const KEY_ID: &str = "seal_key";
/// In table `meta`: there until nothing of what was not sealed once is left in files.
const UNCLEAN: &str = "seal_unclean";
/// What has environments.
const TABLES: [&str; 2] = ["deployments", "releases"];
const ROWS_AT_ONCE: u64 = 500;

/// Finds the key of the database. What an older BorgOS has left unsealed is sealed.
pub(super) async fn key(database: &DatabaseConnection, settings: &Settings) -> Result<Key, OpenError> {
    let wanted = meta::value(database, KEY_ID).await.map_err(OpenError::Connect)?;
    let key = match &settings.secret_key {
        Some(key) => key.clone(),
        None => on_files(&settings.data_dir, move |files| files.load(wanted.as_deref())).await?,
    };
    seal_all(database, &key).await.map_err(OpenError::Seal)?;
    let wanted = meta::value(database, KEY_ID).await.map_err(OpenError::Connect)?;
    if wanted.as_deref() != Some(key.id()) {
        return Err(OpenError::WrongKey {
            wanted: wanted.unwrap_or_default(),
            given: key.id().to_owned(),
            place: match settings.secret_key {
                Some(_) => "BORGOS_SECRET_KEY".to_owned(),
                None => KeyFiles::of(&settings.data_dir).path().display().to_string(),
            },
        });
    }
    clean(database, settings).await?;
    Ok(key)
}

async fn on_files<T: Send + 'static>(
    data_dir: &Path,
    work: impl FnOnce(KeyFiles) -> Result<T, KeyFileError> + Send + 'static,
) -> Result<T, OpenError> {
    let files = KeyFiles::of(data_dir);
    match spawn_blocking(move || work(files)).await {
        Ok(done) => done.map_err(OpenError::Key),
        Err(panic) => Err(OpenError::Seal(DbErr::Custom(panic.to_string()))),
    }
}

/// Seals what is not, once: everything that is written later is sealed before.
async fn seal_all(database: &DatabaseConnection, key: &Key) -> Result<(), DbErr> {
    let transaction = database.begin_with_options(immediate()).await?;
    if meta::value(&transaction, KEY_ID).await?.is_none() {
        let mut num_sealed = 0;
        for table in TABLES {
            num_sealed += reseal(&transaction, table, |column| match column {
                Json::String(_) => Ok(None),
                plain => serde_json::from_value(plain)
                    .map_err(|_| DbErr::Custom(format!("an environment in `{table}` cannot be read")))
                    .and_then(|environment| key.seal(&environment).map(Some).map_err(failed)),
            })
            .await?;
        }
        if num_sealed > 0 {
            meta::set(&transaction, UNCLEAN, "yes").await?;
            tracing::info!(num_sealed, "sealed {num_sealed} environments with key `{}`", key.id());
        }
        meta::set_if_absent(&transaction, KEY_ID, key.id()).await?;
    }
    transaction.commit().await
}

/// Writes the environments of a table anew as `change` says, and returns how many were.
async fn reseal(
    transaction: &DatabaseTransaction,
    table: &'static str,
    change: impl Fn(Json) -> Result<Option<Sealed>, DbErr>,
) -> Result<usize, DbErr> {
    let (mut last, mut num_changed) = (0_i64, 0);
    loop {
        let page = Query::select()
            .columns(["id", "environment"])
            .from(table)
            .and_where(Expr::col("id").gt(last))
            .order_by("id", sea_orm::Order::Asc)
            .limit(ROWS_AT_ONCE)
            .take();
        let rows = transaction.query_all(&page).await?;
        for row in &rows {
            last = row.try_get("", "id")?;
            let Some(sealed) = change(row.try_get("", "environment")?)? else {
                continue;
            };
            let update = Query::update()
                .table(table)
                .value("environment", Json::String(sealed.as_str().to_owned()))
                .and_where(Expr::col("id").eq(last))
                .take();
            transaction.execute(&update).await?;
            num_changed += 1;
        }
        if rows.is_empty() {
            return Ok(num_changed);
        }
    }
}

/// Wipes what was not sealed out of files: free pages of the database, and the copies that migrations have left.
async fn clean(database: &DatabaseConnection, settings: &Settings) -> Result<(), OpenError> {
    let unclean = meta::value(database, UNCLEAN).await.map_err(OpenError::Connect)?;
    if unclean.is_none() {
        return Ok(());
    }
    let statements: &[&str] = match Engine::of(&settings.url)? {
        Engine::Sqlite(file) => {
            remove_copies(file).await.map_err(OpenError::Seal)?;
            &["VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"]
        }
        Engine::Postgres => &["VACUUM FULL deployments", "VACUUM FULL releases"],
    };
    for statement in statements {
        database.execute_unprepared(statement).await.map_err(OpenError::Seal)?;
    }
    meta::remove(database, UNCLEAN).await.map_err(OpenError::Seal)
}

async fn remove_copies(database: PathBuf) -> Result<(), DbErr> {
    let removed = spawn_blocking(move || -> std::io::Result<()> {
        let (Some(directory), Some(name)) = (database.parent(), database.file_name()) else {
            return Ok(());
        };
        let copies = format!("{}.before-", name.to_string_lossy());
        for entry in std::fs::read_dir(directory)? {
            let path = entry?.path();
            if path
                .file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with(&copies))
            {
                std::fs::remove_file(&path)?;
                tracing::info!(path = %path.display(), "removed a copy of the database whose environments were not sealed");
            }
        }
        Ok(())
    });
    removed
        .await
        .map_err(|panic| DbErr::Custom(panic.to_string()))?
        .map_err(|cause| DbErr::Custom(cause.to_string()))
}

/// The ids of the keys before and after a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotated {
    /// Opens nothing any more.
    pub before: String,
    /// Opens everything.
    pub after: String,
}

/// Seals everything with another key: `next`, or a new one that takes the place of the key in the data directory. BorgOS
/// must not run meanwhile. Whatever crashes, all is sealed with one of the two keys, and the next start finds which.
///
/// # Errors
/// Those of [`Store::open`], and that the database or the data directory cannot be written.
pub async fn rotate_key(settings: &Settings, next: Option<Key>) -> Result<Rotated, OpenError> {
    let store = Store::open(settings).await?;
    let rotated = rotate(&store, settings, next).await;
    // What was committed is on disk however the connections end.
    let closed = store.close().await.map_err(|error| OpenError::Seal(failed(error)));
    let rotated = rotated?;
    closed.map(|()| rotated)
}

async fn rotate(store: &Store, settings: &Settings, next: Option<Key>) -> Result<Rotated, OpenError> {
    let is_in_file = next.is_none();
    let next = match next {
        Some(next) => next,
        None => on_files(&settings.data_dir, |files| files.prepare_next()).await?,
    };
    reseal_all(&store.writer, &store.key, &next)
        .await
        .map_err(OpenError::Seal)?;
    if is_in_file {
        on_files(&settings.data_dir, |files| files.promote()).await?;
    }
    Ok(Rotated {
        before: store.key.id().to_owned(),
        after: next.id().to_owned(),
    })
}

pub(super) async fn reseal_all(database: &DatabaseConnection, before: &Key, next: &Key) -> Result<(), DbErr> {
    let transaction = database.begin_with_options(immediate()).await?;
    for table in TABLES {
        reseal(&transaction, table, |column| match column {
            Json::String(text) => {
                let environment = before.open(&Sealed::from_column(text)).map_err(failed)?;
                next.seal(&environment).map(Some).map_err(failed)
            }
            _ => Err(DbErr::Custom(format!("an environment in `{table}` is not sealed"))),
        })
        .await?;
    }
    meta::set(&transaction, KEY_ID, next.id()).await?;
    transaction.commit().await
}

fn failed(error: crate::Error) -> DbErr {
    DbErr::Custom(error.to_string())
}
