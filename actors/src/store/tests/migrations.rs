use std::path::Path;

use futures_util::future::join_all;
use sea_orm::{ConnectionTrait, DatabaseConnection, TransactionTrait};

use super::{
    engines::{each_engine, each_store, sqlite},
    samples::{ALL, a_project, number},
};
use crate::store::{
    OpenError, Settings, Store, connect,
    projects::{self, Filter},
};

async fn applied(database: &DatabaseConnection) -> Vec<String> {
    borgos_migrations::applied(database).await.unwrap()
}

/// Takes the last steps back, as an older program would have left the database.
pub(super) async fn step_down(settings: &Settings, num_steps: u32) {
    let database = connect::for_migration(&settings.url).await.unwrap();
    let transaction = database.begin().await.unwrap();
    borgos_migrations::down(&transaction, num_steps).await.unwrap();
    transaction.commit().await.unwrap();
    database.close().await.unwrap();
}

fn names(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort_unstable();
    names
}

#[tokio::test]
async fn every_step_goes_down_and_up_again() {
    each_engine(async |settings| {
        Store::open(settings).await.unwrap().close().await.unwrap();
        let known = borgos_migrations::known();
        for num_steps in 1..=known.len() {
            step_down(settings, num_steps.try_into().unwrap()).await;
            let database = connect::for_migration(&settings.url).await.unwrap();
            assert_eq!(applied(&database).await, known[..known.len() - num_steps]);
            database.close().await.unwrap();

            let store = Store::open(settings).await.unwrap();
            assert_eq!(applied(&store.reader).await, known);
            a_project(&store, "works").await;
            store.close().await.unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn nothing_is_left_when_all_steps_are_taken_back() {
    let directory = tempfile::tempdir().unwrap();
    let settings = sqlite(directory.path());
    Store::open(&settings).await.unwrap().close().await.unwrap();
    step_down(&settings, u32::try_from(borgos_migrations::known().len()).unwrap()).await;
    let database = connect::for_migration(&settings.url).await.unwrap();
    let rest = "SELECT count(*) FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' AND name <> 'seaql_migrations'";
    assert_eq!(number(&database, rest).await, 0);
    database.close().await.unwrap();
}

#[tokio::test]
async fn the_database_keeps_its_ids() {
    each_engine(async |settings| {
        let first = Store::open(settings).await.unwrap();
        let ids = (first.instance(), first.epoch().to_owned());
        first.close().await.unwrap();
        let second = Store::open(settings).await.unwrap();
        assert_eq!((second.instance(), second.epoch().to_owned()), ids);
        second.close().await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn programs_that_start_together_migrate_once() {
    each_engine(async |settings| {
        let opened = join_all((0..4).map(|_| Store::open(settings))).await;
        let stores: Vec<Store> = opened.into_iter().map(Result::unwrap).collect();
        for store in &stores {
            assert_eq!(store.instance(), stores[0].instance());
        }
        for store in stores {
            store.close().await.unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn a_copy_is_kept_of_what_a_migration_changes() {
    let directory = tempfile::tempdir().unwrap();
    let settings = sqlite(directory.path());
    let store = Store::open(&settings).await.unwrap();
    a_project(&store, "precious").await;
    store.close().await.unwrap();
    assert!(!names(directory.path()).iter().any(|name| name.contains("before")));

    step_down(&settings, 1).await;
    let known = borgos_migrations::known();
    let last = &known[known.len() - 2];
    let copy = directory.path().join(format!("borgos.db.before-{last}"));
    // An attempt that was cut off leaves a half, one that failed a whole copy; neither is in the way.
    std::fs::write(&copy, "older").unwrap();
    std::fs::write(
        copy.with_file_name(format!("borgos.db.before-{last}.unfinished")),
        "half",
    )
    .unwrap();
    Store::open(&settings).await.unwrap().close().await.unwrap();
    Store::open(&settings).await.unwrap().close().await.unwrap();
    let copies: Vec<String> = names(directory.path())
        .into_iter()
        .filter(|name| name.contains("before"))
        .collect();
    assert_eq!(copies, [format!("borgos.db.before-{last}")]);

    let url = format!("sqlite://{}", copy.display());
    let database = connect::for_migration(&url).await.unwrap();
    assert_eq!(applied(&database).await.last(), Some(last));
    assert_eq!(
        number(&database, "SELECT count(*) FROM projects WHERE name = 'precious'").await,
        1
    );
    database.close().await.unwrap();
}

#[tokio::test]
async fn a_database_that_cannot_be_copied_is_not_changed() {
    let directory = tempfile::tempdir().unwrap();
    let settings = sqlite(directory.path());
    Store::open(&settings).await.unwrap().close().await.unwrap();
    step_down(&settings, 1).await;
    let known = borgos_migrations::known();
    let behind = &known[..known.len() - 1];
    let in_the_way = format!("borgos.db.before-{}", behind.last().unwrap());
    std::fs::create_dir_all(directory.path().join(in_the_way).join("full")).unwrap();

    let refused = Store::open(&settings).await.unwrap_err();
    assert!(matches!(refused, OpenError::Copy { .. }), "{refused:?}");
    let database = connect::for_migration(&settings.url).await.unwrap();
    assert_eq!(applied(&database).await, behind);
    database.close().await.unwrap();
}

#[tokio::test]
async fn a_database_of_a_newer_program_is_refused_and_left_alone() {
    each_engine(async |settings| {
        let store = Store::open(settings).await.unwrap();
        let future = "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m29990101_000001_future', 0)";
        store.writer.execute_unprepared(future).await.unwrap();
        store.close().await.unwrap();

        let refused = Store::open(settings).await.unwrap_err();
        assert!(matches!(&refused, OpenError::Newer { unknown } if unknown[..] == ["m29990101_000001_future"]));
        assert!(refused.to_string().contains("`m29990101_000001_future`"));
        assert!(!names(&settings.data_dir).iter().any(|name| name.contains("before")));
    })
    .await;
}

#[tokio::test]
async fn a_database_of_another_program_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let settings = sqlite(directory.path());
    let database = connect::for_migration(&settings.url).await.unwrap();
    database
        .execute_unprepared("CREATE TABLE projects (other TEXT)")
        .await
        .unwrap();
    database.close().await.unwrap();
    let refused = Store::open(&settings).await.unwrap_err();
    assert!(matches!(refused, OpenError::Foreign(_)), "{refused:?}");
}

#[tokio::test]
async fn a_url_that_cannot_work_is_refused_without_showing_it() {
    let directory = tempfile::tempdir().unwrap();
    for url in [
        "mysql://root:canary@localhost/borgos",
        "sqlite::memory:?canary",
        "sqlite:///canary?mode=memory",
        "sqlite:///canary?mode=sideways",
        "canary",
        "",
    ] {
        let settings = Settings {
            url: url.to_owned(),
            data_dir: directory.path().to_owned(),
            secret_key: None,
        };
        let refused = Store::open(&settings).await.unwrap_err();
        assert!(matches!(refused, OpenError::Url(_)), "{url}");
        assert!(!refused.to_string().contains("canary"));
    }
    assert!(names(directory.path()).is_empty());
}

#[tokio::test]
async fn a_directory_may_have_any_name() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("50% of ?what # é");
    std::fs::create_dir(&directory).unwrap();
    Store::open(&sqlite(&directory)).await.unwrap().close().await.unwrap();
    assert!(names(&directory).contains(&"borgos.db".to_owned()));
    assert_eq!(names(parent.path()).len(), 1);
}

#[tokio::test]
async fn a_migration_waits_for_another_one() {
    let directory = tempfile::tempdir().unwrap();
    let settings = sqlite(directory.path());
    let held = std::fs::File::create(directory.path().join("migration.lock")).unwrap();
    held.lock().unwrap();
    let mut opening = std::pin::pin!(Store::open(&settings));
    // Polled twice: the file is not there before the lock is free.
    for _ in 0..2 {
        assert!(futures_util::poll!(opening.as_mut()).is_pending());
        assert!(!directory.path().join("borgos.db").exists());
    }
    drop(held);
    opening.await.unwrap().close().await.unwrap();
}

#[tokio::test]
async fn commits_on_sqlite_are_durable_and_references_are_checked() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(&sqlite(directory.path())).await.unwrap();
    assert_eq!(
        number(&store.writer, "SELECT synchronous FROM pragma_synchronous").await,
        2
    );
    assert_eq!(
        number(&store.writer, "SELECT foreign_keys FROM pragma_foreign_keys").await,
        1
    );
    let wal = "SELECT journal_mode = 'wal' FROM pragma_journal_mode";
    assert_eq!(number(&store.reader, wal).await, 1);
    store
        .reader
        .execute_unprepared("DELETE FROM projects")
        .await
        .unwrap_err();
    store.close().await.unwrap();
}

#[tokio::test]
async fn a_closed_store_says_so() {
    each_store(async |store| {
        store.ping().await.unwrap();
        let other = store.clone();
        other.close().await.unwrap();
        assert_eq!(store.ping().await.unwrap_err().code(), "DATABASE_UNAVAILABLE");
        let list = projects::list(store, &Filter::default(), ALL).await;
        assert_eq!(list.unwrap_err().code(), "DATABASE_UNAVAILABLE");
    })
    .await;
}
