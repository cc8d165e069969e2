//! The database schema, step by step.
//!
//! Each step is one file with its way up and its way down, written once for SQLite and PostgreSQL and never changed
//! after a release. Whoever calls [`up`] or [`down`] brings the transaction and the lock, so that two programs never
//! change one database at the same time and a step that fails leaves nothing behind.

use sea_orm_migration::{prelude::*, sea_orm::EntityTrait, seaql_migrations};

mod columns;
mod m20260101_000001_meta;
mod m20260101_000002_projects;
mod m20260101_000003_deployments;
mod m20260101_000004_releases;
mod m20260101_000005_error_log;
mod m20260101_000006_tasks;
mod m20260101_000007_events;
mod m20260101_000008_audit;
mod m20260102_000009_task_queue;
mod m20260102_000010_release_facts;
mod m20260102_000011_project_scans;
mod m20260102_000012_mcp_queries;
mod m20260103_000013_credentials;
mod m20260103_000014_audit_results;
mod m20260103_000015_webhooks;
mod m20260103_000016_release_terms;
mod m20260103_000017_release_origin;
mod m20260103_000018_task_losses;
mod m20260103_000019_push_hooks;

struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20260101_000001_meta::Migration),
            Box::new(m20260101_000002_projects::Migration),
            Box::new(m20260101_000003_deployments::Migration),
            Box::new(m20260101_000004_releases::Migration),
            Box::new(m20260101_000005_error_log::Migration),
            Box::new(m20260101_000006_tasks::Migration),
            Box::new(m20260101_000007_events::Migration),
            Box::new(m20260101_000008_audit::Migration),
            Box::new(m20260102_000009_task_queue::Migration),
            Box::new(m20260102_000010_release_facts::Migration),
            Box::new(m20260102_000011_project_scans::Migration),
            Box::new(m20260102_000012_mcp_queries::Migration),
            Box::new(m20260103_000013_credentials::Migration),
            Box::new(m20260103_000014_audit_results::Migration),
            Box::new(m20260103_000015_webhooks::Migration),
            Box::new(m20260103_000016_release_terms::Migration),
            Box::new(m20260103_000017_release_origin::Migration),
            Box::new(m20260103_000018_task_losses::Migration),
            Box::new(m20260103_000019_push_hooks::Migration),
        ]
    }
}

/// Returns the names of all steps, first to last.
pub fn known() -> Vec<String> {
    Migrator::migrations()
        .iter()
        .map(|step| step.name().to_owned())
        .collect()
}

/// Returns the names of the steps that the database has seen, first to last. Changes nothing.
///
/// # Errors
/// Fails when the database cannot be read.
pub async fn applied<'c>(database: impl IntoSchemaManagerConnection<'c>) -> Result<Vec<String>, DbErr> {
    let manager = SchemaManager::new(database);
    if !manager.has_table("seaql_migrations").await? {
        return Ok(Vec::new());
    }
    let rows = seaql_migrations::Entity::find().all(manager.get_connection()).await?;
    let mut names: Vec<String> = rows.into_iter().map(|row| row.version).collect();
    names.sort_unstable();
    Ok(names)
}

/// Takes all steps that the database has not seen.
///
/// # Errors
/// Fails when a step does, or when the database has seen a step that is not [`known`].
pub async fn up<'c>(database: impl IntoSchemaManagerConnection<'c>) -> Result<(), DbErr> {
    Migrator::up(database, None).await
}

/// Takes the last `num_steps` steps back, and with them what their tables hold.
///
/// # Errors
/// Fails when a step does, or when the database has seen a step that is not [`known`].
pub async fn down<'c>(database: impl IntoSchemaManagerConnection<'c>, num_steps: u32) -> Result<(), DbErr> {
    Migrator::down(database, Some(num_steps)).await
}
