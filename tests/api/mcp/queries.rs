//! Queries in plain words.

use serde_json::{Value, json};

use super::{ask, assert_documented, on_both_databases, project};

#[tokio::test]
async fn the_documented_query_answers_with_the_projects_python_files() {
    on_both_databases(async |world| {
        let id = project(world).await;
        for context in [
            json!({"project_id": id, "path": "/projects/myproject"}),
            json!({"path": world.projects_dir().join("myproject/tests")}),
        ] {
            let answer = ask(world, "List all Python files in the project", context)
                .await
                .expect(200);
            assert_documented(
                &answer,
                &json!({"result": ["main.py"], "tokens_used": 125, "model": "gpt-4o-mini"}),
            );
            assert_eq!(
                answer["result"],
                json!(["main.py", "models.py", "tests/test_main.py", "utils.py"])
            );
            assert_eq!(
                (&answer["model"], &answer["tokens_used"]),
                (&json!("builtin"), &json!(0))
            );
            assert_eq!(answer["tool"], "list_files");
            assert_eq!(
                answer["arguments"],
                json!({"project_id": id, "lang": "Python", "limit": 1000})
            );
        }
        let count = ask(world, "how many Python files are in project 1?", json!({}))
            .await
            .expect(200);
        assert_eq!(count["result"], json!({"count": 4}));
        let text = ask(world, "read utils.py in project 1", json!({})).await.expect(200);
        assert_eq!(text["result"], "def total(items):\n    return sum(items)\n");
    })
    .await;
}

#[tokio::test]
async fn queries_are_kept_whatever_comes_of_them() {
    on_both_databases(async |world| {
        let answer = ask(world, "list all projects", json!({})).await.expect(200);
        let puzzled = ask(world, "how do I stop a deployment?", json!({"deployment_id": 1}))
            .await
            .expect(422);
        assert_eq!(puzzled["code"], "NOT_UNDERSTOOD");
        assert!(
            puzzled["message"].as_str().unwrap().contains("`stop_deployment`"),
            "{puzzled}"
        );
        let incomplete = ask(world, "list files", json!({})).await.expect(422);
        assert_eq!(incomplete["code"], "INCOMPLETE_QUERY");
        let refused = ask(world, "stop deployment 99", json!({})).await.expect(404);
        assert_eq!(refused["message"], "Deployment with id 99 not found");

        let kept = world.get("/api/v1/mcp/queries").await.expect(200);
        let outcomes: Vec<&Value> = kept.as_array().unwrap().iter().map(|query| &query["outcome"]).collect();
        assert_eq!(
            outcomes,
            ["NOT_FOUND", "INCOMPLETE_QUERY", "NOT_UNDERSTOOD", "answered"]
        );
        assert_eq!(
            (&kept[3]["id"], &kept[3]["query"]),
            (&answer["query_id"], &json!("list all projects"))
        );
        assert_eq!(
            (&kept[0]["tool"], &kept[0]["caller"]),
            (&json!("stop_deployment"), &json!("local"))
        );
        let some = world
            .get("/api/v1/mcp/queries?tool=list_projects&query_type=tool&offset=0")
            .await
            .expect(200);
        assert_eq!(some["pagination"]["total"], 1);
    })
    .await;
}

#[tokio::test]
async fn a_query_of_an_unknown_type_is_refused() {
    on_both_databases(async |world| {
        for (body, field) in [
            (json!({"query_type": "oracle", "query": "x"}), "`query_type`"),
            (json!({"query": "x"}), "`query_type`"),
            (json!({"query_type": "chat", "query": " "}), "`query`"),
            (json!({"query_type": "chat", "query": "x", "context": 1}), "`context`"),
        ] {
            let refused = world.post("/api/v1/mcp/query", &body).await.expect(400);
            assert!(refused["message"].as_str().unwrap().starts_with(field), "{refused}");
        }
        assert_eq!(world.get("/api/v1/mcp/queries").await.expect(200), json!([]));
    })
    .await;
}
