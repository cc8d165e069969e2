//! Runs a test on every engine, each time with a fresh database that is gone afterwards.

use std::{io::Write, panic::AssertUnwindSafe, path::Path, sync::Once};

use futures_util::FutureExt;
use sea_orm::{ConnectOptions, ConnectionTrait, DatabaseConnection, SqlxPostgresConnector};
use uuid::Uuid;

use crate::store::{Settings, Store};

/// Names a PostgreSQL server whose user may create databases.
const POSTGRES: &str = "BORGOS_TEST_POSTGRES_URL";

/// Runs a test with an open store.
pub(super) async fn each_store(test: impl AsyncFn(&Store)) {
    each_engine(async |settings| {
        let store = Store::open(settings).await.unwrap();
        test(&store).await;
        store.close().await.unwrap();
    })
    .await;
}

/// Runs a test with a database that is still empty.
pub(super) async fn each_engine(test: impl AsyncFn(&Settings)) {
    let directory = tempfile::tempdir().unwrap();
    test(&sqlite(directory.path())).await;
    match std::env::var(POSTGRES) {
        Ok(server) => on_postgres(&server, directory.path(), test).await,
        Err(_) => say_skipped(),
    }
}

/// Settings for a SQLite file in this directory.
pub(super) fn sqlite(directory: &Path) -> Settings {
    Settings::sqlite(directory.to_owned()).unwrap()
}

async fn on_postgres(server: &str, directory: &Path, test: impl AsyncFn(&Settings)) {
    let name = format!("borgos_test_{}", Uuid::new_v4().simple());
    let (address, _) = server.rsplit_once('/').unwrap();
    let settings = Settings {
        url: format!("{address}/{name}"),
        data_dir: directory.to_owned(),
        secret_key: None,
    };
    let admin = admin(server).await;
    run(&admin, &format!("CREATE DATABASE {name}")).await;
    let result = AssertUnwindSafe(test(&settings)).catch_unwind().await;
    run(&admin, &format!("DROP DATABASE {name} WITH (FORCE)")).await;
    admin.close().await.unwrap();
    if let Err(panic) = result {
        std::panic::resume_unwind(panic);
    }
}

async fn admin(server: &str) -> DatabaseConnection {
    let mut options = ConnectOptions::new(server);
    options.max_connections(1).sqlx_logging(false);
    SqlxPostgresConnector::connect(options).await.unwrap()
}

async fn run(admin: &DatabaseConnection, sql: &str) {
    admin.execute_unprepared(sql).await.unwrap();
}

/// Past the capture of the test harness, so that nobody takes half a run for a whole one.
fn say_skipped() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        writeln!(
            std::io::stderr(),
            "skipped: the store on PostgreSQL ({POSTGRES} is not set)"
        )
        .unwrap();
    });
}
