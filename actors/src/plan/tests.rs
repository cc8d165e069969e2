mod stacks;

use std::{fs, path::PathBuf};

use tempfile::TempDir;

use super::*;

/// A project of these files.
struct Project(TempDir);

impl Project {
    fn of(files: &[(&str, &str)]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        for (path, content) in files {
            let path = directory.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        Self(directory)
    }

    fn wanted(&self) -> Wanted {
        Wanted {
            directory: PathBuf::from(self.0.path()),
            image: None,
            command: None,
        }
    }

    fn plan(&self) -> Recipe {
        for_container(&self.wanted(), &Images::default()).unwrap().recipe
    }

    fn refusal(&self) -> String {
        let error = for_container(&self.wanted(), &Images::default()).unwrap_err();
        assert!(matches!(error, Error::NothingToDeploy(_)));
        error.to_string()
    }
}

fn plan(files: &[(&str, &str)]) -> Recipe {
    Project::of(files).plan()
}

fn command(recipe: &Recipe) -> String {
    recipe.command.as_ref().unwrap().as_argv().join(" ")
}

fn dockerfile(recipe: &Recipe) -> &str {
    recipe.dockerfile.as_deref().unwrap()
}

/// Checks that the lines stand in the Dockerfile in this order.
#[track_caller]
fn assert_lines(recipe: &Recipe, expected: &[&str]) {
    let mut lines = dockerfile(recipe).lines();
    for line in expected {
        assert!(
            lines.any(|found| found == *line),
            "no `{line}` in its place in\n{}",
            dockerfile(recipe)
        );
    }
}

#[test]
fn what_the_project_says_itself_comes_first() {
    let own = plan(&[
        ("Dockerfile", "FROM x\nEXPOSE 3000\n"),
        ("package.json", "{}"),
        ("index.html", ""),
    ]);
    assert_eq!((own.kind, own.port), (Kind::Dockerfile, Some(3000)));
    let silent = plan(&[("Dockerfile", "FROM x\n")]);
    assert_eq!((silent.port, silent.warnings.len()), (None, 1));

    let project = Project::of(&[("Dockerfile", "FROM x\n")]);
    let image = Some("app:1".to_owned().try_into().unwrap());
    let wanted = Wanted {
        image,
        ..project.wanted()
    };
    assert_eq!(
        for_container(&wanted, &Images::default()).unwrap().recipe.kind,
        Kind::Image
    );
}

#[test]
fn pages_are_served_as_they_are() {
    let recipe = plan(&[("public/index.html", "")]);
    assert_eq!(recipe.kind, Kind::Static);
    assert_lines(
        &recipe,
        &["FROM busybox:stable", "COPY --chown=10001:10001 public /site"],
    );
}

#[test]
fn a_procfile_says_how_a_stack_is_started() {
    let files = [
        ("Procfile", "web: gunicorn -b :$PORT shop\n"),
        ("requirements.txt", ""),
        ("package.json", "{}"),
    ];
    let recipe = plan(&files);
    assert_eq!(
        (recipe.kind, command(&recipe).as_str()),
        (Kind::Python, "sh -c exec gunicorn -b :$PORT shop")
    );
    let bare = plan(&[("Procfile", "web: python3 server.py --port 9000\n"), ("server.py", "")]);
    assert_eq!((bare.kind, bare.port), (Kind::Python, Some(9000)));
    let compiled = [
        ("Procfile", "web: bin/shop --fast\n"),
        ("go.mod", "module shop\n"),
        ("main.go", "package main\n"),
    ];
    assert_eq!(command(&plan(&compiled)), "/usr/local/bin/shop --fast");
    let unclear = Project::of(&[("Procfile", "web: ./serve\n")]);
    assert!(unclear.refusal().contains("in which language"), "{}", unclear.refusal());
}

#[test]
fn a_command_that_was_asked_for_stands_in_for_one_that_is_missing() {
    let project = Project::of(&[("package.json", "{}"), ("x.js", "")]);
    assert!(project.refusal().contains("no `start` script"), "{}", project.refusal());
    let asked = vec!["node".to_owned(), "x.js".to_owned()].try_into().unwrap();
    let wanted = Wanted {
        command: Some(asked),
        ..project.wanted()
    };
    let recipe = for_container(&wanted, &Images::default()).unwrap().recipe;
    assert_eq!(command(&recipe), "node x.js");
}

#[test]
fn what_cannot_be_started_gives_way_to_what_can_and_is_told() {
    let recipe = plan(&[("package.json", "{}"), ("index.html", "")]);
    assert_eq!(recipe.kind, Kind::Static);
    assert!(
        recipe.warnings[0].contains("package.json has no `start` script"),
        "{:?}",
        recipe.warnings
    );
    let nothing = Project::of(&[("README.md", "")]).refusal();
    assert!(nothing.contains("no Dockerfile"), "{nothing}");
    let broken = Project::of(&[("package.json", "{")]).refusal();
    assert!(broken.contains("package.json is not valid"), "{broken}");
}

#[test]
fn services_are_told_and_not_deployed_by_halves() {
    let compose = "services:\n  web:\n    build: .\n    ports: [\"80:80\"]\n  db:\n    image: postgres:17\n";
    let project = Project::of(&[("compose.yaml", compose), ("package.json", "{}")]);
    let plan = for_container(&project.wanted(), &Images::default()).unwrap();
    assert_eq!((plan.recipe.kind, plan.recipe.services.len()), (Kind::Compose, 2));
    let refusal = plan.source().unwrap_err().to_string();
    assert!(refusal.contains("web") && refusal.contains("db"), "{refusal}");

    let database = ("docker-compose.yml", "services:\n  db:\n    image: postgres:17\n");
    let beside = plan_of_site(database);
    assert_eq!(beside.kind, Kind::Static);
    assert!(beside.warnings[0].contains("docker-compose.yml") && beside.warnings[0].contains("db"));
    assert_eq!(
        for_container(&Project::of(&[database]).wanted(), &Images::default())
            .unwrap()
            .recipe
            .kind,
        Kind::Compose
    );

    let odd = (
        "compose.yml",
        "services:\n  a:\n    image: x\n    privileged: true\nnetworks: {}\n",
    );
    let reason = Project::of(&[odd]).refusal();
    assert!(reason.contains("`networks`, `services.a.privileged`"), "{reason}");
}

fn plan_of_site(file: (&str, &str)) -> Recipe {
    plan(&[file, ("index.html", "")])
}

#[test]
fn secrets_beside_the_code_stay_out_of_images() {
    let recipe = plan(&[("index.html", ""), (".env", "A=1")]);
    assert!(recipe.warnings[0].contains(".env"));
    let ruled = plan(&[("index.html", ""), (".env", "A=1"), (".dockerignore", "")]);
    assert!(ruled.warnings.is_empty());
}

#[test]
fn a_process_is_told_what_a_container_would_do() {
    let project = Project::of(&[("package.json", r#"{"scripts": {"start": "node x.js"}}"#)]);
    let advice = for_process(&project.wanted()).unwrap_err().to_string();
    assert!(advice.contains("Procfile") && advice.contains("node x.js"), "{advice}");
    let project = Project::of(&[("Procfile", "web: ./serve --all\n")]);
    let plan = for_process(&project.wanted()).unwrap();
    assert_eq!(
        (plan.recipe.kind, command(&plan.recipe).as_str()),
        (Kind::Command, "./serve --all")
    );
}
