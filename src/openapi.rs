//! The description of the API, in OpenAPI 3.1: made from the route table, from the operations that are described below in
//! one file for each resource, and from the types that are read and written.
//!
//! A line of the route table without a description, and a description without a line, fail a test.

mod access;
mod actors;
mod agent_zero;
mod agents;
mod deployments;
mod errors;
mod events;
mod headers;
mod hooks;
mod mcp;
mod operation;
mod pages;
mod parameter;
mod projects;
mod refusals;
mod schemas;
mod search;
mod system;
mod tasks;
mod webhooks;

use serde_json::{Map, Value, json};

use self::{operation::Operation, schemas::Schemas};
use crate::{
    problem,
    routes::{Endpoint, TABLE},
};

const COMPONENTS: &str = "#/components";

/// Describes the operations of a group.
type Operations = fn() -> Vec<Operation>;

/// The groups that operations are shown in, in this order.
const TAGS: [(&str, &str, Operations); 15] = [
    ("System", "How the service and its machine are.", system::operations),
    (
        "Projects",
        "Directories of code that BorgOS knows.",
        projects::operations,
    ),
    (
        "Deployments",
        "Projects that are to run on a port.",
        deployments::operations,
    ),
    (
        "Hooks",
        "Pushes to repositories that deployments follow.",
        hooks::operations,
    ),
    (
        "Agent Zero",
        "The agent that BorgOS keeps running.",
        agent_zero::operations,
    ),
    (
        "Tasks",
        "Work for agents that is accepted and gets done.",
        tasks::operations,
    ),
    ("Agents", "The agents that carry out tasks.", agents::operations),
    ("Search", "Lines of code, and projects.", search::operations),
    ("MCP", "Tools for programs that think.", mcp::operations),
    (
        "Errors",
        "What went wrong in projects and deployments.",
        errors::operations,
    ),
    ("Events", "What happens, as it happens.", events::operations),
    (
        "Webhooks",
        "Other systems that are told of what happens.",
        webhooks::operations,
    ),
    (
        "Access",
        "Who may do what, and who did what: tokens, users, audit log.",
        access::operations,
    ),
    (
        "Actors",
        "The supervision tree, for those who operate BorgOS.",
        actors::operations,
    ),
    ("Pages", "What browsers show and run.", pages::operations),
];

/// Returns the whole description.
pub fn document() -> Value {
    let mut schemas = Schemas::new();
    let mut paths = Map::new();
    for (tag, _, operations) in TAGS {
        for operation in operations() {
            for endpoint in TABLE.iter().filter(|endpoint| endpoint.name == operation.name) {
                let described = operation.render(endpoint, &operation_id(endpoint), tag, &mut schemas);
                let path = paths.entry(endpoint.path).or_insert_with(|| json!({}));
                path[endpoint.method.as_str().to_ascii_lowercase()] = described;
            }
        }
    }
    schemas.answer::<problem::Body<'_>>();
    json!({
        "openapi": "3.1.0",
        "info": info(),
        "servers": [{"url": "/"}],
        "tags": TAGS.map(|(name, description, _)| json!({"name": name, "description": description})),
        "paths": paths,
        "components": {
            "headers": headers::components(),
            "schemas": schemas.into_components(),
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "description": "A token."},
                "basic": {"type": "http", "scheme": "basic", "description": "Name and password of a user."},
            },
        },
    })
}

fn info() -> Value {
    json!({
        "title": "BorgOS",
        "version": env!("CARGO_PKG_VERSION"),
        "description": "Lists are bare arrays with `X-Total-Count` and `Link`; with `offset` in the query they come in an \
            envelope. An unknown parameter or field is a 400 that names it. Every error has one body, whose `code` is \
            stable. `x-scope` says what a caller must be allowed to do: `read`, `deploy` or `admin`, each of which \
            includes the ones before it.",
        "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
    })
}

/// Names an operation as the route table does; where a name has several lines, with its method.
fn operation_id(endpoint: &Endpoint) -> String {
    let num_lines = TABLE.iter().filter(|line| line.name == endpoint.name).count();
    match num_lines {
        1 => endpoint.name.to_owned(),
        _ => format!("{}.{}", endpoint.name, endpoint.method.as_str().to_ascii_lowercase()),
    }
}

#[cfg(test)]
mod tests;
