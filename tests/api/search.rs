//! Searches for code and projects.

use std::fs;

use serde_json::{Value, json};

use super::{documented::assert_documented, everywhere::on_both_databases};
use crate::support::{World, scan};

/// Creates and scans a project with these files.
async fn project(world: &World, name: &str, files: &[(&str, &str)]) -> i64 {
    let root = world.projects_dir().join(name);
    for (path, content) in files {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    let created = world
        .post("/api/v1/projects", &json!({"name": name, "path": root}))
        .await
        .expect(201);
    let id = created["id"].as_i64().unwrap();
    scan(world, id).await;
    id
}

async fn two_projects(world: &World) -> [i64; 2] {
    let auth = project(
        world,
        "auth",
        &[
            (
                "auth.py",
                "import hashlib\n\ndef authenticate_user(username, password):\n    return False\n",
            ),
            (
                "views.py",
                "from auth import authenticate_user\n\nprint(authenticate_user('a', 'b'))\n",
            ),
            ("requirements.txt", "django==5.0\npsycopg==3.1\n"),
            ("README.md", "# Auth\n\nLogs people in.\n"),
        ],
    )
    .await;
    let page = project(
        world,
        "page",
        &[
            (
                "package.json",
                r#"{"name": "page", "dependencies": {"react": "18.0.0"}}"#,
            ),
            (
                "src/app.js",
                "export function App() {\n  return null; // authenticate\n}\n",
            ),
        ],
    )
    .await;
    [auth, page]
}

fn lines(found: &Value) -> Vec<String> {
    let name = |hit: &Value| {
        let file = hit["file"].as_str().unwrap().rsplit_once("/projects/").unwrap().1;
        format!("{file}:{}", hit["line"])
    };
    found.as_array().unwrap().iter().map(name).collect()
}

#[tokio::test]
async fn code_is_found_as_documented_with_definitions_first() {
    on_both_databases(async |world| {
        let [auth, page] = two_projects(world).await;
        let answer = world.post_nothing("/api/v1/search/code?query=authenticate_user").await;
        assert_eq!(answer.header("x-total-count"), "3");
        assert!(!answer.headers.contains_key("x-truncated"));
        let found = answer.expect(200);
        assert_documented(
            &found,
            &json!([{
                "file": "/projects/myapp/auth.py", "line": 25, "content": "def authenticate_user(username, password):",
                "relevance_score": 0.88, "column": 5, "matches": [[4, 21]], "project_id": 1, "language": "Python",
                "symbol": null
            }]),
        );
        assert_eq!(found[0]["content"], "def authenticate_user(username, password):");
        assert_eq!((&found[0]["line"], &found[0]["column"]), (&json!(3), &json!(5)));
        assert_eq!(
            (&found[0]["symbol"], &found[0]["matches"]),
            (&json!("function"), &json!([[4, 21]]))
        );
        let score = found[0]["relevance_score"].as_f64().unwrap();
        assert!(score > found[1]["relevance_score"].as_f64().unwrap() && score <= 1.0);

        for (query, expected) in [
            (
                "query=authenticate&limit=1000",
                vec![
                    "auth/auth.py:3",
                    "page/src/app.js:2",
                    "auth/views.py:3",
                    "auth/views.py:1",
                ],
            ),
            (
                &format!("query=authenticate&project_id={page}"),
                vec!["page/src/app.js:2"],
            ),
            ("query=authenticate&lang=javascript", vec!["page/src/app.js:2"]),
            ("query=authenticate&path=v*.py&limit=1", vec!["auth/views.py:3"]),
            ("query=AUTHENTICATE", vec![]),
            (
                "query=AUTHENTICATE&case=insensitive&lang=javascript",
                vec!["page/src/app.js:2"],
            ),
            ("query=def+%5Cw%2B_user&regex=true", vec!["auth/auth.py:3"]),
            ("query=symbol:App", vec!["page/src/app.js:1"]),
            ("query=username+password", vec!["auth/auth.py:3"]),
        ] {
            let found = world.get(&format!("/api/v1/search/code?{query}")).await.expect(200);
            assert_eq!(lines(&found), expected, "{query}");
        }
        for (query, field) in [
            ("", "query"),
            ("query=%28&regex=true", "query"),
            ("query=a&path=%5B", "path"),
            ("query=a&project_id=x", "project_id"),
            ("query=a&limit=0", "limit"),
            ("query=a&case=none", "case"),
            ("query=a&symbol=b", "symbol"),
        ] {
            let refused = world
                .post_nothing(&format!("/api/v1/search/code?{query}"))
                .await
                .expect(400);
            assert!(
                refused["message"].as_str().unwrap().contains(&format!("`{field}`")),
                "{query}: {refused}"
            );
        }
        world
            .post_nothing("/api/v1/search/code?query=a&project_id=999")
            .await
            .expect(404);
        world.delete(&format!("/api/v1/projects/{auth}")).await.expect(200);
        let found = world
            .get("/api/v1/search/code?query=authenticate_user")
            .await
            .expect(200);
        assert_eq!(found, json!([]), "a deleted project is not searched");
    })
    .await;
}

#[tokio::test]
async fn projects_are_found_by_what_is_known_of_them() {
    on_both_databases(async |world| {
        let [auth, page] = two_projects(world).await;
        let found = world
            .post_nothing("/api/v1/search/projects?query=python+web+app")
            .await
            .expect(200);
        assert_documented(
            &found,
            &json!([{
                "id": 1, "name": "MyWebApp", "path": "/projects/mywebapp", "relevance_score": 0.92,
                "tech_stack": ["python", "django", "react"]
            }]),
        );
        assert_eq!(found[0]["id"], auth);
        for (query, expected) in [
            ("postgres", auth),
            ("djago", auth),
            ("react", page),
            ("logs+people+in", auth),
        ] {
            let found = world
                .get(&format!("/api/v1/search/projects?query={query}&limit=1"))
                .await
                .expect(200);
            assert_eq!(found[0]["id"], expected, "{query}");
        }
        let renamed = json!({"name": "Gatekeeper", "is_active": true});
        world
            .patch(&format!("/api/v1/projects/{auth}"), &renamed)
            .await
            .expect(200);
        let found = world.get("/api/v1/search/projects?query=gatekeeper").await.expect(200);
        assert_eq!(found[0]["name"], "Gatekeeper", "a change is found at once");
        world
            .patch(&format!("/api/v1/projects/{auth}"), &json!({"is_active": false}))
            .await
            .expect(200);
        let found = world.get("/api/v1/search/projects?query=gatekeeper").await.expect(200);
        assert_eq!(found, json!([]), "an inactive project is not found");
        world.post_nothing("/api/v1/search/projects").await.expect(400);
        world
            .get("/api/v1/search/projects?query=a&limit=1001")
            .await
            .expect(400);
    })
    .await;
}
