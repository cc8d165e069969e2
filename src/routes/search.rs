//! Searches, asked by `POST` as documented or by `GET`.

use std::{path::Path, sync::Arc};

use borgos_actors::{
    Error,
    id::ProjectId,
    search::code::{self, Case, Hit, Kind, Mode},
    search_index::{FoundCode, FoundProject},
    value::TechStack,
};
use schemars::JsonSchema;
use serde::Serialize;
use warp::{
    Filter, Rejection,
    filters::BoxedFilter,
    http::{HeaderName, HeaderValue},
    reply::Response,
};

use super::{answer, with};
use crate::{
    app::App,
    problem::Problem,
    query::{self, Query},
    reply::{self, Reply},
};

/// As many projects are found when the client does not say; documented.
pub(crate) const DEFAULT_PROJECTS: u64 = 10;
/// As many lines are found when the client does not say.
pub(crate) const DEFAULT_LINES: u64 = 50;
/// As many results a client may ask for.
pub(crate) const MAX_RESULTS: u64 = 1000;
/// As many copies of a file are named.
const MAX_COPIES: usize = 20;
/// Says why a search has not looked everywhere.
const TRUNCATED: HeaderName = HeaderName::from_static("x-truncated");

pub(crate) const CASES: [(&str, Case); 3] = [
    ("smart", Case::Smart),
    ("sensitive", Case::Sensitive),
    ("insensitive", Case::Insensitive),
];

/// A project that was found.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "FoundProject")]
pub(crate) struct ProjectHit {
    id: ProjectId,
    name: String,
    path: String,
    relevance_score: f64,
    tech_stack: TechStack,
}

/// A line that was found.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "FoundLine")]
pub(crate) struct CodeHit<'a> {
    file: String,
    line: u32,
    content: &'a str,
    relevance_score: f64,
    column: u32,
    /// Where in the content the matches are: first character and the one behind the last.
    matches: &'a [(u32, u32)],
    project_id: ProjectId,
    language: Option<&'a str>,
    /// What the line defines, if a match is part of the name.
    symbol: Option<&'static str>,
    /// Other files with the same content, the first of them by name.
    copies: Vec<String>,
    num_copies: usize,
}

impl From<FoundProject> for ProjectHit {
    fn from(found: FoundProject) -> Self {
        let FoundProject {
            project,
            relevance_score,
        } = found;
        Self {
            id: project.id,
            name: project.name,
            path: project.path,
            relevance_score: rounded(relevance_score),
            tech_stack: project.tech_stack,
        }
    }
}

impl<'a> CodeHit<'a> {
    fn new(hit: &'a Hit, found: &FoundCode) -> Self {
        let path = |project: ProjectId, file: &Path| found.path_of(project, file).to_string_lossy().into_owned();
        Self {
            file: path(hit.project, &hit.file),
            line: hit.line,
            content: &hit.content,
            relevance_score: rounded(hit.relevance_score),
            column: hit.column,
            matches: &hit.matches,
            project_id: hit.project,
            language: Some(&*hit.language).filter(|name| !name.is_empty()),
            symbol: hit.symbol.map(Kind::name),
            copies: hit
                .copies
                .iter()
                .take(MAX_COPIES)
                .map(|copy| path(copy.project, &copy.file))
                .collect(),
            num_copies: hit.copies.len(),
        }
    }
}

/// Returns the filters of this resource.
pub(super) fn routes(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    let projects = warp::path!("api" / "v1" / "search" / "projects")
        .and(asked())
        .and(query::strict(&["query", "limit"]))
        .and(with(app))
        .then(projects);
    let code = warp::path!("api" / "v1" / "search" / "code")
        .and(asked())
        .and(query::strict(&[
            "query",
            "project_id",
            "limit",
            "regex",
            "case",
            "lang",
            "path",
        ]))
        .and(with(app))
        .then(code);
    projects.or(code).unify().map(answer).boxed()
}

fn asked() -> impl Filter<Extract = (), Error = Rejection> + Clone {
    warp::get().or(warp::post()).unify()
}

/// POST /api/v1/search/projects
async fn projects(query: Query, app: Arc<App>) -> Result<Reply, Problem> {
    let text = wanted(&query)?;
    let limit = query.number("limit", 1, MAX_RESULTS)?.unwrap_or(DEFAULT_PROJECTS);
    let found = app.system.search.projects(text, to_usize(limit)).await?;
    let hits: Vec<ProjectHit> = found.into_iter().map(ProjectHit::from).collect();
    Ok(reply::ok(&hits))
}

/// POST /api/v1/search/code
async fn code(query: Query, app: Arc<App>) -> Result<Reply, Problem> {
    let request = code::Query {
        text: wanted(&query)?,
        mode: match query.boolean("regex")? {
            Some(true) => Mode::Regex,
            Some(false) | None => Mode::Words,
        },
        case: query.choice("case", &CASES)?.unwrap_or_default(),
        projects: query.id("project_id")?.map(|id| vec![ProjectId(id)]),
        language: query.text("lang")?.map(str::to_owned),
        path: query.text("path")?.map(str::to_owned),
        symbol: None,
        limit: to_usize(query.number("limit", 1, MAX_RESULTS)?.unwrap_or(DEFAULT_LINES)),
    };
    let found = app.system.search.code(request).await?;
    let answer = &found.answer;
    let hits: Vec<CodeHit<'_>> = answer.hits.iter().map(|hit| CodeHit::new(hit, &found)).collect();
    let reply = reply::ok(&hits).with_total(answer.total_matches as u64);
    Ok(match truncation(&found) {
        Some(why) => reply.with_header(TRUNCATED, HeaderValue::from_static(why)),
        None => reply,
    })
}

/// Says why the search has not looked everywhere, if it has not.
fn truncation(found: &FoundCode) -> Option<&'static str> {
    match found.answer.truncated {
        Some(code::Truncated::Lines) => Some("lines"),
        Some(code::Truncated::Deadline) => Some("deadline"),
        Some(code::Truncated::Cancelled) => Some("cancelled"),
        None if found.answer.is_incomplete || !found.answer.damaged.is_empty() => Some("rebuilding"),
        None => None,
    }
}

fn wanted(query: &Query) -> Result<String, Error> {
    let missing = || Error::InvalidField {
        field: "query".to_owned(),
        reason: "is required".to_owned(),
    };
    Ok(query.text("query")?.ok_or_else(missing)?.to_owned())
}

/// Two digits tell as much as anyone sees in a score.
fn rounded(score: f64) -> f64 {
    (score * 100.0).round() / 100.0
}

/// The limits of a search fit into any address space.
fn to_usize(limit: u64) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}
