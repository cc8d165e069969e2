//! One case on every way in which BorgOS can run.

use crate::support::{Backend, Runtime, Setup, World};

/// Runs a case with Docker on SQLite, with Docker on PostgreSQL, and with processes on SQLite, side by side.
pub(super) async fn everywhere(case: impl AsyncFn(&World)) {
    tokio::join!(
        within(Setup::new(Runtime::Docker), &case),
        within(Setup::new(Runtime::Docker).backend(Backend::Postgres), &case),
        within(Setup::new(Runtime::Process), &case),
    );
}

/// Runs a case that starts nothing on both databases, side by side.
pub(super) async fn on_both_databases(case: impl AsyncFn(&World)) {
    tokio::join!(
        within(Setup::new(Runtime::Process), &case),
        within(Setup::new(Runtime::Process).backend(Backend::Postgres), &case),
    );
}

async fn within(setup: Setup, case: &impl AsyncFn(&World)) {
    let world = setup.start().await;
    case(&world).await;
    world.close().await;
}
