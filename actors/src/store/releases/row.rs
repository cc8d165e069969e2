//! The table `releases`.

use sea_orm::{ActiveValue::Set, entity::prelude::*};
use serde::de::DeserializeOwned;

use super::{NewRelease, Release, Status};
use crate::{
    Error,
    id::{DeploymentId, ReleaseId},
    plan::Recipe,
    store::{
        column::{from_json, parsed, parsed_opt, sealed, storable, storable_json, to_json, to_sealed},
        now,
    },
    value::HealthCheck,
};

#[derive(Clone, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "releases")]
pub(super) struct Model {
    #[sea_orm(primary_key)]
    pub id: ReleaseId,
    pub deployment_id: DeploymentId,
    pub number: i64,
    pub artifact: Option<Json>,
    pub environment: Json,
    pub cpu_limit: Option<String>,
    pub memory_limit: Option<String>,
    pub source_ref: Option<String>,
    pub health_check_path: Option<String>,
    pub health_timeout_s: i64,
    pub health_interval_s: i64,
    pub health_retries: i64,
    pub source_commit: Option<String>,
    pub recipe: Option<Json>,
    pub status: Status,
    pub reason: Option<String>,
    pub created_at: DateTimeUtc,
    pub created_by: String,
    /// When it last began to serve.
    pub served_at: Option<DateTimeUtc>,
    /// The number of the release that the artifact was built for, if it was another one.
    pub built_as: Option<i64>,
    pub phases: Option<Json>,
    pub build_log: Option<Json>,
    pub exit_code: Option<i64>,
    pub is_oom: Option<bool>,
    pub last_lines: Option<Json>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(super) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl TryFrom<Model> for Release {
    type Error = Error;

    fn try_from(row: Model) -> Result<Self, Error> {
        let artifact = row.artifact.map(|json| from_json("releases.artifact", json));
        Ok(Self {
            id: row.id,
            deployment_id: row.deployment_id,
            number: row.number,
            artifact: artifact.transpose()?,
            built_as: row.built_as,
            environment: sealed("releases.environment", row.environment)?,
            cpu_limit: parsed_opt("releases.cpu_limit", row.cpu_limit)?,
            memory_limit: parsed_opt("releases.memory_limit", row.memory_limit)?,
            source_ref: parsed_opt("releases.source_ref", row.source_ref)?,
            health_check: HealthCheck {
                path: parsed_opt("releases.health_check_path", row.health_check_path)?,
                timeout_s: parsed("releases.health_timeout_s", row.health_timeout_s)?,
                interval_s: parsed("releases.health_interval_s", row.health_interval_s)?,
                retries: parsed("releases.health_retries", row.health_retries)?,
            },
            source_commit: row.source_commit,
            recipe: row.recipe.map(|json| from_json("releases.recipe", json)).transpose()?,
            status: row.status,
            reason: row.reason,
            created_at: row.created_at,
            created_by: row.created_by,
            phases: list("releases.phases", row.phases)?,
            build_log: list("releases.build_log", row.build_log)?,
            exit_code: row.exit_code,
            is_oom: row.is_oom,
            last_lines: list("releases.last_lines", row.last_lines)?,
        })
    }
}

/// Reads a list that was not written yet as an empty one.
fn list<T: DeserializeOwned>(column: &'static str, json: Option<Json>) -> Result<Vec<T>, Error> {
    json.map_or(Ok(Vec::new()), |json| from_json(column, json))
}

/// Writes what a project's files say, in which anything may stand.
pub(super) fn recipe(recipe: &Recipe) -> Result<Json, Error> {
    Ok(storable_json(to_json("releases.recipe", recipe)?))
}

/// A fresh row.
pub(super) fn new(deployment_id: DeploymentId, number: i64, new: &NewRelease) -> Result<ActiveModel, Error> {
    let artifact = new.artifact.as_ref();
    Ok(ActiveModel {
        deployment_id: Set(deployment_id),
        number: Set(number),
        environment: Set(to_sealed(&new.environment)),
        cpu_limit: Set(new.cpu_limit.clone().map(String::from)),
        memory_limit: Set(new.memory_limit.clone().map(String::from)),
        source_ref: Set(new.source_ref.clone().map(String::from)),
        health_check_path: Set(new.health_check.path.clone().map(String::from)),
        health_timeout_s: Set(new.health_check.timeout_s.into()),
        health_interval_s: Set(new.health_check.interval_s.into()),
        health_retries: Set(new.health_check.retries.into()),
        source_commit: Set(new.source_commit.clone().map(storable)),
        recipe: Set(new.recipe.as_ref().map(recipe).transpose()?),
        artifact: Set(artifact
            .map(|artifact| to_json("releases.artifact", artifact))
            .transpose()?),
        built_as: Set(new.built_as),
        status: Set(if artifact.is_some() {
            Status::Ready
        } else {
            Status::Building
        }),
        created_at: Set(now()),
        created_by: Set(storable(new.created_by.clone())),
        ..Default::default()
    })
}
