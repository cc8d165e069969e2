//! Which directories are projects.

use super::*;

static NEVER: AtomicBool = AtomicBool::new(false);

#[track_caller]
fn check(paths: &[&str], expected: &[&str]) {
    let directory = tempfile::tempdir().unwrap();
    for path in paths {
        let (path, content) = path.split_once('=').unwrap_or((path, ""));
        let path = directory.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    let found = discover(directory.path(), 100, None, &NEVER);
    let found: Vec<_> = found
        .iter()
        .map(|project| project.path.strip_prefix(directory.path()).unwrap().to_str().unwrap())
        .collect();
    assert_eq!(found, expected, "{paths:?}");
}

#[test]
fn repositories_and_manifests_make_projects() {
    check(
        &["a/Cargo.toml", "b/.git/HEAD", "c/deep/package.json", "d/notes.txt"],
        &["a", "b", "c/deep"],
    );
    check(&["Cargo.toml"], &[""]);
}

#[test]
fn what_is_nested_counts_once() {
    check(
        &["a/package.json", "a/web/package.json", "a/web/deep/pyproject.toml"],
        &["a"],
    );
}

#[test]
fn a_member_that_stands_alone_is_a_project_of_its_own() {
    check(
        &["a/.git/HEAD", "a/api/go.mod", "a/api/Dockerfile", "a/lib/go.mod"],
        &["a", "a/api"],
    );
    check(
        &[
            "a/.git/HEAD",
            "a/web/package.json",
            "a/web/README.md",
            "a/web/yarn.lock",
        ],
        &["a", "a/web"],
    );
    check(&["a/Cargo.toml", "a/sub/.git/HEAD"], &["a", "a/sub"]);
}

#[test]
fn a_member_of_a_workspace_belongs_to_it() {
    check(
        &[
            "a/Cargo.toml=[workspace]\nmembers = [\"api\"]\n",
            "a/api/Cargo.toml",
            "a/api/Dockerfile",
        ],
        &["a"],
    );
}

#[test]
fn nothing_is_looked_for_in_what_is_not_ours() {
    let below = [
        "node_modules/b",
        "target/c",
        "vendor/d",
        ".venv/e",
        "third_party/f",
        ".hidden/g",
    ];
    let mut paths: Vec<String> = below.iter().map(|path| format!("a/{path}/package.json")).collect();
    paths.push("a/Cargo.toml".to_owned());
    let paths: Vec<_> = paths.iter().map(String::as_str).collect();
    check(&paths, &["a"]);
}

#[test]
fn no_more_are_found_than_wanted() {
    let directory = tempfile::tempdir().unwrap();
    for number in 0..10 {
        fs::create_dir(directory.path().join(format!("p{number}"))).unwrap();
        fs::write(directory.path().join(format!("p{number}/go.mod")), "").unwrap();
    }
    assert_eq!(discover(directory.path(), 3, None, &NEVER).len(), 3);
}
