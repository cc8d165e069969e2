//! Scans of projects, and what they found.

use std::{fs, os::unix::fs::symlink, path::Path, process::Command, time::Duration};

use reqwest::Method;
use serde_json::{Value, json};

use super::{documented::assert_documented, everywhere::on_both_databases};
use crate::support::{Runtime, Setup, World, eventually, eventually_within, scan, scanned_since};

/// Writes the files of a small Python project with one fault.
fn write_shop(root: &Path) {
    for (path, content) in [
        (
            "pyproject.toml",
            "[project]\nname = \"shop\"\ndescription = \"Sells things\"\ndependencies = [\"flask==3.0.0\", \"psycopg\"]\n",
        ),
        ("README.md", "# Shop\n\nA web shop.\n"),
        ("shop/__init__.py", ""),
        (
            "shop/cart.py",
            "def add_item(cart, item):\n    cart.append(item)\n    return cart\n",
        ),
        ("shop/broken.py", "def broken(:\n    pass\n"),
        (
            "tests/test_cart.py",
            "from shop.cart import add_item\n\n\ndef test_add():\n    assert add_item([], 1) == [1]\n",
        ),
        (".gitignore", "ignored/\n"),
        ("ignored/secret.txt", "nobody's business\n"),
    ] {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    let status = Command::new("git")
        .args(["init", "--quiet"])
        .current_dir(root)
        .status()
        .unwrap();
    assert!(status.success());
}

async fn create(world: &World, path: &Path) -> i64 {
    let body = json!({"name": "shop", "path": path, "tech_stack": ["fastapi"]});
    let project = world.post("/api/v1/projects", &body).await.expect(201);
    project["id"].as_i64().unwrap()
}

#[tokio::test]
async fn a_scan_finds_what_a_project_is_and_what_is_broken_in_it() {
    on_both_databases(async |world| {
        let root = world.projects_dir().join("shop");
        write_shop(&root);
        let id = create(world, &root).await;
        let mut socket = world.socket().await;
        socket.subscribe(&["projects"]).await;
        let project = scan(world, id).await;

        assert_documented(
            &project,
            &json!({
                "errors": [{"type": "syntax", "file": "main.py", "line": 42, "message": "Unexpected indent"}],
                "metadata": {"lines_of_code": 5420, "test_coverage": null, "dependencies": 32}
            }),
        );
        let errors = project["errors"].as_array().unwrap();
        assert_eq!(errors.len(), 1, "{errors:#?}");
        assert_eq!(
            (&errors[0]["type"], &errors[0]["file"]),
            (&json!("syntax"), &json!("shop/broken.py"))
        );
        assert_eq!(errors[0]["line"], 1);
        let metadata = &project["metadata"];
        assert_eq!(metadata["lines_of_code"], 8);
        assert_eq!(metadata["dependencies"], 2);
        assert_eq!(metadata["test_coverage"], Value::Null);
        assert_eq!(metadata["description"], "Sells things");
        let stack = project["tech_stack"].as_array().unwrap();
        for technology in ["fastapi", "python", "flask", "postgresql"] {
            assert!(stack.contains(&json!(technology)), "{technology} in {stack:?}");
        }
        assert_eq!(project["project_type"], "api");
        for score in ["health", "vibe", "eco"] {
            let shown = &metadata["scores"][score];
            assert_eq!(shown["value"], project[format!("{score}_score")], "{score}");
            assert!(
                shown["parts"].as_array().is_some_and(|parts| parts.len() >= 4),
                "{shown}"
            );
        }
        let path = format!("/api/v1/projects/{id}");
        let said = json!({"metadata": {"owner": "me", "languages": null}});
        let patched = world.patch(&path, &said).await.expect(200);
        let mut expected = metadata.clone();
        expected["owner"] = json!("me");
        assert_eq!(patched["metadata"], expected, "what a scan found stays");
        let event = socket.next_event("project_scanned", |data| data["id"] == id).await;
        assert_eq!(event["data"]["health_score"], project["health_score"]);
        assert_eq!(event["data"]["num_errors"], 1);
    })
    .await;
}

#[tokio::test]
async fn what_a_scan_saw_can_be_read_in_detail_and_nothing_else() {
    on_both_databases(async |world| {
        let root = world.projects_dir().join("shop");
        write_shop(&root);
        let id = create(world, &root).await;
        let details = ["dependencies", "files", "languages", "files/README.md"];
        for detail in details {
            let refused = world.get(&format!("/api/v1/projects/{id}/{detail}")).await.expect(409);
            assert_eq!(refused["code"], "NOT_SCANNED");
            world.get(&format!("/api/v1/projects/999/{detail}")).await.expect(404);
        }
        scan(world, id).await;

        let files = world.get("/api/v1/projects/1/files").await.expect(200);
        let paths: Vec<&str> = files
            .as_array()
            .unwrap()
            .iter()
            .map(|file| file["path"].as_str().unwrap())
            .collect();
        assert_eq!(
            paths,
            [
                ".gitignore",
                "README.md",
                "pyproject.toml",
                "shop/__init__.py",
                "shop/broken.py",
                "shop/cart.py",
                "tests/test_cart.py"
            ]
        );
        let python = world
            .get("/api/v1/projects/1/files?lang=python&class=source&path=shop/c*")
            .await
            .expect(200);
        assert_eq!(python.as_array().unwrap().len(), 1);
        assert_eq!(python[0]["lines"], json!({"code": 3, "comments": 0, "blanks": 0}));
        let page = world.get("/api/v1/projects/1/files?limit=2&offset=6").await.expect(200);
        assert_eq!(page["data"].as_array().unwrap().len(), 1);
        assert_eq!(page["pagination"]["total"], 7);

        let readme = world.get("/api/v1/projects/1/files/README.md").await;
        assert_eq!(readme.header("content-type"), "text/plain; charset=utf-8");
        assert_eq!((readme.status, readme.text.as_str()), (200, "# Shop\n\nA web shop.\n"));
        for absent in [
            "ignored/secret.txt",
            ".git/config",
            "..%2f..%2fetc%2fpasswd",
            "shop",
            "README.md%00",
        ] {
            let url = format!("/api/v1/projects/1/files/{absent}");
            let answer = world.try_send(Method::GET, &url, None).await.unwrap();
            assert_eq!(answer.status, 404, "{absent}");
        }
        world.get("/api/v1/projects/1/files/%ff").await.expect(400);
        fs::remove_file(root.join("README.md")).unwrap();
        symlink("ignored/secret.txt", root.join("README.md")).unwrap();
        world.get("/api/v1/projects/1/files/README.md").await.expect(404);

        let languages = world.get("/api/v1/projects/1/languages").await.expect(200);
        assert_eq!(languages[0]["language"], "Python");
        assert_eq!(languages[0]["num_files"], 4);
        let dependencies = world
            .get("/api/v1/projects/1/dependencies?ecosystem=pypi&direct=true")
            .await
            .expect(200);
        let flask = &dependencies
            .as_array()
            .unwrap()
            .iter()
            .find(|found| found["name"] == "flask")
            .unwrap();
        assert_eq!(
            (&flask["version"], &flask["kind"]),
            (&json!("3.0.0"), &json!("runtime"))
        );
        world
            .get("/api/v1/projects/1/dependencies?ecosystem=pip")
            .await
            .expect(400);
    })
    .await;
}

#[tokio::test]
async fn a_project_that_was_scanned_is_scanned_again_when_it_changes() {
    let world = Setup::new(Runtime::Process).start().await;
    let root = world.projects_dir().join("shop");
    write_shop(&root);
    let id = create(&world, &root).await;
    let first = scan(&world, id).await;
    fs::write(root.join("shop/broken.py"), "def repaired():\n    pass\n").unwrap();
    eventually("a repaired file is noticed", async || {
        let project = world.get(&format!("/api/v1/projects/{id}")).await.expect(200);
        match project["errors"] == json!([]) {
            true => Ok(()),
            false => Err(project),
        }
    })
    .await;
    fs::create_dir(root.join("shop/new")).unwrap();
    fs::write(root.join("shop/new/late.py"), "def late():\n    pass\n").unwrap();
    eventually("a new directory is noticed", async || {
        let found = world
            .get("/api/v1/search/code?query=late&path=shop/new/*")
            .await
            .expect(200);
        match found.as_array().is_some_and(|found| !found.is_empty()) {
            true => Ok(()),
            false => Err(found),
        }
    })
    .await;
    let project = world.get(&format!("/api/v1/projects/{id}")).await.expect(200);
    assert!(project["health_score"].as_i64() > first["health_score"].as_i64());
    let found = world.get("/api/v1/search/code?query=repaired").await.expect(200);
    assert_eq!(found[0]["symbol"], "function");
    world.close().await;
}

#[tokio::test]
async fn a_request_outlives_the_program_and_so_does_what_was_found() {
    let mut world = Setup::new(Runtime::Process).start().await;
    let root = world.projects_dir().join("shop");
    write_shop(&root);
    let id = create(&world, &root).await;
    world
        .post_nothing(&format!("/api/v1/projects/{id}/scan"))
        .await
        .expect(202);
    world.kill_9().await;
    world.boot().await;
    let first = scanned_since(&world, id, &Value::Null).await;
    world.restart().await;
    let found = world.get("/api/v1/search/code?query=add_item").await.expect(200);
    assert_eq!(found.as_array().unwrap().len(), 3, "{found:#}");
    let second = scan(&world, id).await;
    assert_eq!(second["metadata"]["scan"]["files_read"], 0, "nothing changed since");
    assert_eq!(second["errors"], first["errors"]);
    assert_eq!(second["tech_stack"], first["tech_stack"]);
    world.close().await;
}

#[tokio::test]
async fn a_request_that_joins_a_scan_that_nobody_asked_for_is_answered_soon() {
    const NUM_PROJECTS: i64 = 12;
    let mut world = Setup::new(Runtime::Process).start().await;
    for number in 1..=NUM_PROJECTS {
        let root = world.projects_dir().join(format!("shop{number}"));
        write_shop(&root);
        create(&world, &root).await;
        scan(&world, number).await;
    }
    // What was scanned may have changed while nobody looked, so it is scanned again one after the other.
    world.restart().await;
    let started_at = async |number| {
        let project = world.get(&format!("/api/v1/projects/{number}")).await.expect(200);
        project["metadata"]["scan"]["started_at"].clone()
    };
    let mut before = Vec::new();
    for number in 1..=NUM_PROJECTS {
        before.push(started_at(number).await);
        let url = format!("/api/v1/projects/{number}/scan");
        world.post_nothing(&url).await.expect(202);
    }
    // Less than the time after which the scanner looks for requests by itself.
    eventually_within(Duration::from_secs(20), "all requests are answered", async || {
        for (number, before) in (1..=NUM_PROJECTS).zip(&before) {
            if started_at(number).await == *before {
                return Err(number);
            }
        }
        Ok(())
    })
    .await;
    world.close().await;
}

#[tokio::test]
async fn a_scan_of_what_is_gone_fails_and_says_why() {
    let world = Setup::new(Runtime::Process).start().await;
    world.post_nothing("/api/v1/projects/1/scan").await.expect(404);
    let root = world.projects_dir().join("shop");
    write_shop(&root);
    let id = create(&world, &root).await;
    let before = scan(&world, id).await;
    fs::remove_dir_all(&root).unwrap();
    let mut socket = world.socket().await;
    socket.subscribe(&["projects"]).await;
    world
        .post_nothing(&format!("/api/v1/projects/{id}/scan"))
        .await
        .expect(202);
    let event = socket.next_event("project_scan_failed", |data| data["id"] == id).await;
    let reason = event["data"]["reason"].as_str().unwrap();
    assert!(reason.contains("shop") && reason.contains("No such file"), "{reason}");
    let project = world.get(&format!("/api/v1/projects/{id}")).await.expect(200);
    assert_eq!(project["health_score"], before["health_score"], "what is known stays");
    let found = world.get("/api/v1/search/code?query=add_item").await.expect(200);
    assert_eq!(found, json!([]), "a file that is gone is not shown");
    world.delete(&format!("/api/v1/projects/{id}")).await.expect(200);
    world.close().await;
}

#[tokio::test]
async fn what_borgos_keeps_itself_is_no_part_of_a_project_around_it() {
    let world = Setup::new(Runtime::Process).start().await;
    let around = world.data_dir().parent().unwrap().to_owned();
    write_shop(&around.join("projects/shop"));
    let id = create(&world, &around).await;
    scan(&world, id).await;
    let files = world.get(&format!("/api/v1/projects/{id}/files")).await.expect(200);
    let has = |beginning: &str| {
        let mut paths = files
            .as_array()
            .unwrap()
            .iter()
            .map(|file| file["path"].as_str().unwrap());
        paths.any(|path| path.starts_with(beginning))
    };
    assert!(has("projects/shop/") && !has("data/"), "{files:#}");
    let body = json!({"name": "own", "path": world.data_dir()});
    let own = world.post("/api/v1/projects", &body).await.expect(201);
    let mut socket = world.socket().await;
    socket.subscribe(&["projects"]).await;
    world
        .post_nothing(&format!("/api/v1/projects/{}/scan", own["id"]))
        .await
        .expect(202);
    let event = socket
        .next_event("project_scan_failed", |data| data["id"] == own["id"])
        .await;
    assert!(
        event["data"]["reason"].as_str().unwrap().contains("BorgOS's own data"),
        "{event}"
    );
    let refused = world
        .get(&format!("/api/v1/projects/{}/files", own["id"]))
        .await
        .expect(409);
    assert!(
        refused["message"].as_str().unwrap().contains("could not be scanned"),
        "{refused}"
    );
    world.close().await;
}

#[tokio::test]
async fn an_inactive_project_is_left_alone_until_it_is_active_again() {
    let world = Setup::new(Runtime::Process).start().await;
    let root = world.projects_dir().join("shop");
    write_shop(&root);
    let id = create(&world, &root).await;
    let before = scan(&world, id).await;
    let path = format!("/api/v1/projects/{id}");
    world.patch(&path, &json!({"is_active": false})).await.expect(200);
    fs::write(root.join("shop/broken.py"), "def repaired():\n    pass\n").unwrap();
    // A scan of another project comes after the one that the change would have brought.
    let other = world.projects_dir().join("other");
    write_shop(&other);
    let other = create(&world, &other).await;
    scan(&world, other).await;
    let project = world.get(&path).await.expect(200);
    assert_eq!(project["errors"], before["errors"]);
    world.patch(&path, &json!({"is_active": true})).await.expect(200);
    eventually("the change is noticed", async || {
        let project = world.get(&path).await.expect(200);
        match project["errors"] == json!([]) {
            true => Ok(()),
            false => Err(project),
        }
    })
    .await;
    world.close().await;
}

#[tokio::test]
async fn projects_below_a_directory_are_found_once_and_stay_the_same() {
    let zenith = tempfile::tempdir().unwrap();
    for name in ["one", "two", "group/three"] {
        write_shop(&zenith.path().join(name));
    }
    let directory = zenith.path().to_str().unwrap();
    let world = Setup::new(Runtime::Process)
        .variable("BORGOS_ZENITH_DIR", directory)
        .start()
        .await;
    let own = world
        .post(
            "/api/v1/projects",
            &json!({"name": "mine", "path": zenith.path().join("two")}),
        )
        .await;
    own.expect(201);

    let synced = world.post_nothing("/api/v1/projects/scan-zenith").await.expect(200);
    assert_eq!(
        synced,
        json!({"message": "Scanned and synced 3 Zenith projects", "count": 3})
    );
    let first = world.get("/api/v1/projects").await.expect(200);
    assert_eq!(first.as_array().unwrap().len(), 3);
    let mine = &first[0];
    assert_eq!(mine["name"], "mine", "what people named stays");
    assert!(mine["zenith_id"].as_str().unwrap().starts_with("zen-"), "{mine}");

    fs::remove_dir_all(zenith.path().join("one")).unwrap();
    let synced = world.post_nothing("/api/v1/projects/scan-zenith").await.expect(200);
    assert_eq!(synced["count"], 2);
    let gone = world.get("/api/v1/projects?active=false").await.expect(200);
    assert_eq!((&gone[0]["name"], gone.as_array().unwrap().len()), (&json!("one"), 1));
    write_shop(&zenith.path().join("one"));
    world.post_nothing("/api/v1/projects/scan-zenith").await.expect(200);
    let back = world.get("/api/v1/projects?active=true").await.expect(200);
    let ids = |list: &Value| -> Vec<Value> {
        list.as_array()
            .unwrap()
            .iter()
            .map(|one| json!([one["id"], one["zenith_id"]]))
            .collect()
    };
    assert_eq!(ids(&back), ids(&first), "a project keeps its ids");

    let found = world
        .post(
            "/api/v1/projects/discover",
            &json!({"path": zenith.path().join("group")}),
        )
        .await;
    let found = found.expect(200);
    assert_eq!(
        (&found["count"], found["projects"].as_array().unwrap().len()),
        (&json!(1), 1)
    );
    world
        .post("/api/v1/projects/discover", &json!({"path": "relative"}))
        .await
        .expect(400);
    world.close().await;
}

#[tokio::test]
async fn projects_keep_their_rows_when_the_zenith_directory_is_moved() {
    let scratch = tempfile::tempdir().unwrap();
    let [here, there, zenith] = ["here", "there", "zenith"].map(|name| scratch.path().join(name));
    write_shop(&here.join("shop"));
    symlink(&here, &zenith).unwrap();
    let world = Setup::new(Runtime::Process)
        .variable("BORGOS_ZENITH_DIR", zenith.to_str().unwrap())
        .start()
        .await;
    world.post_nothing("/api/v1/projects/scan-zenith").await.expect(200);
    let before = world.get("/api/v1/projects").await.expect(200);
    assert_eq!(before[0]["path"], json!(here.join("shop")));

    fs::rename(&here, &there).unwrap();
    fs::remove_file(&zenith).unwrap();
    symlink(&there, &zenith).unwrap();
    world.post_nothing("/api/v1/projects/scan-zenith").await.expect(200);
    let after = world.get("/api/v1/projects").await.expect(200);
    assert_eq!(after.as_array().unwrap().len(), 1, "{after}");
    assert_eq!(
        (&after[0]["id"], &after[0]["zenith_id"], &after[0]["path"]),
        (&before[0]["id"], &before[0]["zenith_id"], &json!(there.join("shop")))
    );
    world.close().await;
}

#[tokio::test]
async fn without_a_zenith_directory_the_answer_says_how_to_name_one() {
    let world = Setup::new(Runtime::Process).start().await;
    let refused = world.post_nothing("/api/v1/projects/scan-zenith").await.expect(422);
    assert_eq!(refused["code"], "ZENITH_NOT_CONFIGURED");
    assert!(refused["message"].as_str().unwrap().contains("--zenith-dir"));
    world.close().await;
}
