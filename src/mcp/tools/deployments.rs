//! Tools about deployments.

use super::{DEPLOYMENT, Effect, Kind, LIMIT, OF_PROJECT, OFFSET, Parameter, SHORT_TEXT, Tool};

const TEXT: Kind = Kind::Text { max_chars: SHORT_TEXT };
const PORT: Kind = Kind::Number { min: 1, max: 65_535 };
const STATUSES: &[&str] = &[
    "pending",
    "building",
    "starting",
    "running",
    "unhealthy",
    "restarting",
    "crash_looping",
    "stopping",
    "stopped",
    "failed",
    "cancelled",
];

pub(super) static TOOLS: &[Tool] = &[
    Tool::get("list_deployments", "/api/v1/deployments")
        .describe(
            "List deployments with id, project, port, URL, status and the reason of that status. Use it to see what runs, \
             what failed and why.",
        )
        .takes(&[
            Parameter::query("status", Kind::Choice(STATUSES), "Only deployments in this status"),
            OF_PROJECT,
            Parameter::query("name", TEXT, "Only the deployment with exactly this name"),
            Parameter::query("port", PORT, "Only the deployment on this port"),
            LIMIT,
            OFFSET,
        ]),
    Tool::post("deploy_project", "/api/v1/deploy", Effect::Adds)
        .describe(
            "Deploy a project to a specific port: build it, run it and keep it running. Returns the id of the deployment, \
             which goes on in the background; follow it with list_deployments.",
        )
        .takes(&[
            Parameter::body("project_id", Kind::Id, "Id of the project").required(),
            Parameter::body("port", PORT, "Port on which it will answer").required(),
            Parameter::body("name", TEXT, "Name of the deployment; that of the project if left out"),
            Parameter::body("environment", Kind::Object, "Environment variables"),
            Parameter::body("image", TEXT, "Container image to run instead of building one"),
            Parameter::body("command", Kind::Texts, "Program and arguments to run instead of the detected ones"),
            Parameter::body("container_port", PORT, "Port on which the program listens in its container"),
            Parameter::body("health_check_path", TEXT, "Path that answers 200 when all is well, such as `/health`"),
        ]),
    Tool::post("stop_deployment", "/api/v1/deployments/{id}/stop", Effect::Ends)
        .describe("Stop a deployment: its program ends and its port no longer answers. restart_deployment starts it again.")
        .takes(&[DEPLOYMENT]),
    Tool::post("restart_deployment", "/api/v1/deployments/{id}/restart", Effect::Disrupts)
        .describe(
            "Put a fresh instance of a deployment in the place of the old one, or start a deployment that is stopped or \
             has failed.",
        )
        .takes(&[DEPLOYMENT]),
    Tool::post("rollback_deployment", "/api/v1/deployments/{id}/rollback", Effect::Ends)
        .describe("Have an earlier release of a deployment serve again, without a build.")
        .takes(&[
            DEPLOYMENT,
            Parameter::body("release", Kind::Id, "Number of the release to go back to").required(),
        ]),
];
