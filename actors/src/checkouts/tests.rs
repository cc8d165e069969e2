use std::process::Command;

use tempfile::TempDir;

use super::*;
use crate::value::GitRef;

/// A repository with two commits; the project is the directory `app` in it.
struct Scene {
    directory: TempDir,
    checkouts: Checkouts,
}

impl Scene {
    fn new(protocols: Vec<Protocol>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let checkouts = Checkouts::below(&directory.path().join("data"), protocols).unwrap();
        let scene = Self { directory, checkouts };
        fs::create_dir_all(scene.project("upstream")).unwrap();
        scene.git("upstream", &["init", "--quiet", "--initial-branch=main"]);
        scene.commit("one");
        scene.git("upstream", &["tag", "v1"]);
        scene.commit("two");
        scene
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn project(&self, repository: &str) -> PathBuf {
        self.path(repository).join("app")
    }

    fn git(&self, repository: &str, arguments: &[&str]) {
        let mut command = Command::new("git");
        let who = [
            "-c",
            "user.name=Ann",
            "-c",
            "user.email=ann@example.org",
            "-c",
            "commit.gpgSign=false",
        ];
        command.current_dir(self.path(repository)).args(who).args(arguments);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {output:?}");
    }

    fn commit(&self, text: &str) {
        fs::write(self.project("upstream").join("text"), text).unwrap();
        self.git("upstream", &["add", "."]);
        self.git("upstream", &["commit", "--quiet", "-m", text]);
    }

    async fn text_of(&self, repository: &str, name: &str) -> Result<String, String> {
        let made = self
            .checkouts
            .checkout(&self.project(repository), &git_ref(name))
            .await?;
        assert_eq!(made.commit().len(), 40);
        Ok(fs::read_to_string(made.files().join("text")).unwrap())
    }

    /// Waits until no work directory is left.
    async fn is_clean(&self) {
        let deadline = Instant::now() + Duration::from_secs(10);
        while fs::read_dir(self.path("data/checkouts")).unwrap().next().is_some() {
            assert!(Instant::now() < deadline, "a work directory stays");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

fn git_ref(name: &str) -> GitRef {
    GitRef::try_from(name.to_owned()).unwrap()
}

#[tokio::test]
async fn a_commit_of_the_own_repository_is_checked_out_elsewhere() {
    let scene = Scene::new(Vec::new());
    fs::write(scene.project("upstream").join("text"), "not committed").unwrap();
    for (name, text) in [("main", "two"), ("v1", "one"), ("HEAD", "two")] {
        assert_eq!(scene.text_of("upstream", name).await.unwrap(), text, "{name}");
    }
    let own = fs::read_to_string(scene.project("upstream").join("text")).unwrap();
    assert_eq!(own, "not committed");
    scene.is_clean().await;
    let absent = scene.text_of("upstream", "absent").await.unwrap_err();
    assert!(absent.contains("no remote"), "{absent}");
    scene.is_clean().await;
}

#[tokio::test]
async fn a_commit_of_the_remote_is_fetched_if_its_protocol_is_allowed() {
    for (protocols, is_allowed) in [
        (vec![Protocol::File], true),
        (vec![Protocol::Https, Protocol::Ssh], false),
    ] {
        let scene = Scene::new(protocols);
        scene.git("upstream", &["branch", "later"]);
        let upstream = scene.path("upstream");
        fs::create_dir(scene.path("clone")).unwrap();
        scene.git("clone", &["clone", "--quiet", upstream.to_str().unwrap(), "."]);
        scene.commit("three");
        scene.git("upstream", &["tag", "v3"]);
        let fetched = scene.text_of("clone", "v3").await;
        match is_allowed {
            true => assert_eq!(fetched.unwrap(), "three"),
            false => assert!(fetched.unwrap_err().contains("git_protocols")),
        }
        // What is known here needs no remote.
        assert_eq!(scene.text_of("clone", "v1").await.unwrap(), "one");
        let known = fs::read_dir(scene.path("clone/.git")).unwrap();
        let names: Vec<_> = known.map(|entry| entry.unwrap().file_name()).collect();
        assert!(
            !names.iter().any(|name| name == "FETCH_HEAD" || name == "shallow"),
            "{names:?}"
        );
        scene.is_clean().await;
    }
}

#[tokio::test]
async fn nothing_that_the_repository_names_is_run() {
    let scene = Scene::new(vec![Protocol::File]);
    let trap = scene.path("trap");
    let touch = format!("touch {}", trap.display());
    for (key, value) in [
        ("filter.evil.smudge", touch.as_str()),
        ("core.fsmonitor", &touch),
        ("core.sshCommand", &touch),
        ("uploadpack.packObjectsHook", &touch),
        ("core.hooksPath", scene.directory.path().to_str().unwrap()),
    ] {
        scene.git("upstream", &["config", key, value]);
    }
    let hook = scene.path("post-checkout");
    fs::write(&hook, format!("#!/bin/sh\n{touch}\n")).unwrap();
    fs::set_permissions(&hook, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    fs::write(scene.project("upstream").join(".gitattributes"), "text filter=evil\n").unwrap();
    scene.git(
        "upstream",
        &[
            "-c",
            "core.fsmonitor=false",
            "-c",
            "core.hooksPath=/dev/null",
            "add",
            ".",
        ],
    );
    scene.git(
        "upstream",
        &[
            "-c",
            "core.fsmonitor=false",
            "-c",
            "core.hooksPath=/dev/null",
            "commit",
            "--quiet",
            "-m",
            "evil",
        ],
    );
    fs::remove_file(&trap).ok();
    assert_eq!(scene.text_of("upstream", "main").await.unwrap(), "two");
    assert!(!trap.exists());
}

#[tokio::test]
async fn what_a_crash_leaves_is_removed_at_the_next_start() {
    let scene = Scene::new(Vec::new());
    fs::create_dir_all(scene.path("data/checkouts/left/files")).unwrap();
    Checkouts::below(&scene.path("data"), Vec::new()).unwrap();
    scene.is_clean().await;
}

#[tokio::test]
async fn a_project_without_commits_to_build_is_told() {
    let scene = Scene::new(Vec::new());
    let code = async |project: &Path, name: &str| match scene.checkouts.check(project, &git_ref(name)).await {
        Ok(()) => None,
        Err(error) => Some(error.code()),
    };
    assert_eq!(code(&scene.project("upstream"), "v1").await, None);
    assert_eq!(
        code(&scene.project("upstream"), "v9").await,
        Some("SOURCE_REF_NOT_FOUND")
    );
    assert_eq!(code(&scene.path("data"), "v1").await, Some("NOT_A_REPOSITORY"));
}
