//! THE list of endpoints, one line each in URL order, and the filters that answer them.
//!
//! A request whose path and method are not in [`TABLE`] never reaches a filter, and a line cannot be written without a
//! scope: what is not listed does not exist.

pub(crate) mod access;
pub(crate) mod actors;
pub(crate) mod agent_zero;
pub(crate) mod audit;
pub(crate) mod auth;
pub(crate) mod body;
mod dashboard;
pub(crate) mod deployments;
mod docs;
pub(crate) mod errors;
pub(crate) mod events;
pub(crate) mod hooks;
mod live;
pub(crate) mod mcp;
pub(crate) mod outcome;
pub(crate) mod projects;
pub(crate) mod search;
pub(crate) mod system;
mod table;
pub(crate) mod tasks;
pub(crate) mod tokens;
pub(crate) mod users;
pub(crate) mod webhooks;

use std::{convert::Infallible, sync::Arc};

use warp::{Filter, Rejection, Reply as _, filters::BoxedFilter, http::Method, reject, reply::Response};

pub use self::table::{Endpoint, Miss, Scope, find};
use crate::{
    app::App,
    mcp::toolbox::Toolbox,
    problem::{self, Problem},
    query::parse_id,
    reply::Reply,
};

const DELETE: Method = Method::DELETE;
const GET: Method = Method::GET;
const PATCH: Method = Method::PATCH;
const POST: Method = Method::POST;
const PUT: Method = Method::PUT;

/// Every endpoint. `/health`, the dashboard's files and the upgrade of `/ws` do not count against the rate limit, so that no
/// probe is refused and a client that comes back does not use up what it needs for reading.
pub static TABLE: &[Endpoint] = &[
    Endpoint::uncounted(GET, "/", Scope::Public, "dashboard"),
    Endpoint::new(GET, "/docs", Scope::Public, "docs"),
    Endpoint::new(GET, "/docs/script.js", Scope::Public, "docs.script"),
    Endpoint::new(GET, "/docs/style.css", Scope::Public, "docs.style"),
    Endpoint::uncounted(GET, "/health", Scope::Public, "health"),
    Endpoint::new(GET, "/api/v1/actors", Scope::Read, "actors.list"),
    Endpoint::new(GET, "/api/v1/actors/{path}", Scope::Read, "actors.show"),
    Endpoint::new(POST, "/api/v1/actors/{path}/restart", Scope::Admin, "actors.restart"),
    Endpoint::new(
        GET,
        "/api/v1/agent-zero/capabilities",
        Scope::Read,
        "agent_zero.capabilities",
    ),
    Endpoint::new(POST, "/api/v1/agent-zero/execute", Scope::Deploy, "agent_zero.execute"),
    Endpoint::new(GET, "/api/v1/agent-zero/logs", Scope::Read, "agent_zero.logs"),
    Endpoint::new(POST, "/api/v1/agent-zero/restart", Scope::Deploy, "agent_zero.restart"),
    Endpoint::new(POST, "/api/v1/agent-zero/start", Scope::Deploy, "agent_zero.start"),
    Endpoint::new(GET, "/api/v1/agent-zero/status", Scope::Read, "agent_zero.status"),
    Endpoint::new(POST, "/api/v1/agent-zero/stop", Scope::Deploy, "agent_zero.stop"),
    Endpoint::new(GET, "/api/v1/agent/agents", Scope::Read, "agents.list"),
    Endpoint::new(
        POST,
        "/api/v1/agent/agents/{agent}/pause",
        Scope::Deploy,
        "agents.pause",
    ),
    Endpoint::new(
        POST,
        "/api/v1/agent/agents/{agent}/resume",
        Scope::Deploy,
        "agents.resume",
    ),
    Endpoint::new(POST, "/api/v1/agent/task", Scope::Deploy, "tasks.create"),
    Endpoint::new(GET, "/api/v1/agent/tasks", Scope::Read, "tasks.list"),
    Endpoint::new(POST, "/api/v1/agent/tasks", Scope::Deploy, "tasks.create_all"),
    Endpoint::new(GET, "/api/v1/agent/tasks/{id}", Scope::Read, "tasks.show"),
    Endpoint::new(POST, "/api/v1/agent/tasks/{id}/cancel", Scope::Deploy, "tasks.cancel"),
    Endpoint::new(POST, "/api/v1/agent/tasks/{id}/retry", Scope::Deploy, "tasks.retry"),
    Endpoint::new(GET, "/api/v1/audit", Scope::Admin, "audit.list"),
    Endpoint::new(GET, "/api/v1/auth/me", Scope::Read, "auth.me"),
    Endpoint::new(POST, "/api/v1/auth/ticket", Scope::Read, "auth.ticket"),
    Endpoint::new(POST, "/api/v1/auth/token", Scope::Read, "auth.token"),
    Endpoint::new(POST, "/api/v1/deploy", Scope::Deploy, "deployments.deploy"),
    Endpoint::new(GET, "/api/v1/deployments", Scope::Read, "deployments.list"),
    Endpoint::new(GET, "/api/v1/deployments/{id}", Scope::Read, "deployments.show"),
    Endpoint::new(PATCH, "/api/v1/deployments/{id}", Scope::Deploy, "deployments.update"),
    Endpoint::new(DELETE, "/api/v1/deployments/{id}", Scope::Deploy, "deployments.delete"),
    Endpoint::new(
        POST,
        "/api/v1/deployments/{id}/cancel",
        Scope::Deploy,
        "deployments.cancel",
    ),
    Endpoint::new(
        GET,
        "/api/v1/deployments/{id}/events",
        Scope::Read,
        "deployments.events",
    ),
    Endpoint::new(GET, "/api/v1/deployments/{id}/logs", Scope::Read, "deployments.logs"),
    Endpoint::new(
        POST,
        "/api/v1/deployments/{id}/redeploy",
        Scope::Deploy,
        "deployments.redeploy",
    ),
    Endpoint::new(
        GET,
        "/api/v1/deployments/{id}/releases",
        Scope::Read,
        "deployments.releases",
    ),
    Endpoint::new(
        POST,
        "/api/v1/deployments/{id}/restart",
        Scope::Deploy,
        "deployments.restart",
    ),
    Endpoint::new(
        POST,
        "/api/v1/deployments/{id}/rollback",
        Scope::Deploy,
        "deployments.rollback",
    ),
    Endpoint::new(
        POST,
        "/api/v1/deployments/{id}/start",
        Scope::Deploy,
        "deployments.start",
    ),
    Endpoint::new(GET, "/api/v1/deployments/{id}/stats", Scope::Read, "deployments.stats"),
    Endpoint::new(POST, "/api/v1/deployments/{id}/stop", Scope::Deploy, "deployments.stop"),
    Endpoint::new(GET, "/api/v1/errors", Scope::Read, "errors.list"),
    Endpoint::new(POST, "/api/v1/errors", Scope::Deploy, "errors.log"),
    Endpoint::new(GET, "/api/v1/events", Scope::Read, "events.list"),
    Endpoint::new(POST, "/api/v1/hooks/{id}", Scope::Public, "hooks.receive"),
    Endpoint::new(GET, "/api/v1/mcp/queries", Scope::Read, "mcp.queries"),
    Endpoint::new(POST, "/api/v1/mcp/query", Scope::Read, "mcp.query"),
    Endpoint::new(GET, "/api/v1/mcp/tools", Scope::Read, "mcp.tools"),
    Endpoint::new(GET, "/api/v1/openapi.json", Scope::Public, "openapi"),
    Endpoint::new(GET, "/api/v1/projects", Scope::Read, "projects.list"),
    Endpoint::new(POST, "/api/v1/projects", Scope::Deploy, "projects.create"),
    Endpoint::new(POST, "/api/v1/projects/discover", Scope::Deploy, "projects.discover"),
    Endpoint::new(
        POST,
        "/api/v1/projects/scan-zenith",
        Scope::Deploy,
        "projects.scan_zenith",
    ),
    Endpoint::new(GET, "/api/v1/projects/{id}", Scope::Read, "projects.show"),
    Endpoint::new(PATCH, "/api/v1/projects/{id}", Scope::Deploy, "projects.update"),
    Endpoint::new(DELETE, "/api/v1/projects/{id}", Scope::Deploy, "projects.delete"),
    Endpoint::new(
        GET,
        "/api/v1/projects/{id}/dependencies",
        Scope::Read,
        "projects.dependencies",
    ),
    Endpoint::new(GET, "/api/v1/projects/{id}/files", Scope::Read, "projects.files"),
    Endpoint::new(GET, "/api/v1/projects/{id}/files/{file}", Scope::Read, "projects.file"),
    Endpoint::new(GET, "/api/v1/projects/{id}/hook", Scope::Read, "hooks.show"),
    Endpoint::new(PUT, "/api/v1/projects/{id}/hook", Scope::Deploy, "hooks.set"),
    Endpoint::new(DELETE, "/api/v1/projects/{id}/hook", Scope::Deploy, "hooks.remove"),
    Endpoint::new(
        GET,
        "/api/v1/projects/{id}/languages",
        Scope::Read,
        "projects.languages",
    ),
    Endpoint::new(GET, "/api/v1/projects/{id}/plan", Scope::Read, "projects.plan"),
    Endpoint::new(POST, "/api/v1/projects/{id}/scan", Scope::Deploy, "projects.scan"),
    Endpoint::new(GET, "/api/v1/search/code", Scope::Read, "search.code"),
    Endpoint::new(POST, "/api/v1/search/code", Scope::Read, "search.code"),
    Endpoint::new(GET, "/api/v1/search/projects", Scope::Read, "search.projects"),
    Endpoint::new(POST, "/api/v1/search/projects", Scope::Read, "search.projects"),
    Endpoint::new(GET, "/api/v1/status", Scope::Read, "status"),
    Endpoint::new(GET, "/api/v1/tokens", Scope::Admin, "tokens.list"),
    Endpoint::new(POST, "/api/v1/tokens", Scope::Admin, "tokens.create"),
    Endpoint::new(GET, "/api/v1/tokens/{id}", Scope::Admin, "tokens.show"),
    Endpoint::new(DELETE, "/api/v1/tokens/{id}", Scope::Admin, "tokens.revoke"),
    Endpoint::new(GET, "/api/v1/users", Scope::Admin, "users.list"),
    Endpoint::new(POST, "/api/v1/users", Scope::Admin, "users.create"),
    Endpoint::new(GET, "/api/v1/users/{id}", Scope::Admin, "users.show"),
    Endpoint::new(PATCH, "/api/v1/users/{id}", Scope::Admin, "users.update"),
    Endpoint::new(DELETE, "/api/v1/users/{id}", Scope::Admin, "users.remove"),
    Endpoint::new(GET, "/api/v1/webhooks", Scope::Admin, "webhooks.list"),
    Endpoint::new(POST, "/api/v1/webhooks", Scope::Admin, "webhooks.create"),
    Endpoint::new(GET, "/api/v1/webhooks/{id}", Scope::Admin, "webhooks.show"),
    Endpoint::new(PATCH, "/api/v1/webhooks/{id}", Scope::Admin, "webhooks.update"),
    Endpoint::new(DELETE, "/api/v1/webhooks/{id}", Scope::Admin, "webhooks.delete"),
    Endpoint::new(
        GET,
        "/api/v1/webhooks/{id}/deliveries",
        Scope::Admin,
        "webhooks.deliveries",
    ),
    Endpoint::new(
        POST,
        "/api/v1/webhooks/{id}/deliveries/{delivery}/redeliver",
        Scope::Admin,
        "webhooks.redeliver",
    ),
    Endpoint::new(POST, "/api/v1/webhooks/{id}/test", Scope::Admin, "webhooks.test"),
    Endpoint::new(GET, "/api/v1/ws/clients", Scope::Admin, "live.clients"),
    Endpoint::uncounted(GET, "/assets/{file}", Scope::Public, "dashboard.file"),
    Endpoint::new(POST, "/mcp", Scope::Read, "mcp"),
    Endpoint::uncounted(GET, "/ws", Scope::Read, "live"),
];

/// Returns the filters that answer the endpoints of [`TABLE`]. What is asked most often comes first.
pub fn routes(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    let resources = projects::routes(app)
        .or(deployments::routes(app))
        .unify()
        .or(errors::routes(app))
        .unify()
        .or(events::routes(app))
        .unify()
        .or(search::routes(app))
        .unify()
        .or(actors::routes(app))
        .unify()
        .or(agent_zero::routes(app))
        .unify()
        .or(live::routes(app))
        .unify()
        .or(tasks::routes(app))
        .unify()
        .or(docs::routes())
        .unify()
        .or(webhooks::routes(app))
        .unify()
        .or(auth::routes(app))
        .unify()
        .or(audit::routes(app))
        .unify()
        .or(tokens::routes(app))
        .unify()
        .or(users::routes(app))
        .unify()
        .or(hooks::routes(app))
        .unify();
    let resources = system::routes(app).or(resources.boxed()).unify();
    // The tools are requests of all that is above.
    let recovered = resources.clone().recover(problem::recover).unify();
    resources
        .or(mcp::routes(app, Toolbox::new(recovered.boxed(), app.auditor.clone())))
        .unify()
        .or(dashboard::routes())
        .unify()
        .recover(problem::recover)
        .unify()
        .boxed()
}

/// Hands out the app behind one pointer: a clone of all its parts for each request would cost more than the answer.
fn with(app: &Arc<App>) -> impl Filter<Extract = (Arc<App>,), Error = Infallible> + Clone + use<> {
    let app = app.clone();
    warp::any().map(move || app.clone())
}

fn answer(result: Result<Reply, Problem>) -> Response {
    result.into_response()
}

/// Reads an id of the path, which the route table has checked already: what is none belongs to another filter, and must not
/// hide why that one refuses.
async fn id(text: String) -> Result<i64, Rejection> {
    parse_id(&text).ok_or_else(reject::not_found)
}
