//! Projects: directories of code that BorgOS knows.

pub(crate) mod files;
pub(crate) mod plan;
pub(crate) mod scan;

use std::sync::Arc;

use borgos_actors::{
    Error,
    id::ProjectId,
    store::{
        self, deployments,
        projects::{self, Filter as ProjectFilter, NewProject, Patch, Project},
    },
    value::{ProjectName, ProjectPath, ProjectType, TechStack},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};
use warp::{Filter, filters::BoxedFilter, reply::Response};

use super::{answer, body::ProjectBody, id, outcome::Told, with};
use crate::{
    app::App,
    body::{self, field},
    problem::Problem,
    query::{self, Names, Query},
    reply::{self, Reply},
};

/// The format of a text that is the path of a directory on the machine of the service.
const DIRECTORY: &str = "directory";

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "CreateProject")]
pub(crate) struct Create {
    name: ProjectName,
    #[schemars(length(min = 1, max = 4096), regex(pattern = "^/"), extend("format" = DIRECTORY))]
    path: String,
    project_type: Option<ProjectType>,
    tech_stack: Option<TechStack>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "UpdateProject")]
pub(crate) struct Update {
    #[serde(default, deserialize_with = "field::not_null")]
    #[schemars(with = "ProjectName")]
    name: Option<ProjectName>,
    #[serde(default, deserialize_with = "field::nullable")]
    project_type: Option<Option<ProjectType>>,
    #[serde(default, deserialize_with = "field::not_null")]
    #[schemars(with = "TechStack")]
    tech_stack: Option<TechStack>,
    #[serde(default, deserialize_with = "field::not_null")]
    #[schemars(with = "bool")]
    is_active: Option<bool>,
    #[serde(default, deserialize_with = "field::not_null")]
    #[schemars(with = "Map<String, Value>")]
    metadata: Option<Map<String, Value>>,
}

/// Returns the filters of this resource.
pub(super) fn routes(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    let all = || warp::path!("api" / "v1" / "projects");
    let one = || warp::path!("api" / "v1" / "projects" / String).and_then(id);
    // Before `one`, which takes any word for an id.
    let parts = scan::routes(app)
        .or(files::routes(app))
        .unify()
        .or(plan::routes(app))
        .unify();
    let filters = query::strict(&[
        "active",
        "tech_stack",
        "project_type",
        "name",
        "fields",
        "limit",
        "offset",
    ]);

    let list = all()
        .and(warp::get())
        .and(filters)
        .and(Names::filter::<ProjectBody>())
        .and(with(app))
        .then(list);
    let create = all()
        .and(warp::post())
        .and(query::none())
        .and(body::json())
        .and(with(app))
        .then(create);
    let show = one().and(warp::get()).and(query::none()).and(with(app)).then(show);
    let update = one()
        .and(warp::patch())
        .and(query::none())
        .and(body::json())
        .and(with(app))
        .then(update);
    let delete = one().and(warp::delete()).and(query::none()).and(with(app)).then(delete);
    let rows = list
        .or(create)
        .unify()
        .or(show)
        .unify()
        .or(update)
        .unify()
        .or(delete)
        .unify()
        .map(answer);
    parts.or(rows).unify().boxed()
}

/// GET /api/v1/projects
async fn list(query: Query, names: Names, app: Arc<App>) -> Result<Reply, Problem> {
    let (page, fields) = (query.page()?, query.fields(&names)?);
    let filter = ProjectFilter {
        is_active: query.boolean("active")?,
        tech_stack: query
            .parsed("tech_stack", |text| TechStack::try_from(vec![text]))?
            .unwrap_or_default(),
        project_type: query.parsed("project_type", ProjectType::try_from)?,
        name: query.parsed("name", ProjectName::try_from)?,
    };
    let listed = projects::list(&app.system.store, &filter, page.rows()).await?;
    let rows: Vec<ProjectBody> = listed.rows.into_iter().map(ProjectBody::from).collect();
    reply::list_fields(&rows, fields.as_ref(), listed.total, &page)
}

/// POST /api/v1/projects
async fn create(request: Create, app: Arc<App>) -> Result<Reply, Problem> {
    let new = NewProject {
        name: request.name,
        path: resolve(request.path).await?,
        zenith_id: None,
        project_type: request.project_type,
        tech_stack: request.tech_stack.unwrap_or_default(),
    };
    let project = projects::create(&app.system.store, &new).await?;
    app.nudge_events();
    Ok(reply::created(
        &format!("/api/v1/projects/{}", project.id),
        &ProjectBody::from(project),
    ))
}

/// GET /api/v1/projects/{id}
async fn show(id: i64, app: Arc<App>) -> Result<Reply, Problem> {
    let project = projects::project(&app.system.store, ProjectId(id)).await?;
    Ok(reply::ok(&detail(&app.system.store, project).await?))
}

/// PATCH /api/v1/projects/{id}
async fn update(id: i64, request: Update, app: Arc<App>) -> Result<Reply, Problem> {
    let patch = Patch {
        name: request.name,
        project_type: request.project_type,
        tech_stack: request.tech_stack,
        is_active: request.is_active,
        metadata: request.metadata,
    };
    let project = projects::update(&app.system.store, ProjectId(id), &patch).await?;
    if patch.is_active == Some(true) && project.last_scanned_at.is_some() {
        app.system.scans.reactivate(project.id);
    }
    app.nudge_events();
    Ok(reply::ok(&detail(&app.system.store, project).await?))
}

/// DELETE /api/v1/projects/{id}
async fn delete(id: i64, app: Arc<App>) -> Result<Reply, Problem> {
    projects::delete(&app.system.store, ProjectId(id)).await?;
    app.system.scans.forget(ProjectId(id));
    app.nudge_events();
    Ok(reply::ok(&Told::new(format!("Project {id} deleted"))))
}

async fn detail(store: &store::Store, project: Project) -> Result<ProjectBody, Error> {
    let deployments = deployments::of_project(store, project.id).await?;
    Ok(ProjectBody::from(project).with_deployments(&deployments))
}

async fn resolve(path: String) -> Result<ProjectPath, Error> {
    let resolved = tokio::task::spawn_blocking(move || ProjectPath::resolve(&path)).await;
    resolved
        .map_err(|cause| Error::Internal(format!("a path could not be resolved: {cause}")))?
        .map_err(|invalid| Error::InvalidField {
            field: "path".to_owned(),
            reason: invalid.to_string(),
        })
}
