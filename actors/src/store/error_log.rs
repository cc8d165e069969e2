//! The error log: what went wrong in projects and deployments, reported by clients or seen by us.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use sea_orm::{
    DatabaseTransaction, JoinType, PaginatorTrait, QueryOrder, QuerySelect, QueryTrait, RelationTrait,
    entity::prelude::*,
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    Listed, Page, Store, claimed,
    column::storable,
    deployments,
    events::{self, NewEvent},
    projects,
};
use crate::{
    Error,
    id::{DeploymentId, ErrorId, ProjectId},
};

mod row;

/// How bad it is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, EnumIter, DeriveActiveEnum, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum Severity {
    /// Of use to who looks for a fault.
    Debug,
    /// Worth knowing.
    Info,
    /// Could become an error.
    Warning,
    /// Something did not work.
    Error,
    /// Nothing works.
    Critical,
}

/// An entry of the error log.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "LoggedError")]
pub struct Entry {
    /// Its id.
    pub id: ErrorId,
    /// The project that it is about, as long as that exists.
    pub project_id: Option<ProjectId>,
    /// The name of that project.
    pub project_name: Option<String>,
    /// The deployment that it is about.
    pub deployment_id: Option<DeploymentId>,
    /// What kind of error it is.
    pub error_type: String,
    /// How bad it is.
    pub severity: Severity,
    /// What went wrong.
    pub message: String,
    /// Where it went wrong, or the last lines that the program wrote.
    pub stack_trace: Option<String>,
    /// What else is known.
    pub context: serde_json::Value,
    /// When it happened.
    pub occurred_at: DateTime<Utc>,
}

/// An entry that is about to be written.
#[derive(Debug, Clone)]
pub struct NewEntry {
    /// The project that it is about.
    pub project_id: Option<ProjectId>,
    /// The deployment that it is about.
    pub deployment_id: Option<DeploymentId>,
    /// What kind of error it is.
    pub error_type: String,
    /// How bad it is.
    pub severity: Severity,
    /// What went wrong.
    pub message: String,
    /// Where it went wrong, or the last lines that the program wrote.
    pub stack_trace: Option<String>,
    /// What else is known.
    pub context: serde_json::Value,
}

/// Which entries are wanted. What is `None` does not matter.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// How bad they are.
    pub severity: Option<Severity>,
    /// The project that they are about.
    pub project_id: Option<ProjectId>,
    /// The deployment that they are about.
    pub deployment_id: Option<DeploymentId>,
    /// What kind of error they are.
    pub error_type: Option<String>,
    /// Not before this time.
    pub since: Option<DateTime<Utc>>,
    /// Before this time.
    pub until: Option<DateTime<Utc>>,
}

/// Writes an entry.
///
/// # Errors
/// Fails when there is no such project or deployment. A deleted deployment may still have errors.
pub async fn record(store: &Store, new: &NewEntry) -> Result<Entry, Error> {
    claimed(|| try_record(store, new)).await
}

async fn try_record(store: &Store, new: &NewEntry) -> Result<Entry, Error> {
    store.write(async |transaction| append(transaction, new).await).await
}

/// Writes an entry in the transaction of the change that it explains.
pub(super) async fn append(transaction: &DatabaseTransaction, new: &NewEntry) -> Result<Entry, Error> {
    let project_name = match new.project_id {
        Some(id) => Some(projects::name(transaction, id).await?),
        None => None,
    };
    if let Some(id) = new.deployment_id {
        deployments::check_exists(transaction, id).await?;
    }
    let row = row::Entity::insert(row::new(new))
        .exec_with_returning(transaction)
        .await?;
    announce(transaction, &row).await?;
    Ok(row::Named { row, project_name }.into())
}

/// Lists entries, newest first.
///
/// # Errors
/// Fails when the database does.
pub async fn list(store: &Store, filter: &Filter, page: Page) -> Result<Listed<Entry>, Error> {
    let rows = filter.apply(row::Entity::find());
    let total = rows.clone();
    let named = rows
        .column_as(projects::row::Column::Name, "project_name")
        .join(JoinType::LeftJoin, row::Relation::Project.def())
        .order_by_desc(row::Column::Id)
        .limit(page.limit)
        .offset(page.offset)
        .into_model::<row::Named>();
    store
        .read(async |reader| {
            let total = total.count(reader).await?;
            let rows = named.all(reader).await?;
            let rows = rows.into_iter().map(Entry::from).collect();
            Ok(Listed { rows, total })
        })
        .await
}

/// Counts the entries since a time.
///
/// # Errors
/// Fails when the database does.
pub async fn num_since(store: &Store, since: DateTime<Utc>) -> Result<u64, Error> {
    let query = row::Entity::find().filter(row::Column::OccurredAt.gte(since));
    store.read(async |reader| Ok(query.count(reader).await?)).await
}

impl Filter {
    fn apply(&self, query: Select<row::Entity>) -> Select<row::Entity> {
        query
            .apply_if(self.severity, |query, severity| {
                query.filter(row::Column::Severity.eq(severity))
            })
            .apply_if(self.project_id, |query, id| query.filter(row::Column::ProjectId.eq(id)))
            .apply_if(self.deployment_id, |query, id| {
                query.filter(row::Column::DeploymentId.eq(id))
            })
            .apply_if(self.error_type.clone(), |query, kind| {
                query.filter(row::Column::ErrorType.eq(storable(kind)))
            })
            .apply_if(self.since, |query, since| {
                query.filter(row::Column::OccurredAt.gte(since))
            })
            .apply_if(self.until, |query, until| {
                query.filter(row::Column::OccurredAt.lt(until))
            })
    }
}

async fn announce(transaction: &DatabaseTransaction, row: &row::Model) -> Result<(), Error> {
    let event = NewEvent {
        channel: events::ERRORS,
        subject: None,
        kind: "error_logged",
        data: json!({
            "id": row.id,
            "severity": row.severity,
            "message": row.message,
            "project_id": row.project_id,
            "deployment_id": row.deployment_id,
            "error_type": row.error_type,
        }),
    };
    events::append(transaction, event).await
}
