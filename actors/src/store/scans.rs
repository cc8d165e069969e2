//! Scans of projects: which were asked for, and what the last one found. What people see of it is in the project's row,
//! written in the same transaction.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::Set, DatabaseTransaction, QueryOrder, QuerySelect, entity::prelude::*, sea_query::OnConflict,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{
    Store, column, events,
    events::NewEvent,
    now,
    projects::{self, Project},
};
use crate::{
    Error,
    id::ProjectId,
    manifests::Findings,
    scan::{Finding, LanguageStats, Progress, SnapshotId},
    value::ProjectType,
};

mod merge;
mod row;

pub(super) use merge::with_found;

/// The keys of a project's metadata that belong to the scanner, those of the reference first.
pub const METADATA_KEYS: [&str; 20] = [
    "lines_of_code",
    "test_coverage",
    "dependencies",
    "num_errors",
    "languages",
    "scores",
    "description",
    "licence",
    "readme",
    "git",
    "tests",
    "todos",
    "fixmes",
    "ci",
    "dockerfiles",
    "ports",
    "entry_points",
    "lockfiles",
    "unlocked",
    "scan",
];

/// What the last scan of a project found, as far as the next scan or a question of details needs it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Found {
    /// What the project is made with.
    pub stack: Vec<String>,
    /// What kind of program it is, where that can be told.
    pub project_type: Option<ProjectType>,
    /// Its languages, the one with most code first.
    pub languages: Vec<LanguageStats>,
    /// What its manifests say.
    pub manifests: Findings,
    /// Names the snapshot that belongs to it: any other is of a scan that was not kept.
    pub snapshot: SnapshotId,
}

/// The words by which a project is found, besides those in its own row.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Words {
    /// What the project says it is.
    pub description: String,
    /// The beginning of its README.
    pub readme: String,
    /// Its programming languages.
    pub languages: Vec<String>,
    /// What it depends on directly.
    pub dependencies: Vec<String>,
}

/// Scores from 0 to 100. What is `None` could not be told and stays as it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Scores {
    /// Is it in order?
    pub health: Option<u8>,
    /// Is it a joy to work in?
    pub vibe: Option<u8>,
    /// Is it sparing?
    pub eco: Option<u8>,
}

/// What came of a scan.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// What is kept of it beside the project.
    pub found: Found,
    /// The words by which the project is found.
    pub words: Words,
    /// The project's scores.
    pub scores: Scores,
    /// What is wrong with the project.
    pub errors: Vec<Finding>,
    /// What else there is to say, by the keys that belong to the scanner.
    pub metadata: Map<String, Value>,
}

/// What is known of the scans of a project.
#[derive(Debug, Clone, PartialEq)]
pub struct Scan {
    /// Whether somebody waits for another one.
    pub is_requested: bool,
    /// What the last one that came to its end found.
    pub found: Option<Found>,
    /// The words that it found.
    pub words: Option<Words>,
    /// Why the last one did not come to its end.
    pub failure: Option<String>,
}

/// Asks for a scan, so that it is made even if everything stops right now.
///
/// # Errors
/// Fails when the project does not exist.
pub async fn request(store: &Store, id: ProjectId) -> Result<(), Error> {
    store
        .write(async |transaction| {
            projects::check_exists(transaction, id).await?;
            ask(transaction, id).await
        })
        .await
}

/// Asks for the scan of a project that exists.
pub(super) async fn ask(transaction: &DatabaseTransaction, id: ProjectId) -> Result<(), Error> {
    let asked = row::ActiveModel {
        project_id: Set(id),
        requested_at: Set(Some(now())),
        ..Default::default()
    };
    put(transaction, asked, &[row::Column::RequestedAt]).await
}

/// Lists the projects whose scans were asked for and not made yet, the longest waiting first.
///
/// # Errors
/// Fails when the database does.
pub async fn requested(store: &Store) -> Result<Vec<ProjectId>, Error> {
    let query = row::Entity::find()
        .select_only()
        .column(row::Column::ProjectId)
        .filter(row::Column::RequestedAt.is_not_null())
        .order_by_asc(row::Column::RequestedAt)
        .order_by_asc(row::Column::ProjectId);
    store
        .read(async |reader| Ok(query.into_tuple().all(reader).await?))
        .await
}

/// Lists the projects that were scanned at least once.
///
/// # Errors
/// Fails when the database does.
pub async fn scanned(store: &Store) -> Result<Vec<ProjectId>, Error> {
    let query = row::Entity::find()
        .select_only()
        .column(row::Column::ProjectId)
        .filter(row::Column::Found.is_not_null())
        .order_by_asc(row::Column::ProjectId);
    store
        .read(async |reader| Ok(query.into_tuple().all(reader).await?))
        .await
}

/// Finds what is known of the scans of a project.
///
/// # Errors
/// Fails when the database does.
pub async fn find(store: &Store, id: ProjectId) -> Result<Option<Scan>, Error> {
    store
        .read(async |reader| {
            let row = row::Entity::find_by_id(id).one(reader).await?;
            Ok(row.map(Scan::from))
        })
        .await
}

/// Returns the words of each project that was scanned.
///
/// # Errors
/// Fails when the database does.
pub async fn words(store: &Store) -> Result<HashMap<ProjectId, Words>, Error> {
    let query = row::Entity::find()
        .select_only()
        .columns([row::Column::ProjectId, row::Column::Document])
        .filter(row::Column::Document.is_not_null());
    store
        .read(async |reader| {
            let rows: Vec<(ProjectId, Json)> = query.into_tuple().all(reader).await?;
            // Those of another version are found again by the next scan.
            let known = |(id, words)| Some((id, column::from_json("project_scans.document", words).ok()?));
            Ok(rows.into_iter().filter_map(known).collect())
        })
        .await
}

/// Writes what a scan found, and thereby answers all who asked for it.
///
/// # Errors
/// Fails when the project does not exist any more.
pub async fn finish(store: &Store, id: ProjectId, outcome: &Outcome) -> Result<(), Error> {
    store
        .write(async |transaction| {
            let project = projects::locked(transaction, id).await?;
            let earlier = row::Entity::find_by_id(id).one(transaction).await?;
            let earlier = earlier.map(Scan::from).and_then(|scan| scan.found);
            let change = merge::change(&project, earlier.as_ref(), outcome)?;
            let project = projects::apply(transaction, change).await?;
            put(transaction, row::finished(id, outcome)?, &row::FINISHED).await?;
            announce(transaction, "project_scanned", scanned_data(&project, outcome)).await
        })
        .await
}

/// Tells whether an outcome differs from what the project's row says already.
///
/// # Errors
/// Fails when it cannot be compared.
pub fn is_news(project: &Project, outcome: &Outcome) -> Result<bool, Error> {
    merge::is_news(project, outcome)
}

/// Notes why a scan could not be made, which ends the waiting for it.
///
/// # Errors
/// Fails when the project does not exist any more.
pub async fn fail(store: &Store, id: ProjectId, reason: &str) -> Result<(), Error> {
    store
        .write(async |transaction| {
            let name = projects::name(transaction, id).await?;
            let failed = row::ActiveModel {
                project_id: Set(id),
                requested_at: Set(None),
                failure: Set(Some(column::storable(reason.to_owned()))),
                ..Default::default()
            };
            put(transaction, failed, &[row::Column::RequestedAt, row::Column::Failure]).await?;
            let data = json!({"id": id, "name": name, "reason": reason});
            announce(transaction, "project_scan_failed", data).await
        })
        .await
}

/// Tells how far a scan is.
///
/// # Errors
/// Fails when the database does.
pub async fn tell_progress(store: &Store, project: &Project, progress: Progress) -> Result<(), Error> {
    let data = json!({
        "id": project.id,
        "name": project.name,
        "num_files": progress.num_files,
        "num_done": progress.num_done,
        "num_read": progress.num_read,
    });
    events::record(store, vec![event("project_scan_progress", data)]).await
}

/// Writes these columns of a row, whether it is there already or not.
async fn put(transaction: &DatabaseTransaction, row: row::ActiveModel, columns: &[row::Column]) -> Result<(), Error> {
    let conflict = OnConflict::column(row::Column::ProjectId)
        .update_columns(columns.iter().copied())
        .to_owned();
    row::Entity::insert(row)
        .on_conflict(conflict)
        .exec_without_returning(transaction)
        .await?;
    Ok(())
}

async fn announce(transaction: &DatabaseTransaction, kind: &'static str, data: Value) -> Result<(), Error> {
    events::append(transaction, event(kind, data)).await
}

fn event(kind: &'static str, data: Value) -> NewEvent {
    NewEvent {
        channel: events::PROJECTS,
        subject: data["id"].as_i64(),
        kind,
        data,
    }
}

fn scanned_data(project: &Project, outcome: &Outcome) -> Value {
    json!({
        "id": project.id,
        "name": project.name,
        "health_score": project.health_score,
        "vibe_score": project.vibe_score,
        "eco_score": project.eco_score,
        "num_errors": outcome.metadata.get("num_errors"),
        "lines_of_code": outcome.metadata.get("lines_of_code"),
    })
}
