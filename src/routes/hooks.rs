//! Push to deploy: deliveries from whoever hosts a repository, and the hooks that let them in.

use std::{collections::BTreeSet, sync::Arc};

use borgos_actors::{
    id::{DeploymentId, ProjectId},
    push::{Answer, Delivery, HookRequest, Malformed},
    store::push::Hook,
    value::{GitRef, HookSecret},
};
use bytes::Bytes;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use warp::{
    Filter,
    filters::BoxedFilter,
    http::{HeaderMap, StatusCode},
    reply::Response,
};

use super::{answer, id, outcome::Told, with};
use crate::{
    app::App,
    body::{self, field::Id},
    problem::Problem,
    query,
    reply::{self, Reply},
};

/// More deployments of a project cannot be named.
const MAX_NAMED: usize = 100;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "SetHook")]
pub(crate) struct Set {
    secret: Option<HookSecret>,
    branch: Option<GitRef>,
    #[schemars(length(min = 1, max = MAX_NAMED))]
    deployments: Option<Vec<Id>>,
}

/// A hook as clients see it.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Hook")]
pub(crate) struct HookBody {
    project_id: ProjectId,
    /// Where deliveries are sent to.
    path: String,
    #[serde(flatten)]
    hook: Hook,
    /// Only when it was made just now.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
}

/// What follows from a delivery.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Delivered {
    message: String,
    /// What was pushed, if that counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    commit: Option<GitRef>,
    /// What will be built from it.
    deployments: Vec<DeploymentId>,
}

/// Returns the filters of this resource.
pub(super) fn routes(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    let of_project = || warp::path!("api" / "v1" / "projects" / String / "hook").and_then(id);
    let show = of_project()
        .and(warp::get())
        .and(query::none())
        .and(with(app))
        .then(show);
    let set = of_project()
        .and(warp::put())
        .and(query::none())
        .and(body::json())
        .and(with(app))
        .then(set);
    let remove = of_project()
        .and(warp::delete())
        .and(query::none())
        .and(with(app))
        .then(remove);
    let receive = warp::path!("api" / "v1" / "hooks" / String)
        .and(warp::post())
        .and_then(id)
        .and(query::none())
        .and(warp::header::headers_cloned())
        .and(body::bytes())
        .and(with(app))
        .then(receive);
    show.or(set)
        .unify()
        .or(remove)
        .unify()
        .or(receive)
        .unify()
        .map(answer)
        .boxed()
}

/// GET /api/v1/projects/{id}/hook
async fn show(id: i64, app: Arc<App>) -> Result<Reply, Problem> {
    let hook = app.system.hooks.show(ProjectId(id)).await?;
    Ok(reply::ok(&HookBody::new(id, hook, None)))
}

/// PUT /api/v1/projects/{id}/hook
async fn set(id: i64, request: Set, app: Arc<App>) -> Result<Reply, Problem> {
    let request = HookRequest {
        secret: request.secret,
        branch: request.branch,
        deployments: request.deployments.map(named).transpose()?,
    };
    let (hook, secret) = app.system.hooks.set(ProjectId(id), request).await?;
    Ok(reply::ok(&HookBody::new(id, hook, secret)))
}

fn named(ids: Vec<Id>) -> Result<Vec<DeploymentId>, Problem> {
    if ids.is_empty() || ids.len() > MAX_NAMED {
        let reason = format!("must name 1 to {MAX_NAMED} deployments; leave it out for all");
        return Err(Problem::invalid_field("deployments", &reason));
    }
    let different: BTreeSet<i64> = ids.into_iter().map(Id::get).collect();
    Ok(different.into_iter().map(DeploymentId).collect())
}

/// DELETE /api/v1/projects/{id}/hook
async fn remove(id: i64, app: Arc<App>) -> Result<Reply, Problem> {
    app.system.hooks.remove(ProjectId(id)).await?;
    Ok(reply::ok(&Told::new(format!("Hook of project {id} removed"))))
}

/// POST /api/v1/hooks/{id}
///
/// Whoever has no right signature is told the same whether there is such a project or not.
async fn receive(id: i64, headers: HeaderMap, body: Bytes, app: Arc<App>) -> Result<Reply, Problem> {
    let header = |name: &str| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned)
    };
    let delivery = Delivery {
        header: &header,
        body: &body,
    };
    match app.system.hooks.receive(ProjectId(id), delivery).await? {
        Answer::Refused => Err(Problem::new(
            StatusCode::UNAUTHORIZED,
            "INVALID_SIGNATURE",
            "the signature is missing or wrong",
        )),
        Answer::Malformed(Malformed::NotJson) => Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "UNSUPPORTED_MEDIA_TYPE",
            "choose `application/json` as the content type of the hook",
        )),
        Answer::Malformed(Malformed::NoPush) => Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "INVALID_PUSH",
            "the body does not tell a branch and a commit as a push does",
        )),
        Answer::Pong => Ok(reply::ok(&Delivered::nothing("The hook works"))),
        Answer::Ignored(reason) => Ok(reply::ok(&Delivered::nothing(format!("Ignored: {reason}")))),
        Answer::Duplicate => Ok(reply::ok(&Delivered::nothing("Ignored: this delivery was seen before"))),
        Answer::Asked { commit, deployments } => Ok(asked(commit, deployments)),
    }
}

/// 202 for what is to be built, 200 when all have it.
fn asked(commit: GitRef, deployments: Vec<DeploymentId>) -> Reply {
    let message = match deployments.len() {
        0 => format!("No deployment is without commit {commit}"),
        1 => format!("Commit {commit} will be deployed"),
        number => format!("Commit {commit} will be deployed {number} times"),
    };
    let body = Delivered {
        message,
        commit: Some(commit),
        deployments,
    };
    match body.deployments.is_empty() {
        true => reply::ok(&body),
        false => reply::accepted(&body),
    }
}

impl Delivered {
    fn nothing(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            commit: None,
            deployments: Vec::new(),
        }
    }
}

impl HookBody {
    fn new(id: i64, hook: Hook, secret: Option<HookSecret>) -> Self {
        Self {
            project_id: ProjectId(id),
            path: format!("/api/v1/hooks/{id}"),
            hook,
            secret: secret.map(|secret| secret.expose().to_owned()),
        }
    }
}
