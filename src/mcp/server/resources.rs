//! Projects and their files, as resources of the protocol.

use rmcp::{
    ErrorData,
    model::{ListResourcesResult, ReadResourceResult, Resource, ResourceContents, ResourceTemplate},
};
use serde_json::{Map, Value, json};

use super::{error, unknown};
use crate::{
    guard::audit::Requester,
    mcp::{
        toolbox::{Output, Toolbox},
        tools,
    },
    problem::Problem,
    query::{parse_id, unescape},
};

const PREFIX: &str = "borgos://projects/";
const JSON: &str = "application/json";
/// Projects per page.
const PAGE: usize = 100;

/// Lists the projects, a page at a time; a cursor is the number of those before.
pub(super) async fn list(
    toolbox: &Toolbox,
    cursor: Option<&str>,
    requester: &Requester,
) -> Result<ListResourcesResult, ErrorData> {
    let offset: usize = match cursor {
        Some(cursor) => cursor
            .parse()
            .map_err(|_| ErrorData::invalid_params("the cursor is none that was given out", None))?,
        None => 0,
    };
    let arguments = json!({"limit": PAGE, "offset": offset});
    let output = call(toolbox, "list_projects", &arguments, requester)
        .await
        .map_err(|problem| error(&problem))?;
    let total = output.total.unwrap_or_default();
    let rows = match output.value {
        Value::Object(mut envelope) => envelope.remove("data").unwrap_or_default(),
        rows => rows,
    };
    let resources: Vec<Resource> = rows.as_array().into_iter().flatten().map(resource).collect();
    let end = offset + resources.len();
    let mut result = ListResourcesResult::with_all_items(resources);
    result.next_cursor = ((end as u64) < total).then(|| end.to_string());
    Ok(result)
}

/// Returns the forms that addresses of resources have.
pub(super) fn templates() -> Vec<ResourceTemplate> {
    vec![
        ResourceTemplate::new("borgos://projects/{id}", "project")
            .with_description("Everything about one project: technologies, scores, errors, deployments")
            .with_mime_type(JSON),
        ResourceTemplate::new("borgos://projects/{id}/files/{+path}", "project-file")
            .with_description("A text file of a project that the last scan saw"),
    ]
}

/// Reads one resource.
pub(super) async fn read(toolbox: &Toolbox, uri: &str, requester: &Requester) -> Result<ReadResourceResult, ErrorData> {
    let address = uri.strip_prefix(PREFIX).ok_or_else(|| unknown(uri))?;
    let (id, file) = match address.split_once("/files/") {
        Some((id, file)) => (id, Some(unescape(file).ok_or_else(|| unknown(uri))?)),
        None => (address, None),
    };
    let id = parse_id(id).ok_or_else(|| unknown(uri))?;
    let asked = match &file {
        Some(path) => {
            call(
                toolbox,
                "read_file",
                &json!({"project_id": id, "path": path}),
                requester,
            )
            .await
        }
        None => call(toolbox, "get_project_details", &json!({"project_id": id}), requester).await,
    };
    let output = asked.map_err(|problem| error(&problem))?;
    let contents = match output.value {
        Value::String(text) => ResourceContents::text(text, uri),
        value => ResourceContents::text(value.to_string(), uri).with_mime_type(JSON),
    };
    Ok(ReadResourceResult::new(vec![contents]))
}

async fn call(toolbox: &Toolbox, name: &str, arguments: &Value, requester: &Requester) -> Result<Output, Problem> {
    let tool = tools::find(name).ok_or_else(|| Problem::internal(format!("there is no tool `{name}`")))?;
    let none = Map::new();
    toolbox
        .call(tool, arguments.as_object().unwrap_or(&none), requester)
        .await
}

fn resource(project: &Value) -> Resource {
    let name = project["name"].as_str().unwrap_or_default();
    let path = project["path"].as_str().unwrap_or_default();
    Resource::new(format!("{PREFIX}{}", project["id"]), name)
        .with_description(format!("The project in {path}"))
        .with_mime_type(JSON)
}
