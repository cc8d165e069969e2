//! Tools for programs that think: listed, asked for in plain words, and over the Model Context Protocol.

use std::sync::Arc;

use borgos_actors::store::mcp_queries::{self, Filter as QueryFilter};
use hyper::{Request, body::Bytes};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use warp::{
    Filter,
    filters::BoxedFilter,
    http::{HeaderMap, Method},
    reply::Response,
};

use super::{answer, with};
use crate::{
    app::App,
    body,
    guard::audit::Requester,
    mcp::{
        query::{Answerer, Kind, Question},
        server::{self, HttpServer},
        toolbox::Toolbox,
        tools::Tool,
    },
    problem::Problem,
    query::{self, Query},
    reply::{self, Reply},
};

/// What a language model reads in a moment; more is no question.
const MAX_QUERY_CHARS: usize = 10_000;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ask {
    query_type: Kind,
    #[schemars(regex(pattern = r"\S"), length(max = MAX_QUERY_CHARS))]
    query: String,
    context: Option<Map<String, Value>>,
}

/// A tool as the documented list has it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Tool")]
pub(crate) struct ToolBody {
    name: &'static str,
    description: &'static str,
    /// What every call needs.
    parameters: Vec<&'static str>,
    /// All that a call takes.
    input_schema: Map<String, Value>,
}

/// The tools.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Tools {
    tools: Vec<ToolBody>,
}

impl From<&Tool> for ToolBody {
    fn from(tool: &Tool) -> Self {
        Self {
            name: tool.name,
            description: tool.description,
            parameters: tool.required(),
            input_schema: tool.input_schema(),
        }
    }
}

/// Returns the filters of this resource.
pub(super) fn routes(app: &Arc<App>, toolbox: Toolbox) -> BoxedFilter<(Response,)> {
    let answerer = Arc::new(Answerer::new(app.clone(), toolbox.clone()));
    let server = server::http(toolbox.clone());
    let tools = warp::path!("api" / "v1" / "mcp" / "tools")
        .and(warp::get())
        .and(query::none())
        .and(warp::ext::get())
        .map(move |requester: Requester| list_tools(&toolbox, &requester));
    let ask = warp::path!("api" / "v1" / "mcp" / "query")
        .and(warp::post())
        .and(query::none())
        .and(warp::ext::get())
        .and(body::json())
        .and(warp::any().map(move || answerer.clone()))
        .then(ask);
    let queries = warp::path!("api" / "v1" / "mcp" / "queries")
        .and(warp::get())
        .and(query::strict(&["query_type", "tool", "outcome", "limit", "offset"]))
        .and(with(app))
        .then(queries);
    let protocol = warp::path!("mcp")
        .and(warp::post())
        .and(warp::header::headers_cloned())
        .and(warp::ext::get())
        .and(body::bytes())
        .and(warp::any().map(move || server.clone()))
        .then(speak);
    let documented = tools.or(ask).unify().or(queries).unify().map(answer);
    documented.or(protocol).unify().boxed()
}

/// GET /api/v1/mcp/tools
fn list_tools(toolbox: &Toolbox, requester: &Requester) -> Result<Reply, Problem> {
    let tools = toolbox.tools(&requester.caller).map(ToolBody::from).collect();
    Ok(reply::ok(&Tools { tools }))
}

/// POST /api/v1/mcp/query
async fn ask(requester: Requester, request: Ask, answerer: Arc<Answerer>) -> Result<Reply, Problem> {
    if request.query.trim().is_empty() || request.query.chars().count() > MAX_QUERY_CHARS {
        let reason = format!("must have 1 to {MAX_QUERY_CHARS} characters");
        return Err(Problem::invalid_field("query", reason));
    }
    let question = Question {
        kind: request.query_type,
        text: request.query,
        context: request.context.unwrap_or_default(),
    };
    Ok(reply::ok(&answerer.answer(question, &requester).await?))
}

/// GET /api/v1/mcp/queries
async fn queries(query: Query, app: Arc<App>) -> Result<Reply, Problem> {
    let page = query.page()?;
    let filter = QueryFilter {
        query_type: query.text("query_type")?.map(str::to_owned),
        tool: query.text("tool")?.map(str::to_owned),
        outcome: query.text("outcome")?.map(str::to_owned),
    };
    let listed = mcp_queries::list(&app.system.store, &filter, page.rows()).await?;
    Ok(reply::list(&listed.rows, listed.total, &page))
}

/// POST /mcp
async fn speak(headers: HeaderMap, requester: Requester, message: Bytes, server: HttpServer) -> Response {
    let mut request = Request::new(message.into());
    *request.method_mut() = Method::POST;
    *request.headers_mut() = headers;
    request.extensions_mut().insert(requester);
    server::respond(&server, request).await.map(Into::into)
}
