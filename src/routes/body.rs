//! The bodies that several endpoints answer with.

use borgos_actors::{
    Error,
    deployment::{Desired, Status},
    id::{DeploymentId, Generation, ProjectId, ReleaseId},
    plan::Recipe,
    runtime::{Artifact, InstanceRef, Kind},
    store::{
        Store,
        deployments::Deployment,
        projects::Project,
        releases::{self, Phase, Release},
    },
    value::{
        Command, CpuLimit, DeploymentName, GitRef, HealthPath, ImageRef, MemoryLimit, Port, ProjectName, ProjectType,
        Retries, Seconds, TechStack, Volumes, shown,
    },
};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

/// Container ids are shown as Docker shows them; every command takes them like that.
const CONTAINER_ID_CHARS: usize = 12;

/// A project as clients see it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Project")]
pub(crate) struct ProjectBody {
    id: ProjectId,
    name: ProjectName,
    path: String,
    zenith_id: Option<String>,
    project_type: Option<ProjectType>,
    tech_stack: TechStack,
    health_score: i32,
    vibe_score: i32,
    eco_score: i32,
    errors: Vec<Value>,
    metadata: Map<String, Value>,
    is_active: bool,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deployments: Option<Vec<DeploymentSummary>>,
}

/// A deployment within its project.
#[derive(Debug, Serialize, JsonSchema)]
struct DeploymentSummary {
    id: DeploymentId,
    name: DeploymentName,
    port: Port,
    status: Status,
}

impl From<Project> for ProjectBody {
    fn from(project: Project) -> Self {
        Self {
            id: project.id,
            name: project.name,
            path: project.path.to_string_lossy().into_owned(),
            zenith_id: project.zenith_id,
            project_type: project.project_type,
            tech_stack: project.tech_stack,
            health_score: project.health_score,
            vibe_score: project.vibe_score,
            eco_score: project.eco_score,
            errors: project.errors,
            metadata: project.metadata,
            is_active: project.is_active,
            created_at: project.created_at,
            updated_at: project.updated_at,
            deployments: None,
        }
    }
}

impl ProjectBody {
    /// Adds the deployments, as the details of a project have them.
    pub(super) fn with_deployments(self, deployments: &[Deployment]) -> Self {
        let summary = |deployment: &Deployment| DeploymentSummary {
            id: deployment.id,
            name: deployment.name.clone(),
            port: deployment.port,
            status: deployment.status,
        };
        Self {
            deployments: Some(deployments.iter().map(summary).collect()),
            ..self
        }
    }
}

/// A deployment as clients see it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Deployment")]
pub(crate) struct DeploymentBody {
    id: DeploymentId,
    project_id: ProjectId,
    name: DeploymentName,
    port: Port,
    status: Status,
    reason: Option<String>,
    observed_at: DateTime<Utc>,
    desired: Desired,
    runtime: Kind,
    /// The container; a process has none.
    container_id: Option<String>,
    url: String,
    health_check_url: String,
    health_timeout_s: Seconds,
    health_interval_s: Seconds,
    health_retries: Retries,
    environment: Map<String, Value>,
    volumes: Volumes,
    /// Whether what serves is stopped before the next release starts, as both would write to its volumes.
    stops_first: bool,
    cpu_limit: Option<CpuLimit>,
    memory_limit: Option<MemoryLimit>,
    image: Option<ImageRef>,
    command: Option<Command>,
    container_port: Option<Port>,
    /// The commit or branch that its releases are built from.
    source_ref: Option<GitRef>,
    release_id: Option<ReleaseId>,
    /// The release that is to serve, when that is another one.
    next_release_id: Option<ReleaseId>,
    generation: Generation,
    restarts: i64,
    started_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

/// A release as clients see it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Release")]
pub(crate) struct ReleaseBody {
    /// The number by which a rollback names it.
    release: i64,
    status: releases::Status,
    reason: Option<String>,
    is_serving: bool,
    /// The image; a process has none.
    image_id: Option<String>,
    /// The commit or branch that was asked for, and the commit that this was.
    source_ref: Option<GitRef>,
    source_commit: Option<String>,
    /// How it was built, once that is known.
    plan: Option<Recipe>,
    environment: Map<String, Value>,
    cpu_limit: Option<CpuLimit>,
    memory_limit: Option<MemoryLimit>,
    created_at: DateTime<Utc>,
    created_by: String,
    /// How long each part of bringing it up took, in the order of their ends.
    phases: Vec<Phase>,
    /// What its build said last.
    build_log: Vec<String>,
    /// How it ended, if it failed by ending.
    exit_code: Option<i64>,
    is_oom: Option<bool>,
    /// What it said last, if it failed.
    last_lines: Vec<String>,
}

impl ReleaseBody {
    /// Shows a release of a deployment where that one serves.
    pub(super) fn new(release: Release, serving: Option<ReleaseId>, store: &Store) -> Result<Self, Error> {
        Ok(Self {
            release: release.number,
            status: release.status,
            reason: release.reason,
            is_serving: serving == Some(release.id),
            image_id: match release.artifact {
                Some(Artifact::Image { id, .. }) => Some(id),
                Some(Artifact::Command { .. }) | None => None,
            },
            source_ref: release.source_ref,
            source_commit: release.source_commit,
            plan: release.recipe,
            environment: store.unseal(&release.environment)?.iter().map(masked).collect(),
            cpu_limit: release.cpu_limit,
            memory_limit: release.memory_limit,
            created_at: release.created_at,
            created_by: release.created_by,
            phases: release.phases,
            build_log: release.build_log,
            exit_code: release.exit_code,
            is_oom: release.is_oom,
            last_lines: release.last_lines,
        })
    }
}

impl DeploymentBody {
    /// Shows a deployment.
    pub(super) fn new(row: Deployment, store: &Store) -> Result<Self, Error> {
        let environment = store.unseal(&row.environment)?;
        let url = format!("http://localhost:{}", row.port);
        let health_path = row.health_check.path.as_ref().map_or("/health", HealthPath::as_str);
        Ok(Self {
            container_id: container_id(row.runtime, row.instance.as_ref()),
            health_check_url: format!("{url}{health_path}"),
            url,
            environment: environment.iter().map(masked).collect(),
            id: row.id,
            project_id: row.project_id,
            name: row.name,
            port: row.port,
            status: row.status,
            reason: row.reason,
            observed_at: row.observed_at,
            desired: row.desired,
            runtime: row.runtime,
            health_timeout_s: row.health_check.timeout_s,
            health_interval_s: row.health_check.interval_s,
            health_retries: row.health_check.retries,
            stops_first: row.volumes.are_written(),
            volumes: row.volumes,
            cpu_limit: row.cpu_limit,
            memory_limit: row.memory_limit,
            image: row.image,
            command: row.command,
            container_port: row.container_port,
            source_ref: row.source_ref,
            release_id: row.release_id,
            next_release_id: Some(row.target_id).filter(|target| row.release_id != Some(*target)),
            generation: row.generation,
            restarts: row.restarts,
            started_at: row.started_at,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

fn container_id(runtime: Kind, instance: Option<&InstanceRef>) -> Option<String> {
    match runtime {
        Kind::Docker => instance.map(|instance| instance.0.chars().take(CONTAINER_ID_CHARS).collect()),
        Kind::Process => None,
    }
}

/// Shows a variable, and of one that looks secret only that it is there.
fn masked((name, value): (&str, &str)) -> (String, Value) {
    (name.to_owned(), shown(name, value).into_owned().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_secret_is_masked() {
        assert_eq!(masked(("API_KEY", "canary")).1, "***");
        assert_eq!(masked(("NODE_ENV", "production")).1, "production");
    }
}
