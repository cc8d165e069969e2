//! Every endpoint of the route table is described and tested.

use std::{
    fs,
    path::{Path, PathBuf},
};

use borgos::{openapi, routes::TABLE};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files_below(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_below(&path));
        } else {
            found.push(path);
        }
    }
    found
}

#[test]
fn the_readme_lists_exactly_the_endpoints() {
    let readme = fs::read_to_string(root().join("README.md")).expect("the repository has a README.md");
    let is_row = |line: &&str| {
        line.starts_with("| `GET`")
            || line.starts_with("| `POST`")
            || line.starts_with("| `PATCH`")
            || line.starts_with("| `DELETE`")
            || line.starts_with("| `PUT`")
    };
    let mut described: Vec<String> = readme
        .lines()
        .filter(is_row)
        .map(|line| {
            let cells: Vec<_> = line.split('|').map(|cell| cell.trim().trim_matches('`')).collect();
            format!("{} {}", cells[1], cells[2])
        })
        .collect();
    let mut served: Vec<String> = TABLE
        .iter()
        .map(|line| format!("{} {}", line.method, line.path))
        .collect();
    described.sort_unstable();
    served.sort_unstable();
    assert_eq!(
        described, served,
        "README.md's table of endpoints and the route table differ"
    );
}

#[test]
fn the_description_has_exactly_the_endpoints() {
    let document = openapi::document();
    let mut described = Vec::new();
    for (path, item) in document["paths"].as_object().expect("an object of paths") {
        for (method, operation) in item.as_object().expect("an object of methods") {
            described.push(format!(
                "{} {path} {}",
                method.to_uppercase(),
                operation["x-scope"].as_str().unwrap()
            ));
        }
    }
    let mut served: Vec<String> = TABLE
        .iter()
        .map(|line| format!("{} {} {}", line.method, line.path, line.scope.name()))
        .collect();
    described.sort_unstable();
    served.sort_unstable();
    assert_eq!(described, served, "the description and the route table differ");
}

/// A test names an endpoint by its path as the table has it, or by the path of what is asked for in it, such as
/// `/api/v1/projects/1` for `/api/v1/projects/{id}`.
#[test]
fn every_endpoint_is_asked_by_a_test() {
    let mut sources = String::new();
    for file in files_below(&root().join("tests/api")) {
        if !file.ends_with("api/routes.rs") {
            sources.push_str(&fs::read_to_string(file).unwrap());
        }
    }
    let untested: Vec<_> = TABLE
        .iter()
        .map(|endpoint| endpoint.path)
        .filter(|path| {
            let example = path
                .replace("{id}", "1")
                .replace("{path}", "deployment/1")
                .replace("{file}", "README.md");
            let is_named =
                |end: &str| sources.contains(&format!("{path}{end}")) || sources.contains(&format!("{example}{end}"));
            !["\"", "?", " HTTP"].into_iter().any(is_named)
        })
        .collect();
    assert!(untested.is_empty(), "no test in tests/api asks {untested:?}");
}
