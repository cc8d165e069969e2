//! One small project for each package world below `tests/support/projects`: what a scan says of it is in the
//! `expected.json` beside its files.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::{Map, Value, json};

use crate::support::{Runtime, Setup, World, scan};

/// As many are here; one that is not found would be one that is not tested.
const NUM_PROJECTS: usize = 13;

#[tokio::test]
async fn each_package_world_is_understood() {
    let world = Setup::new(Runtime::Process).start().await;
    let fixtures = fixtures();
    assert_eq!(fixtures.len(), NUM_PROJECTS);
    let mut wrong = Vec::new();
    for fixture in &fixtures {
        let name = fixture.file_name().unwrap().to_str().unwrap();
        // A copy, since git would tell of this repository.
        let root = world.projects_dir().join(name);
        copy(&fixture.join("files"), &root);
        let id = world.create_project(name, &root).await;
        let seen = summary(&world, &scan(&world, id).await).await;
        let expected: Value = serde_json::from_slice(&fs::read(fixture.join("expected.json")).unwrap()).unwrap();
        if seen != expected {
            wrong.push(format!("{name}: expected {expected:#}\nseen {seen:#}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    world.close().await;
}

fn fixtures() -> Vec<PathBuf> {
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/projects");
    let entries = fs::read_dir(place).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        match path.is_dir() {
            true => copy(&path, &target),
            false => drop(fs::copy(&path, &target).unwrap()),
        }
    }
}

/// Takes out of the answers what a person would check.
async fn summary(world: &World, project: &Value) -> Value {
    let metadata = &project["metadata"];
    let keys = [
        "lines_of_code",
        "languages",
        "dependencies",
        "test_coverage",
        "description",
        "licence",
        "readme",
        "lockfiles",
        "todos",
        "fixmes",
    ];
    let told: Map<String, Value> = keys
        .iter()
        .map(|key| ((*key).to_owned(), metadata[*key].clone()))
        .collect();
    let url = format!("/api/v1/projects/{}/dependencies", project["id"]);
    let packages = world.get(&url).await.expect(200);
    json!({
        "project_type": project["project_type"],
        "tech_stack": project["tech_stack"],
        "metadata": told,
        "test_files": metadata["tests"]["files"],
        "ports": list(&metadata["ports"], |port| port["port"].to_string()),
        "unlocked": list(&metadata["unlocked"], |drift| format!("{} {}", text(drift, "manifest"), text(drift, "gap"))),
        "errors": list(&project["errors"], error),
        "packages": list(&packages, package),
    })
}

fn list(values: &Value, describe: impl Fn(&Value) -> String) -> Vec<String> {
    values.as_array().unwrap().iter().map(describe).collect()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or("-")
}

fn error(error: &Value) -> String {
    format!("{} {}:{}", text(error, "type"), text(error, "file"), error["line"])
}

fn package(package: &Value) -> String {
    let place = match package["is_direct"] == true {
        true => "direct",
        false => "brought along",
    };
    format!(
        "{} {} {} {} {}, {place}",
        text(package, "ecosystem"),
        text(package, "name"),
        text(package, "version"),
        text(package, "kind"),
        text(package, "source"),
    )
}
