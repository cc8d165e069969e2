//! Projects.

use serde_json::{Value, json};

use super::{
    documented::assert_documented,
    everywhere::{everywhere, on_both_databases},
};
use crate::support::{World, free_port};

/// The documented project, but for values that only a scan can give: those may be anything.
fn documented() -> Value {
    json!({
        "id": 1, "name": "MyProject", "path": "/projects/myproject", "zenith_id": null, "project_type": "web",
        "tech_stack": ["python", "react", "postgresql"], "health_score": 85, "vibe_score": 90, "eco_score": 75,
        "errors": [], "metadata": {}, "is_active": true,
        "created_at": "2024-01-15T10:00:00Z", "updated_at": "2024-01-15T10:30:00Z"
    })
}

/// Sends the documented request for a directory of that name.
async fn create(world: &World, name: &str, stack: &[&str]) -> Value {
    let project = world.project(name, "one");
    let body = json!({"name": name, "path": project.path(), "project_type": "api", "tech_stack": stack});
    world.post("/api/v1/projects", &body).await.expect(201)
}

#[tokio::test]
async fn projects_are_created_listed_and_shown_as_documented() {
    everywhere(async |world| {
        let directory = world.project("new", "one");
        let body = json!({
            "name": "NewProject", "path": directory.path(), "project_type": "api",
            "tech_stack": ["fastapi", "postgresql"]
        });
        let answer = world.post("/api/v1/projects", &body).await;
        assert_eq!(answer.header("location"), "/api/v1/projects/1");
        let project = answer.expect(201);
        assert_documented(&project, &documented());
        for (key, value) in body.as_object().unwrap() {
            assert_eq!(&project[key], value);
        }
        assert_eq!(
            [&project["health_score"], &project["vibe_score"], &project["eco_score"]],
            [&json!(0), &json!(75), &json!(80)],
            "a fresh project has the documented scores"
        );

        let answer = world.get("/api/v1/projects").await;
        assert_eq!(answer.header("x-total-count"), "1");
        let list = answer.expect(200);
        assert_documented(&list, &json!([documented()]));
        assert_eq!(list.as_array().unwrap().len(), 1);

        let wanted = json!({"project_id": 1, "port": free_port()});
        let port = wanted["port"].clone();
        world.post("/api/v1/deploy", &wanted).await.expect(201);
        let mut example = documented();
        example["deployments"] = json!([{"id": 1, "port": 8090, "status": "running"}]);
        let details = world.get("/api/v1/projects/1").await.expect(200);
        assert_documented(&details, &example);
        assert_eq!(details["deployments"][0]["port"], port);

        let refused = world.delete("/api/v1/projects/1").await.expect(409);
        assert_eq!(refused["code"], "PROJECT_HAS_DEPLOYMENTS");
    })
    .await;
}

#[tokio::test]
async fn a_project_is_changed_and_deleted() {
    on_both_databases(async |world| {
        let id = create(world, "first", &["rust"]).await["id"].clone();
        let path = format!("/api/v1/projects/{id}");
        let before = world.get(&path).await.expect(200);
        let changes = json!({
            "name": "Größe 🚀", "project_type": "web", "tech_stack": ["python"], "is_active": false,
            "metadata": {"owner": "ü"}
        });
        let after = world.patch(&path, &changes).await.expect(200);
        for (key, value) in changes.as_object().unwrap() {
            assert_eq!(&after[key], value);
        }
        assert_eq!(after["path"], before["path"]);
        assert_eq!(after["created_at"], before["created_at"]);
        assert_eq!(world.get(&path).await.expect(200), after);
        let with_nul = json!({"metadata": {"a": "\0", "b": {"\0": [1]}}});
        let replaced = world.patch(&path, &with_nul).await.expect(200);
        assert_eq!(replaced["metadata"], json!({"a": "\u{fffd}", "b": {"\u{fffd}": [1]}}));
        let cleared = world.patch(&path, &json!({"project_type": null})).await.expect(200);
        assert_eq!(
            (&cleared["project_type"], &cleared["name"]),
            (&Value::Null, &after["name"])
        );

        let wanted = json!({"project_id": id, "port": free_port()});
        let refused = world.post("/api/v1/deploy", &wanted).await.expect(409);
        assert_eq!(refused["code"], "PROJECT_INACTIVE");

        world.delete(&path).await.expect(200);
        for answer in [
            world.get(&path).await,
            world.patch(&path, &changes).await,
            world.delete(&path).await,
        ] {
            assert_eq!(answer.expect(404)["message"], format!("Project with id {id} not found"));
        }
        assert_eq!(world.num_rows().await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_directory_belongs_to_one_project_by_whatever_path() {
    on_both_databases(async |world| {
        let directory = world.project("one", "one");
        let link = directory.path().with_file_name("link");
        std::os::unix::fs::symlink(directory.path(), &link).unwrap();
        let first = world.create_project("one", directory.path()).await;
        for path in [directory.path(), &link, &directory.path().join(".")] {
            let body = json!({"name": "again", "path": path});
            let refused = world.post("/api/v1/projects", &body).await.expect(409);
            assert_eq!(refused["code"], "PATH_IN_USE");
        }
        world.delete(&format!("/api/v1/projects/{first}")).await.expect(200);
        let id = world.create_project("again", &link).await;
        let project = world.get(&format!("/api/v1/projects/{id}")).await.expect(200);
        assert_eq!(project["path"], json!(directory.path()), "the link was not resolved");
    })
    .await;
}

#[tokio::test]
async fn lists_are_filtered_and_paged_as_documented() {
    on_both_databases(async |world| {
        for (name, stack) in [
            ("a", &["python", "c++"][..]),
            ("b", &["python"]),
            ("c", &["rust"]),
            ("d", &[]),
        ] {
            create(world, name, stack).await;
        }
        world
            .patch(
                "/api/v1/projects/2",
                &json!({"is_active": false, "project_type": "web"}),
            )
            .await
            .expect(200);
        for (query, expected) in [
            ("", &["a", "b", "c", "d"][..]),
            ("active=true&tech_stack=python", &["a"]),
            ("active=false", &["b"]),
            ("tech_stack=python", &["a", "b"]),
            ("tech_stack=c%2B%2B", &["a"]),
            ("tech_stack=pyth", &[]),
            ("project_type=web", &["b"]),
            ("name=c", &["c"]),
            ("limit=2", &["a", "b"]),
            ("active=true&limit=1", &["a"]),
        ] {
            let list = world.get(&format!("/api/v1/projects?{query}")).await.expect(200);
            assert_eq!(names(&list), expected, "{query}");
        }

        let answer = world.get("/api/v1/projects?limit=2&offset=1").await;
        assert_eq!(
            answer.header("link"),
            "</api/v1/projects?limit=2&offset=3>; rel=\"next\", </api/v1/projects?limit=2&offset=0>; rel=\"prev\""
        );
        let page = answer.expect(200);
        assert_eq!(names(&page["data"]), ["b", "c"]);
        assert_eq!(
            page["pagination"],
            json!({"total": 4, "limit": 2, "offset": 1, "has_more": true})
        );
        let last = world.get("/api/v1/projects?offset=3").await.expect(200);
        assert_eq!(
            last["pagination"],
            json!({"total": 4, "limit": 100, "offset": 3, "has_more": false})
        );
        let beyond = world.get("/api/v1/projects?limit=10&offset=20").await.expect(200);
        assert_eq!(beyond["data"], json!([]));
    })
    .await;
}

fn names(list: &Value) -> Vec<&str> {
    list.as_array()
        .unwrap()
        .iter()
        .map(|project| project["name"].as_str().unwrap())
        .collect()
}
