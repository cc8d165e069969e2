//! The table `projects`.

use sea_orm::{ActiveValue::Set, entity::prelude::*};

use super::{NewProject, Patch, Project};
use crate::{
    Error,
    id::ProjectId,
    store::{
        column::{from_json, parsed, parsed_opt, storable, storable_json, to_json},
        now, scans,
    },
};

#[derive(Clone, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "projects")]
pub(in crate::store) struct Model {
    #[sea_orm(primary_key)]
    pub id: ProjectId,
    pub name: String,
    pub path: String,
    pub zenith_id: Option<String>,
    pub project_type: Option<String>,
    pub tech_stack: Json,
    pub health_score: i32,
    pub vibe_score: i32,
    pub eco_score: i32,
    pub errors: Json,
    pub metadata: Json,
    pub is_active: bool,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub last_scanned_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(in crate::store) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl TryFrom<Model> for Project {
    type Error = Error;

    fn try_from(row: Model) -> Result<Self, Error> {
        Ok(Self {
            id: row.id,
            name: parsed("projects.name", row.name)?,
            path: row.path.into(),
            zenith_id: row.zenith_id,
            project_type: parsed_opt("projects.project_type", row.project_type)?,
            tech_stack: from_json("projects.tech_stack", row.tech_stack)?,
            health_score: row.health_score,
            vibe_score: row.vibe_score,
            eco_score: row.eco_score,
            errors: from_json("projects.errors", row.errors)?,
            metadata: from_json("projects.metadata", row.metadata)?,
            is_active: row.is_active,
            created_at: row.created_at,
            updated_at: row.updated_at,
            last_scanned_at: row.last_scanned_at,
        })
    }
}

/// A fresh row; scores are those of a project that was never scanned.
pub(super) fn new(new: &NewProject) -> Result<ActiveModel, Error> {
    let now = now();
    Ok(ActiveModel {
        name: Set(new.name.clone().into()),
        path: Set(new.path.clone().into()),
        zenith_id: Set(new.zenith_id.clone().map(storable)),
        project_type: Set(new.project_type.clone().map(String::from)),
        tech_stack: Set(to_json("projects.tech_stack", &new.tech_stack)?),
        created_at: Set(now),
        updated_at: Set(now),
        ..Default::default()
    })
}

/// The columns that a patch changes.
pub(super) fn change(current: &Project, patch: &Patch) -> Result<ActiveModel, Error> {
    let mut row = ActiveModel {
        id: Set(current.id),
        updated_at: Set(now()),
        ..Default::default()
    };
    if let Some(name) = patch.name.clone() {
        row.name = Set(name.into());
    }
    if let Some(kind) = patch.project_type.clone() {
        row.project_type = Set(kind.map(String::from));
    }
    if let Some(stack) = &patch.tech_stack {
        row.tech_stack = Set(to_json("projects.tech_stack", stack)?);
    }
    if let Some(is_active) = patch.is_active {
        row.is_active = Set(is_active);
    }
    if let Some(metadata) = patch.metadata.clone() {
        row.metadata = Set(storable_json(scans::with_found(current, metadata).into()));
    }
    Ok(row)
}
