//! Searches.

use serde_json::json;

use super::{
    headers::{COUNT, TRUNCATED},
    operation::Operation,
    parameter::Parameter,
};
use crate::routes::search::{CASES, CodeHit, DEFAULT_LINES, DEFAULT_PROJECTS, MAX_RESULTS, ProjectHit};

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::new("search.projects", "Finds active projects by all that is known of them")
            .describe("Forgives slips, and knows other names of the same thing.")
            .takes([
                Parameter::text("query", "What they are like.")
                    .required()
                    .example("python web app"),
                Parameter::number("limit", "How many at most.", 1, MAX_RESULTS, DEFAULT_PROJECTS),
            ])
            .answers::<Vec<ProjectHit>>(200, "The projects, the likeliest first.")
            .example(json!([{
                "id": 1, "name": "MyWebApp", "path": "/projects/mywebapp", "relevance_score": 0.92,
                "tech_stack": ["python", "django", "react"],
            }])),
        Operation::new("search.code", "Finds lines of code")
            .describe("Finds every substring that is in a file that was scanned, definitions first.")
            .takes([
                Parameter::text("query", "Words, phrases in quotes, `symbol:name`.")
                    .required()
                    .example("authentication"),
                Parameter::id("project_id", "The only project to look in."),
                Parameter::number("limit", "How many at most.", 1, MAX_RESULTS, DEFAULT_LINES),
                Parameter::flag("regex", "Whether the query is a regular expression."),
                Parameter::choice("case", "Whether case counts.", &CASES),
                Parameter::text("lang", "The language of the files.").example("Python"),
                Parameter::text("path", "A pattern of the files' paths.").example("src/**"),
            ])
            .answers::<Vec<CodeHit<'_>>>(200, "The lines, the best first.")
            .with(&COUNT)
            .with(&TRUNCATED)
            .example(json!([{
                "file": "/projects/myapp/auth.py", "line": 25,
                "content": "def authenticate_user(username, password):", "relevance_score": 0.88, "column": 5,
                "matches": [[4, 16]], "project_id": 1, "language": "Python", "symbol": "function", "copies": [],
                "num_copies": 0,
            }]))
            .refuses(404, &["NOT_FOUND"])
            .refuses(409, &["NOT_SCANNED"]),
    ]
}
