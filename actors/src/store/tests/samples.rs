//! Things to put into a store, and ways to look into one.

use sea_orm::{ConnectionTrait, Statement};
use serde_json::json;

use crate::{
    Error,
    deployment::{Desired, Status},
    id::{DeploymentId, ProjectId},
    runtime::{Artifact, InstanceRef, Kind},
    store::{
        Page, Store,
        deployments::{self, Change, Deployment, NewDeployment},
        error_log::{NewEntry, Severity},
        events::{self, Event},
        projects::{self, NewProject, Project},
        tasks::{self, NewTask, Task},
    },
    value::{HealthCheck, Port, ProjectPath},
};

pub(super) const ALL: Page = Page { limit: 1000, offset: 0 };

/// A project in a directory of its own.
pub(super) fn new_project(name: &str) -> NewProject {
    let directory = tempfile::tempdir().unwrap();
    NewProject {
        name: name.to_owned().try_into().unwrap(),
        path: ProjectPath::resolve(directory.path().to_str().unwrap()).unwrap(),
        zenith_id: None,
        project_type: Some("web".to_owned().try_into().unwrap()),
        tech_stack: vec!["python".to_owned(), "react".to_owned()].try_into().unwrap(),
    }
}

pub(super) async fn a_project(store: &Store, name: &str) -> Project {
    projects::create(store, &new_project(name)).await.unwrap()
}

/// A deployment with everything set.
pub(super) fn new_deployment(project_id: ProjectId, name: &str, number: i64) -> NewDeployment {
    NewDeployment {
        project_id,
        name: name.to_owned().try_into().unwrap(),
        port: port(number),
        runtime: Kind::Process,
        image: Some("app:1".to_owned().try_into().unwrap()),
        command: Some(vec!["serve".to_owned(), "--fast".to_owned()].try_into().unwrap()),
        container_port: Some(port(3000)),
        source_ref: None,
        environment: serde_json::from_value(json!({"TOKEN": "canary"})).unwrap(),
        volumes: serde_json::from_value(json!(["data:/data"])).unwrap(),
        cpu_limit: Some("0.5".to_owned().try_into().unwrap()),
        memory_limit: Some("256m".to_owned().try_into().unwrap()),
        health_check: HealthCheck {
            path: Some("/ready".to_owned().try_into().unwrap()),
            timeout_s: 90.try_into().unwrap(),
            interval_s: 5.try_into().unwrap(),
            retries: 2.try_into().unwrap(),
        },
    }
}

pub(super) async fn a_deployment(store: &Store, project_id: ProjectId, name: &str, number: i64) -> Deployment {
    deployments::create(store, &new_deployment(project_id, name, number))
        .await
        .unwrap()
}

pub(super) fn port(number: i64) -> Port {
    number.try_into().unwrap()
}

pub(super) fn image(id: &str) -> Artifact {
    Artifact::Image {
        id: id.to_owned(),
        exposed_port: Some(3000),
    }
}

pub(super) fn new_error(severity: Severity, message: &str) -> NewEntry {
    NewEntry {
        project_id: None,
        deployment_id: None,
        error_type: "runtime".to_owned(),
        severity,
        message: message.to_owned(),
        stack_trace: None,
        context: json!({}),
    }
}

/// A task that may be tried three times.
pub(super) fn new_task(agent_type: &str) -> NewTask {
    NewTask {
        project_id: None,
        agent_type: agent_type.to_owned(),
        task_type: "automation".to_owned(),
        description: "watch the logs".to_owned(),
        priority: 1,
        input_data: json!({"log_paths": ["/var/log/app.log"]}),
        run_at: None,
        max_attempts: 3,
        timeout_s: None,
        unique_key: None,
        idempotency_key: None,
    }
}

pub(super) async fn create_task(store: &Store, new: &NewTask) -> Task {
    let created = tasks::create(store, new, 1000).await.unwrap();
    assert!(!created.is_duplicate);
    created.task
}

/// Gives offsets to all events that wait for one, and returns them.
pub(super) async fn new_events(store: &Store) -> Vec<Event> {
    events::assign_offsets(store, 1000).await.unwrap()
}

/// Returns the kinds of all events that wait for an offset.
pub(super) async fn new_kinds(store: &Store) -> Vec<String> {
    new_events(store).await.into_iter().map(|event| event.kind).collect()
}

/// Returns the single number that a query yields.
pub(super) async fn number(database: &impl ConnectionTrait, sql: &str) -> i64 {
    let query = Statement::from_string(database.get_database_backend(), sql);
    let row = database.query_one_raw(query).await.unwrap().unwrap();
    row.try_get_by_index(0).unwrap()
}

/// Records a change as an actor does, which looks again when the row has changed meanwhile.
pub(super) async fn record(store: &Store, id: DeploymentId, change: &Change) -> Result<Deployment, Error> {
    loop {
        let seen = deployments::deployment(store, id).await?;
        match deployments::record(store, &seen, change).await {
            Err(Error::Conflict {
                code: deployments::OUTDATED,
                ..
            }) => {}
            result => return result,
        }
    }
}

/// Deletes a deployment as it is done: once it is stopped.
pub(super) async fn delete(store: &Store, id: DeploymentId) -> Deployment {
    stop(store, id).await;
    deployments::mark_deleted(store, id).await.unwrap()
}

/// Tells a deployment to stop and records that it did.
pub(super) async fn stop(store: &Store, id: DeploymentId) {
    deployments::set_desired(store, id, Desired::Stopped).await.unwrap();
    record(store, id, &Change::to(Status::Stopped)).await.unwrap();
}

/// Records that the candidate of the target serves.
pub(super) async fn serve(store: &Store, seen: &Deployment) -> Deployment {
    let change = Change {
        instance: Some(Some(InstanceRef("c0ffee".to_owned()))),
        release_id: Some(seen.target_id),
        is_replacing: Some(false),
        ..Change::to(Status::Running)
    };
    deployments::record(store, seen, &change).await.unwrap()
}
