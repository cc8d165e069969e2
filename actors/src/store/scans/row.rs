//! The table `project_scans`.

use sea_orm::{ActiveValue::Set, entity::prelude::*};

use super::{Outcome, Scan};
use crate::{
    Error,
    id::ProjectId,
    store::column::{from_json, storable_json, to_json},
};

#[derive(Clone, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "project_scans")]
pub(super) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub project_id: ProjectId,
    pub requested_at: Option<DateTimeUtc>,
    pub failure: Option<String>,
    pub found: Option<Json>,
    pub document: Option<Json>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(super) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// What an older program wrote and this one cannot read is as good as nothing: the next scan finds it again.
impl From<Model> for Scan {
    fn from(row: Model) -> Self {
        Self {
            is_requested: row.requested_at.is_some(),
            found: row.found.and_then(|found| from_json("project_scans.found", found).ok()),
            words: row
                .document
                .and_then(|words| from_json("project_scans.document", words).ok()),
            failure: row.failure,
        }
    }
}

/// The columns that the end of a scan changes.
pub(super) const FINISHED: [Column; 4] = [Column::RequestedAt, Column::Failure, Column::Found, Column::Document];

/// The row after a scan came to its end.
pub(super) fn finished(id: ProjectId, outcome: &Outcome) -> Result<ActiveModel, Error> {
    let found = to_json("project_scans.found", &outcome.found)?;
    let words = to_json("project_scans.document", &outcome.words)?;
    Ok(ActiveModel {
        project_id: Set(id),
        requested_at: Set(None),
        failure: Set(None),
        found: Set(Some(storable_json(found))),
        document: Set(Some(storable_json(words))),
    })
}
