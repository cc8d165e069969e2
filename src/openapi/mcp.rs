//! Tools for programs that think.

use borgos_actors::store::mcp_queries::Entry;
use serde_json::{Map, Value, json};

use super::{operation::Operation, parameter::Parameter};
use crate::{
    mcp::query::Answer,
    routes::mcp::{Ask, Tools},
};

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::new("mcp.tools", "Lists the tools that the caller may use")
            .answers::<Tools>(200, "The tools: what every call needs, and all that it takes.")
            .example(json!({"tools": [{
                "name": "list_projects", "description": "List all projects in the system", "parameters": [],
                "input_schema": {"type": "object", "properties": {}, "additionalProperties": false},
            }]})),
        Operation::new(
            "mcp.query",
            "Answers a query in plain words with a tool that the caller may use",
        )
        .describe(
            "With a language model it chooses the tools, under the caller's scope; without one the planner is built \
                in. `context` stands for what the words leave out. Beside the codes below those of the tool can come.",
        )
        .body::<Ask>(json!({
            "query_type": "tool", "query": "List all Python files in the project",
            "context": {"project_id": 1, "path": "/projects/myproject"},
        }))
        .answers::<Answer>(200, "What the tool said, or the model in its words.")
        .example(json!({
            "result": ["main.py", "utils.py", "models.py", "tests/test_main.py"], "tokens_used": 125,
            "model": "gpt-4o-mini", "tool": "list_files", "arguments": {"project_id": 1}, "query_id": 7,
        }))
        .refuses(404, &["NOT_FOUND"])
        .refuses(409, TOOLS_CONFLICTS)
        .refuses(
            422,
            &["INCOMPLETE_QUERY", "NOTHING_TO_DEPLOY", "NOT_TEXT", "NOT_UNDERSTOOD"],
        )
        .refuses(502, &["LLM_ANSWER", "LLM_AUTH", "LLM_REFUSED", "LLM_STEPS"])
        .refuses(503, &["LLM_UNAVAILABLE"]),
        Operation::new("mcp.queries", "Lists queries in plain words and what came of them")
            .takes([
                Parameter::text("query_type", "What kind of query they were."),
                Parameter::text("tool", "The tool that answered."),
                Parameter::text("outcome", "`answered`, or the code of a refusal."),
            ])
            .lists::<Entry>("The queries, newest first."),
        Operation::new("mcp", "Speaks the Model Context Protocol")
            .describe(
                "One message of JSON-RPC, over streamable HTTP without sessions. Its errors are those of JSON-RPC.",
            )
            .body::<Map<String, Value>>(json!({
                "jsonrpc": "2.0", "id": 1, "method": "tools/list",
            }))
            .tells(
                200,
                "The answer, as JSON or as a stream.",
                &["application/json", "text/event-stream"],
            )
            .tells(202, "A notification was taken.", &[]),
    ]
}

/// What stands in the way of what tools do.
const TOOLS_CONFLICTS: &[&str] = &[
    "DEPLOYMENT_FAILED",
    "NAME_IN_USE",
    "NOT_SCANNED",
    "PROJECT_INACTIVE",
    "RELEASE_NOT_READY",
    "RUNTIME_REFUSED",
    "TASK_FINISHED",
    "TASK_NOT_RETRYABLE",
];
