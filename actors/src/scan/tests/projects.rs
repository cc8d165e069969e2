//! Small projects, and all that a scan must find in them.

use std::process::Command;

use super::support::{Project, places};
use crate::scan::Kind;

fn git(project: &Project, arguments: &[&str]) {
    let status = Command::new("git")
        .current_dir(project.root())
        .args([
            "-c",
            "user.name=a",
            "-c",
            "user.email=a@b.c",
            "-c",
            "init.defaultBranch=main",
            "-c",
            "commit.gpgSign=false",
        ])
        .args(arguments)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .unwrap();
    assert!(status.status.success(), "{arguments:?}: {status:?}");
}

#[test]
fn what_is_broken_is_found_with_its_line() {
    let key = format!("AKIA{}", "QZ7XK4MWTV2RNB5J");
    let project = Project::new(&[
        ("main.py", "def a():\n    b()\n      c()\n"),
        ("src/key.ts", &format!("const a = 1;\nconst key = '{key}';\n")),
        ("conflict.go", "package a\n<<<<<<< HEAD\n=======\n>>>>>>> b\n"),
        ("tests/data/bad.py", "a = )\n"),
        ("page.js", "let a = {{ b }} ];\n"),
        ("vendor/bad.py", "def (\n"),
        ("package.json", "{ this is for the reader of manifests\n"),
    ]);
    let report = project.scan();
    assert_eq!(
        places(&report, Kind::Syntax),
        ["main.py:3", "page.js:1?", "tests/data/bad.py:1?"]
    );
    assert_eq!(places(&report, Kind::Secret), ["src/key.ts:2"]);
    assert_eq!(places(&report, Kind::MergeConflict), ["conflict.go:2"]);
    assert_eq!(places(&report, Kind::MissingReadme), [".:0"]);
    assert!(report.errors.iter().all(|finding| !finding.message.contains(&key)));
}

#[test]
fn the_documented_form_of_an_error_is_kept() {
    let project = Project::new(&[
        ("main.py", "a = (\n"),
        ("README.md", "# A\n"),
        ("test_a.py", "def test_a(): pass\n"),
    ]);
    let errors = serde_json::to_value(project.scan().errors).unwrap();
    let error = &errors[0];
    assert_eq!(
        (&error["type"], &error["file"], &error["is_fixture"]),
        (&"syntax".into(), &"main.py".into(), &false.into())
    );
    assert!(error["line"].is_u64() && error["message"].is_string(), "{error}");
}

#[test]
fn facts_are_told_from_paths_and_content() {
    let project = Project::new(&[
        ("README.md", "# A\n## B\n## C\n"),
        ("LICENSE", "text\n"),
        (".gitignore", "dist\n"),
        (".github/workflows/ci.yml", "a: b\n"),
        ("Dockerfile", "FROM scratch\n"),
        (
            "src/lib.rs",
            "// TODO a\nfn a() {\n}\n#[cfg(test)]\nmod tests {\n    #[test]\n    fn b() {\n    }\n}\n",
        ),
        ("src/main.rs", "fn main() {\n}\n"),
        ("dist/ignored.js", "let a = ;\n"),
        ("node_modules/a/index.js", "let a = ;\n"),
        ("old.pyc", "x"),
    ]);
    let report = project.scan();
    let facts = &report.facts;
    assert_eq!(
        (facts.readme.as_deref(), facts.num_readme_headings),
        (Some("README.md"), 3)
    );
    assert_eq!(facts.licence_file.as_deref(), Some("LICENSE"));
    assert_eq!(
        (&facts.ci_files[..], &facts.dockerfiles[..]),
        (
            &[".github/workflows/ci.yml".to_owned()][..],
            &["Dockerfile".to_owned()][..]
        )
    );
    assert_eq!((facts.num_code_files, facts.num_test_files, facts.num_todos), (2, 1, 1));
    assert_eq!((facts.functions.num, facts.functions.longest_lines), (3, 2));
    assert_eq!(
        (&facts.artefact_directories[..], facts.num_artefact_files),
        (&["node_modules".to_owned()][..], 1)
    );
    assert_eq!(places(&report, Kind::Syntax), [""; 0]);
}

#[test]
fn a_packaged_tree_whose_rules_ignore_all_of_it_is_scanned_all_the_same() {
    let project = Project::new(&[
        (".gitignore", "/*\n"),
        ("a.rs", "fn a() {}\n"),
        ("b/c.rs", "fn b() {}\n"),
    ]);
    assert_eq!(project.scan().num_files, 3);
}

#[test]
fn tracked_files_count_although_they_are_ignored() {
    let project = Project::new(&[
        (".gitignore", "*.rs\n"),
        ("a.rs", "fn a() {}\n"),
        ("b.rs", "fn b() {}\n"),
    ]);
    git(&project, &["init", "--quiet"]);
    git(&project, &["add", "--force", "a.rs", ".gitignore"]);
    git(&project, &["commit", "--quiet", "--message", "a"]);
    let report = project.scan();
    assert_eq!(report.num_files, 2);
    let facts = report.git.unwrap();
    assert_eq!((facts.branch.as_deref(), facts.is_dirty), (Some("main"), false));
    assert_eq!(
        (facts.num_commits_90_days, facts.num_authors_90_days),
        (Some(1), Some(1))
    );
    assert!(facts.last_commit_at.is_some() && facts.commit.is_some_and(|commit| commit.len() == 40));
}

#[test]
fn a_repository_cannot_make_git_run_its_programs() {
    let project = Project::new(&[
        (".gitattributes", "* filter=evil\n"),
        ("a.txt", "a\n"),
        (".gitignore", ""),
    ]);
    git(&project, &["init", "--quiet"]);
    git(&project, &["add", "."]);
    git(&project, &["commit", "--quiet", "--message", "a"]);
    let proof = project.path("proof");
    let touch = format!("touch {}", proof.display());
    for setting in [
        "filter.evil.clean",
        "filter.evil.process",
        "core.fsmonitor",
        "gpg.program",
        "core.sshCommand",
        "core.pager",
    ] {
        git(&project, &["config", setting, &touch]);
    }
    git(&project, &["config", "filter.evil.required", "true"]);
    git(&project, &["config", "log.showSignature", "true"]);
    // Of the same size and newer than the index, so that git has to look into it.
    project.write("a.txt", "b\n");
    let report = project.scan();
    assert_eq!(report.git.map(|facts| facts.num_changed), Some(1));
    assert!(!proof.exists());
}
