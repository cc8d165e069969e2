//! Projects.

use borgos_actors::{
    manifests::Dependency,
    scan::{LanguageStats, SeenFile},
    value::{ProjectName, ProjectType, TechStack},
};
use serde_json::{Value, json};

use super::{headers::LOCATION, operation::Operation, parameter::Parameter};
use crate::routes::{
    body::ProjectBody,
    outcome::Told,
    projects::{
        Create, Update,
        files::{CLASSES, ECOSYSTEMS, KINDS},
        plan::PlanBody,
        scan::{Discover, Discovered, Synced},
    },
};

const NOT_SCANNED: [&str; 1] = ["NOT_SCANNED"];

pub(super) fn operations() -> Vec<Operation> {
    let mut all = rows();
    all.extend(scans());
    all.extend(parts());
    all
}

fn rows() -> Vec<Operation> {
    vec![
        Operation::new("projects.list", "Lists projects")
            .takes([
                Parameter::flag("active", "Whether they are active."),
                Parameter::text("tech_stack", "A technology that they are made of.")
                    .at_most(TechStack::MAX_ENTRY_CHARS)
                    .example("python"),
                Parameter::of::<ProjectType>("project_type", "What kind of project they are."),
                Parameter::of::<ProjectName>("name", "Their name."),
            ])
            .lists_fields::<ProjectBody>("The projects.")
            .example(json!([example()])),
        Operation::new("projects.create", "Creates a project from a directory")
            .body::<Create>(json!({
                "name": "NewProject", "path": "/projects/newproject", "project_type": "api",
                "tech_stack": ["fastapi", "postgresql"],
            }))
            .answers::<ProjectBody>(201, "It was created.")
            .with(&LOCATION)
            .leads_to(
                "/id",
                &[
                    "projects.show",
                    "projects.update",
                    "projects.delete",
                    "projects.scan",
                    "projects.files",
                ],
            )
            .refuses(409, &["PATH_IN_USE"]),
        Operation::new("projects.show", "Shows one project with its deployments")
            .answers::<ProjectBody>(200, "The project."),
        Operation::new("projects.update", "Changes a project")
            .describe("What is left out stays; `metadata` is merged.")
            .body::<Update>(json!({"tech_stack": ["fastapi", "postgresql"], "is_active": true}))
            .answers::<ProjectBody>(200, "The project as it is now."),
        Operation::new("projects.delete", "Forgets a project without deployments")
            .describe("Its directory stays.")
            .answers::<Told>(200, "It is forgotten.")
            .example(json!({"message": "Project 2 deleted"}))
            .refuses(409, &["PROJECT_HAS_DEPLOYMENTS", "PROJECT_HAS_TASKS"]),
    ]
}

fn scans() -> Vec<Operation> {
    vec![
        Operation::new("projects.scan", "Asks for a scan of a project")
            .describe("One that is under way is joined.")
            .answers::<Told>(202, "It will be made.")
            .example(json!({"message": "Scan initiated for project 1"})),
        Operation::new("projects.scan_zenith", "Finds every project below the Zenith directory")
            .describe("Keeps a row for each and scans them; what is gone there becomes inactive.")
            .answers::<Synced>(200, "How many there are.")
            .example(json!({"message": "Scanned and synced 5 Zenith projects", "count": 5}))
            .refuses(422, &["ZENITH_NOT_CONFIGURED", "ZENITH_UNREADABLE"]),
        Operation::new("projects.discover", "Finds every project below a directory")
            .describe("Keeps a row for each and scans them.")
            .body::<Discover>(json!({"path": "/projects"}))
            .answers::<Discovered>(200, "The projects that there are."),
    ]
}

fn parts() -> Vec<Operation> {
    vec![
        Operation::new("projects.files", "Lists the files that the last scan saw")
            .takes([
                Parameter::text("lang", "The language they are in.").example("Python"),
                Parameter::choice("class", "What they are for.", &CLASSES),
                Parameter::text("path", "A pattern of their paths; one without a slash is about names.")
                    .example("*.py"),
            ])
            .lists::<SeenFile>("The files, by path.")
            .refuses(409, &NOT_SCANNED),
        Operation::new("projects.plan", "Shows how a project would be deployed")
            .describe("Changes nothing.")
            .answers::<PlanBody>(200, "The plan, and why it is so.")
            .refuses(422, &["NOTHING_TO_DEPLOY"]),
        Operation::new("projects.file", "Shows the content of a file that the last scan saw")
            .tells(
                200,
                "The content.",
                &["text/plain; charset=utf-8", "application/octet-stream"],
            )
            .refuses(409, &NOT_SCANNED)
            .refuses(422, &["FILE_TOO_LARGE"]),
        Operation::new("projects.dependencies", "Lists what manifests and lock files say")
            .takes([
                Parameter::choice("ecosystem", "Their package world.", &ECOSYSTEMS),
                Parameter::choice("kind", "What they are needed for.", &KINDS),
                Parameter::flag("direct", "Whether a manifest names them."),
            ])
            .lists::<Dependency>("The dependencies.")
            .refuses(409, &NOT_SCANNED),
        Operation::new("projects.languages", "Lists files and lines by language")
            .lists::<LanguageStats>("The languages, counted as tokei does.")
            .refuses(409, &NOT_SCANNED),
    ]
}

fn example() -> Value {
    json!({
        "id": 1, "name": "MyProject", "path": "/projects/myproject", "zenith_id": "zen-123", "project_type": "web",
        "tech_stack": ["python", "react", "postgresql"], "health_score": 85, "vibe_score": 90, "eco_score": 75,
        "errors": [], "metadata": {}, "is_active": true, "created_at": "2024-01-15T10:00:00Z",
        "updated_at": "2024-01-15T10:30:00Z",
    })
}
