//! What the last scan of a project saw: its files, languages and dependencies.

use std::sync::Arc;

use borgos_actors::{
    Error,
    id::ProjectId,
    manifests::{Dependency, Ecosystem, Kind},
    scan::{Class, SeenFile},
};
use warp::{Filter, Rejection, filters::BoxedFilter, path::Tail, reject, reply::Response};

use crate::{
    app::App,
    problem::Problem,
    query::{self, Query},
    reply::{self, Reply},
    routes::{answer, id, with},
};

pub(crate) const CLASSES: [(&str, Class); 6] = [
    ("source", Class::Source),
    ("test", Class::Test),
    ("vendored", Class::Vendored),
    ("generated", Class::Generated),
    ("docs", Class::Docs),
    ("data", Class::Data),
];
pub(crate) const ECOSYSTEMS: [(&str, Ecosystem); 7] = [
    ("cargo", Ecosystem::Cargo),
    ("npm", Ecosystem::Npm),
    ("pypi", Ecosystem::Pypi),
    ("go", Ecosystem::Go),
    ("maven", Ecosystem::Maven),
    ("composer", Ecosystem::Composer),
    ("gem", Ecosystem::Gem),
];
pub(crate) const KINDS: [(&str, Kind); 4] = [
    ("runtime", Kind::Runtime),
    ("build", Kind::Build),
    ("optional", Kind::Optional),
    ("dev", Kind::Dev),
];

/// Returns the filters of this resource.
pub(super) fn routes(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    let below = || warp::path("api").and(warp::path("v1")).and(warp::path("projects"));
    let list = warp::path!("api" / "v1" / "projects" / String / "files")
        .and_then(id)
        .and(warp::get())
        .and(query::strict(&["lang", "class", "path", "limit", "offset"]))
        .and(with(app))
        .then(list);
    let show = below()
        .and(warp::path::param::<String>())
        .and_then(id)
        .and(warp::path("files"))
        .and(warp::path::tail())
        .and_then(one)
        .and(warp::get())
        .and(query::none())
        .and(with(app))
        .then(show);
    let dependencies = warp::path!("api" / "v1" / "projects" / String / "dependencies")
        .and_then(id)
        .and(warp::get())
        .and(query::strict(&["ecosystem", "kind", "direct", "limit", "offset"]))
        .and(with(app))
        .then(dependencies);
    let languages = warp::path!("api" / "v1" / "projects" / String / "languages")
        .and_then(id)
        .and(warp::get())
        .and(query::strict(&["limit", "offset"]))
        .and(with(app))
        .then(languages);
    list.or(show)
        .unify()
        .or(dependencies)
        .unify()
        .or(languages)
        .unify()
        .map(answer)
        .boxed()
}

/// GET /api/v1/projects/{id}/files
async fn list(id: i64, query: Query, app: Arc<App>) -> Result<Reply, Problem> {
    let page = query.page()?;
    let language = query.text("lang")?.map(str::to_lowercase);
    let class = query.choice("class", &CLASSES)?;
    let path = query.glob("path")?;
    let is_wanted = move |file: &SeenFile| {
        let is_in = |language: &String| file.language.is_some_and(|name| name.to_lowercase() == *language);
        language.as_ref().is_none_or(is_in)
            && class.is_none_or(|class| file.class == class)
            && path.as_ref().is_none_or(|path| path.is_match(&file.path))
    };
    let files = app.system.scans.files(ProjectId(id), is_wanted).await?;
    Ok(reply::page_of(&files, &page))
}

/// Leaves the list of all files to its own filter, which alone knows what that takes.
async fn one(id: i64, raw: Tail) -> Result<(i64, Tail), Rejection> {
    match raw.as_str() {
        "" => Err(reject::not_found()),
        _ => Ok((id, raw)),
    }
}

/// GET /api/v1/projects/{id}/files/{file}
async fn show((id, raw): (i64, Tail), app: Arc<App>) -> Result<Reply, Problem> {
    let file = query::unescape(raw.as_str()).ok_or_else(|| Error::InvalidField {
        field: "file".to_owned(),
        reason: "must be percent-encoded UTF-8".to_owned(),
    })?;
    let content = app.system.scans.read(ProjectId(id), file).await?;
    Ok(reply::file(content))
}

/// GET /api/v1/projects/{id}/dependencies
async fn dependencies(id: i64, query: Query, app: Arc<App>) -> Result<Reply, Problem> {
    let page = query.page()?;
    let ecosystem = query.choice("ecosystem", &ECOSYSTEMS)?;
    let kind = query.choice("kind", &KINDS)?;
    let is_direct = query.boolean("direct")?;
    let is_wanted = |dependency: &Dependency| {
        ecosystem.is_none_or(|ecosystem| dependency.ecosystem == ecosystem)
            && kind.is_none_or(|kind| dependency.kind == kind)
            && is_direct.is_none_or(|is_direct| dependency.is_direct == is_direct)
    };
    let mut dependencies = app.system.scans.found(ProjectId(id)).await?.manifests.dependencies;
    dependencies.retain(is_wanted);
    Ok(reply::page_of(&dependencies, &page))
}

/// GET /api/v1/projects/{id}/languages
async fn languages(id: i64, query: Query, app: Arc<App>) -> Result<Reply, Problem> {
    let page = query.page()?;
    let languages = app.system.scans.found(ProjectId(id)).await?.languages;
    Ok(reply::page_of(&languages, &page))
}
