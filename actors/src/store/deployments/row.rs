//! The table `deployments`.

use sea_orm::{ActiveValue::Set, entity::prelude::*};

use super::{Deployment, NewDeployment};
use crate::{
    Error,
    deployment::{Desired, Status},
    id::{DeploymentId, Generation, ProjectId, ReleaseId},
    runtime::{InstanceRef, Kind},
    seal::Sealed,
    store::{
        column::{from_json, parsed, parsed_opt, sealed, to_json, to_sealed},
        now,
        releases::Release,
    },
    value::HealthCheck,
};

#[derive(Clone, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "deployments")]
pub(super) struct Model {
    #[sea_orm(primary_key)]
    pub id: DeploymentId,
    /// Missing once the deployment and then its project were deleted.
    pub project_id: Option<ProjectId>,
    pub name: String,
    pub port: i32,
    pub desired: Desired,
    pub status: Status,
    pub reason: Option<String>,
    pub observed_at: DateTimeUtc,
    pub runtime: String,
    pub image: Option<String>,
    pub command: Option<Json>,
    pub container_port: Option<i32>,
    pub source_ref: Option<String>,
    pub environment: Json,
    /// Missing where there are none.
    pub volumes: Option<Json>,
    pub cpu_limit: Option<String>,
    pub memory_limit: Option<String>,
    pub health_check_path: Option<String>,
    pub health_timeout_s: i64,
    pub health_interval_s: i64,
    pub health_retries: i64,
    pub release_id: Option<ReleaseId>,
    /// Missing only between two writes of the transaction that creates the deployment.
    pub target_id: Option<ReleaseId>,
    pub instance: Option<String>,
    pub candidate: Option<String>,
    /// Missing in rows of a BorgOS that started no release but the target.
    pub candidate_release_id: Option<ReleaseId>,
    pub is_replacing: bool,
    pub generation: Generation,
    pub restarts: i64,
    pub started_at: Option<DateTimeUtc>,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub deleted_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(super) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl TryFrom<Model> for Deployment {
    type Error = Error;

    fn try_from(row: Model) -> Result<Self, Error> {
        let project_id = row
            .project_id
            .ok_or_else(|| Error::Internal(format!("deployment {} has lost its project", row.id)))?;
        Ok(Self {
            id: row.id,
            project_id,
            name: parsed("deployments.name", row.name)?,
            port: port("deployments.port", row.port)?,
            desired: row.desired,
            status: row.status,
            reason: row.reason,
            observed_at: row.observed_at,
            runtime: from_json("deployments.runtime", row.runtime.into())?,
            image: parsed_opt("deployments.image", row.image)?,
            command: opt(row.command, |json| from_json("deployments.command", json))?,
            container_port: opt(row.container_port, |number| port("deployments.container_port", number))?,
            source_ref: parsed_opt("deployments.source_ref", row.source_ref)?,
            environment: sealed("deployments.environment", row.environment)?,
            volumes: opt(row.volumes, |json| from_json("deployments.volumes", json))?.unwrap_or_default(),
            cpu_limit: parsed_opt("deployments.cpu_limit", row.cpu_limit)?,
            memory_limit: parsed_opt("deployments.memory_limit", row.memory_limit)?,
            health_check: HealthCheck {
                path: parsed_opt("deployments.health_check_path", row.health_check_path)?,
                timeout_s: parsed("deployments.health_timeout_s", row.health_timeout_s)?,
                interval_s: parsed("deployments.health_interval_s", row.health_interval_s)?,
                retries: parsed("deployments.health_retries", row.health_retries)?,
            },
            release_id: row.release_id,
            target_id: row
                .target_id
                .ok_or_else(|| Error::Internal(format!("deployment {} has lost its release", row.id)))?,
            instance: row.instance.map(InstanceRef),
            candidate: row.candidate.map(InstanceRef),
            candidate_release_id: row.candidate_release_id,
            is_replacing: row.is_replacing,
            generation: row.generation,
            restarts: row.restarts,
            started_at: row.started_at,
            created_at: row.created_at,
            updated_at: row.updated_at,
            deleted_at: row.deleted_at,
        })
    }
}

/// A fresh row.
pub(super) fn new(new: &NewDeployment, environment: &Sealed) -> Result<ActiveModel, Error> {
    let now = now();
    let command = new.command.as_ref();
    let volumes = Some(&new.volumes).filter(|volumes| !volumes.is_empty());
    Ok(ActiveModel {
        project_id: Set(Some(new.project_id)),
        name: Set(new.name.clone().into()),
        port: Set(new.port.get().into()),
        desired: Set(Desired::Running),
        status: Set(Status::Pending),
        observed_at: Set(now),
        runtime: Set(word(new.runtime).to_owned()),
        image: Set(new.image.clone().map(String::from)),
        command: Set(opt(command, |command| to_json("deployments.command", command))?),
        container_port: Set(new.container_port.map(|port| port.get().into())),
        source_ref: Set(new.source_ref.clone().map(String::from)),
        environment: Set(to_sealed(environment)),
        volumes: Set(opt(volumes, |volumes| to_json("deployments.volumes", volumes))?),
        cpu_limit: Set(new.cpu_limit.clone().map(String::from)),
        memory_limit: Set(new.memory_limit.clone().map(String::from)),
        health_check_path: Set(new.health_check.path.clone().map(String::from)),
        health_timeout_s: Set(new.health_check.timeout_s.into()),
        health_interval_s: Set(new.health_check.interval_s.into()),
        health_retries: Set(new.health_check.retries.into()),
        created_at: Set(now),
        updated_at: Set(now),
        ..Default::default()
    })
}

/// What a row says of a release that its deployment is aimed at: that is what the deployment asks for now.
pub(super) fn aimed_at(release: &Release, row: ActiveModel) -> ActiveModel {
    ActiveModel {
        target_id: Set(Some(release.id)),
        environment: Set(to_sealed(&release.environment)),
        cpu_limit: Set(release.cpu_limit.clone().map(String::from)),
        memory_limit: Set(release.memory_limit.clone().map(String::from)),
        health_check_path: Set(release.health_check.path.clone().map(String::from)),
        health_timeout_s: Set(release.health_check.timeout_s.into()),
        health_interval_s: Set(release.health_check.interval_s.into()),
        health_retries: Set(release.health_check.retries.into()),
        ..row
    }
}

fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Docker => "docker",
        Kind::Process => "process",
    }
}

fn port(column: &'static str, number: i32) -> Result<crate::value::Port, Error> {
    parsed(column, i64::from(number))
}

fn opt<T, U>(value: Option<T>, read: impl FnOnce(T) -> Result<U, Error>) -> Result<Option<U>, Error> {
    value.map(read).transpose()
}
