//! Deployments.

use borgos_actors::value::{DeploymentName, Port};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use super::{headers, operation::Operation, parameter::Parameter};
use crate::{
    reply::Pagination,
    routes::{
        body::{DeploymentBody, ReleaseBody},
        deployments::{
            Deploy, STATUSES,
            logs::{DEFAULT_TAIL, FORMATS, MAX_TAIL, NDJSON},
            releases::{Redeploy, Redeploying, Rollback},
            update::Update,
            views::{EventBody, StatsBody},
        },
        outcome::{Made, Told},
    },
};

/// Why an instance could not be brought up.
const CANNOT_START: [&str; 4] = [
    "DEPLOYMENT_FAILED",
    "ROUTE_OUTDATED",
    "RUNTIME_REFUSED",
    "TARGET_IN_USE",
];
const CANNOT_RUN: [&str; 3] = ["NOTHING_TO_DEPLOY", "PORT_NOT_USABLE", "ROUTE_IMPOSSIBLE"];

/// Why the commit cannot be built that was asked for.
const CANNOT_CHECK_OUT: [&str; 3] = ["NOT_A_REPOSITORY", "SOURCE_REF_NEEDS_DOCKER", "SOURCE_REF_NOT_FOUND"];

/// The ways to answer a rollback.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only its schema is of use")]
enum RolledBack {
    Done(Told),
    Candidates(Vec<ReleaseBody>),
    Page {
        data: Vec<ReleaseBody>,
        pagination: Pagination,
    },
}

pub(super) fn operations() -> Vec<Operation> {
    let mut all = rows();
    all.extend(orders());
    all.extend(releases());
    all.extend(views());
    all
}

fn rows() -> Vec<Operation> {
    vec![
        Operation::new("deployments.deploy", "Deploys a project on a port")
            .body::<Deploy>(json!({
                "project_id": 1, "name": "myproject-staging", "port": 8091, "environment": {"NODE_ENV": "staging"},
                "cpu_limit": "0.5", "memory_limit": "256m",
            }))
            .answers::<Made>(201, "It was created, and is being brought up.")
            .with(&headers::LOCATION)
            .example(json!({"message": "Deployment created on port 8091", "id": 2}))
            .leads_to(
                "/id",
                &[
                    "deployments.show",
                    "deployments.stop",
                    "deployments.restart",
                    "deployments.delete",
                    "deployments.releases",
                    "deployments.logs",
                ],
            )
            .refuses(400, &["PORT_IN_USE"])
            .refuses(404, &["NOT_FOUND"])
            .refuses(409, &["NAME_IN_USE", "PROJECT_INACTIVE"])
            .refuses(409, &CANNOT_START)
            .refuses(422, &CANNOT_RUN)
            .refuses(422, &CANNOT_CHECK_OUT)
            .refuses(422, &["VOLUMES_NEED_CONTAINERS"]),
        Operation::new("deployments.list", "Lists deployments")
            .takes([
                Parameter::choice("status", "What was last observed of them.", &STATUSES),
                Parameter::id("project_id", "The project that they run."),
                Parameter::of::<DeploymentName>("name", "Their name."),
                Parameter::of::<Port>("port", "The port that they run on."),
            ])
            .lists_fields::<DeploymentBody>("The deployments.")
            .example(json!([example()])),
        Operation::new("deployments.show", "Shows one deployment")
            .answers::<DeploymentBody>(200, "The deployment: status, reason, when it was observed."),
        Operation::new("deployments.update", "Changes a deployment")
            .describe(
                "`environment` is merged, and `null` takes a variable away. A change of it or of the limits is a new \
                release of what is built already; name and health check count at once.",
            )
            .body::<Update>(json!({"environment": {"NODE_ENV": "production", "DEBUG": null}, "cpu_limit": "1"}))
            .answers::<DeploymentBody>(200, "The change counts already.")
            .answers::<DeploymentBody>(202, "A new release is rolled out for it.")
            .refuses(409, &["NAME_IN_USE"]),
        Operation::new("deployments.delete", "Stops and deletes a deployment")
            .describe("Its name and its port are free after that.")
            .answers::<Told>(200, "It is deleted.")
            .answers::<Told>(202, "It is being stopped; it can be deleted then.")
            .refuses(409, &["DEPLOYMENT_NOT_STOPPED"]),
    ]
}

fn orders() -> Vec<Operation> {
    vec![
        order("deployments.stop", "Stops a deployment").example(json!({"message": "Deployment 2 stopped"})),
        order("deployments.start", "Starts a deployment that does not run"),
        order("deployments.restart", "Puts a new instance in the place of the old one")
            .describe("Starts a deployment that was stopped or has failed.")
            .example(json!({"message": "Deployment 2 restarted"})),
        order(
            "deployments.cancel",
            "Calls off the build or the rollout that is under way",
        )
        .describe("What served before serves on.")
        .refuses(409, &["NOTHING_TO_CANCEL"]),
    ]
}

fn order(name: &'static str, summary: &'static str) -> Operation {
    Operation::new(name, summary)
        .answers::<Told>(202, "It is under way.")
        .answers::<Told>(200, "It was observed.")
        .refuses(400, &["PORT_IN_USE"])
        .refuses(409, &CANNOT_START)
        .refuses(422, &CANNOT_RUN)
}

fn releases() -> Vec<Operation> {
    vec![
        Operation::new("deployments.releases", "Lists the releases of a deployment")
            .lists::<ReleaseBody>("The releases, newest first."),
        Operation::new("deployments.redeploy", "Builds a new release")
            .describe(
                "The old one serves until the new one is healthy. Without a body it is built from the same branch or \
                directory.",
            )
            .body::<Redeploy>(json!({"source_ref": "main"}))
            .or_none()
            .answers::<Redeploying>(202, "It is being built.")
            .example(json!({"message": "Deployment 1 is building release 2", "release": 2}))
            .refuses(409, &["PROJECT_INACTIVE"])
            .refuses(409, &CANNOT_START)
            .refuses(422, &CANNOT_RUN)
            .refuses(422, &CANNOT_CHECK_OUT),
        order(
            "deployments.rollback",
            "Has an earlier release serve again, without a build",
        )
        .takes(Parameter::page())
        .answers::<RolledBack>(200, "It serves; or, without a body, the releases that could.")
        .with(&headers::PAGE)
        .body::<Rollback>(json!({"release": 1}))
        .or_none()
        .refuses(409, &["RELEASE_NOT_READY"]),
    ]
}

fn views() -> Vec<Operation> {
    vec![
        Operation::new("deployments.events", "Lists what happened to a deployment")
            .lists::<EventBody>("The events, newest first."),
        Operation::new("deployments.stats", "Shows what a deployment uses, and how it answers")
            .answers::<StatsBody>(200, "What was measured just now, and the last probes."),
        Operation::new("deployments.logs", "Shows what a deployment printed")
            .takes([
                Parameter::number("tail", "How many lines.", 0, MAX_TAIL, DEFAULT_TAIL),
                Parameter::time("since", "Not before this time."),
                Parameter::id("release", "The number of the only release that is wanted."),
                Parameter::flag("follow", "Whether to go on with what comes."),
                Parameter::choice("format", "How lines are written.", &FORMATS),
            ])
            .tells(200, "The lines.", &["text/plain; charset=utf-8", NDJSON]),
    ]
}

fn example() -> Value {
    json!({
        "id": 1, "project_id": 1, "name": "myproject-prod", "port": 8090, "status": "running", "reason": null,
        "observed_at": "2024-01-15T09:00:05Z", "desired": "running", "runtime": "docker",
        "container_id": "abc123def456", "url": "http://localhost:8090",
        "health_check_url": "http://localhost:8090/health", "health_timeout_s": 60, "health_interval_s": 10,
        "health_retries": 3, "environment": {"NODE_ENV": "production"}, "cpu_limit": "1", "memory_limit": "512m",
        "image": null, "command": null, "container_port": null, "source_ref": null, "release_id": 1,
        "next_release_id": null,
        "generation": 1, "restarts": 0, "started_at": "2024-01-15T09:00:00Z", "created_at": "2024-01-15T08:59:00Z",
        "updated_at": "2024-01-15T09:00:05Z",
    })
}
