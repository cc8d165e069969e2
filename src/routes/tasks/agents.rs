//! The agents that carry out tasks.

use std::sync::Arc;

use warp::{Filter, Rejection, filters::BoxedFilter, reply::Response};

use crate::{
    app::App,
    problem::Problem,
    query,
    reply::{self, Reply},
    routes::{answer, outcome::Told, with},
};

/// Returns the filters of this resource.
pub(super) fn routes(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    let list = warp::path!("api" / "v1" / "agent" / "agents")
        .and(warp::get())
        .and(query::none())
        .and(with(app))
        .then(list);
    let pause = below("pause").and(query::none()).and(with(app)).then(pause);
    let resume = below("resume").and(query::none()).and(with(app)).then(resume);
    list.or(pause).unify().or(resume).unify().map(answer).boxed()
}

/// Matches what can be asked of one agent, by name.
fn below(name: &'static str) -> impl Filter<Extract = (String,), Error = Rejection> + Clone {
    warp::path!("api" / "v1" / "agent" / "agents" / String / ..)
        .and(warp::path(name))
        .and(warp::path::end())
        .and(warp::post())
}

/// GET /api/v1/agent/agents
async fn list(app: Arc<App>) -> Result<Reply, Problem> {
    Ok(reply::ok(&app.system.tasks.agents().await?))
}

/// POST /api/v1/agent/agents/{agent}/pause
async fn pause(agent: String, app: Arc<App>) -> Result<Reply, Problem> {
    app.system.tasks.pause(&agent).await?;
    let message = format!("Agent {agent} is paused; what it has begun goes on");
    Ok(reply::ok(&Told::new(message)))
}

/// POST /api/v1/agent/agents/{agent}/resume
async fn resume(agent: String, app: Arc<App>) -> Result<Reply, Problem> {
    app.system.tasks.resume(&agent).await?;
    Ok(reply::ok(&Told::new(format!("Agent {agent} works again"))))
}
