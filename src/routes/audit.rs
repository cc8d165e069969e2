//! The audit log: who changed what.

use std::sync::Arc;

use borgos_actors::store::audit::{self, Filter as AuditFilter};
use warp::{Filter, filters::BoxedFilter, reply::Response};

use super::{answer, with};
use crate::{
    app::App,
    problem::Problem,
    query::{self, Query},
    reply::{self, Reply},
};

/// Returns the filter of this resource.
pub(super) fn routes(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    let filters = query::strict(&["actor", "action", "result", "since", "until", "limit", "offset"]);
    warp::path!("api" / "v1" / "audit")
        .and(warp::get())
        .and(filters)
        .and(with(app))
        .then(list)
        .map(answer)
        .boxed()
}

/// GET /api/v1/audit
async fn list(query: Query, app: Arc<App>) -> Result<Reply, Problem> {
    let page = query.page()?;
    let text = |name| Ok::<_, Problem>(query.text(name)?.map(str::to_owned));
    let filter = AuditFilter {
        actor: text("actor")?,
        action: text("action")?,
        result: text("result")?,
        since: query.time("since")?,
        until: query.time("until")?,
    };
    let listed = audit::list(&app.system.store, &filter, page.rows()).await?;
    Ok(reply::list(&listed.rows, listed.total, &page))
}
