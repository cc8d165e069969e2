//! The error log.

use serde_json::{Value, json};

use super::{documented::assert_documented, everywhere::on_both_databases};
use crate::support::World;

fn documented_request(project_id: i64) -> Value {
    json!({
        "project_id": project_id, "error_type": "validation", "severity": "warning",
        "message": "Invalid input format", "stack_trace": null,
        "context": {"endpoint": "/api/users", "input": {"email": "invalid"}}
    })
}

async fn log(world: &World, severity: &str, message: &str) {
    let entry = json!({"error_type": "runtime", "severity": severity, "message": message});
    world.post("/api/v1/errors", &entry).await.expect(201);
}

#[tokio::test]
async fn errors_are_logged_and_listed_as_documented() {
    on_both_databases(async |world| {
        let project = world.project("mine", "one");
        let project_id = world.create_project("MyProject", project.path()).await;
        let answer = world.post("/api/v1/errors", &documented_request(project_id)).await;
        assert!(answer.header("location").starts_with("/api/v1/errors"), "{answer:?}");
        assert_eq!(answer.expect(201)["message"], "Error logged successfully");

        let list = world.get("/api/v1/errors").await.expect(200);
        let example = json!([{
            "id": 1, "project_id": 1, "project_name": "MyProject", "deployment_id": null, "error_type": "runtime",
            "severity": "error", "message": "Database connection failed", "stack_trace": null,
            "context": {}, "occurred_at": "2024-01-15T11:45:00Z"
        }]);
        assert_documented(&list, &example);
        assert_eq!(list[0]["project_name"], "MyProject");
        for (key, value) in documented_request(project_id).as_object().unwrap() {
            assert_eq!(&list[0][key], value);
        }

        world
            .delete(&format!("/api/v1/projects/{project_id}"))
            .await
            .expect(200);
        let kept = world.get("/api/v1/errors").await.expect(200);
        assert_eq!(
            kept[0]["message"], "Invalid input format",
            "errors outlive their project"
        );
    })
    .await;
}

#[tokio::test]
async fn the_log_is_filtered_and_paged_as_documented() {
    on_both_databases(async |world| {
        let project = world.project("mine", "one");
        let project_id = world.create_project("mine", project.path()).await;
        for severity in ["debug", "info", "warning", "error", "critical"] {
            log(world, severity, severity).await;
        }
        world
            .post("/api/v1/errors", &documented_request(project_id))
            .await
            .expect(201);
        let all = world.get("/api/v1/errors").await.expect(200);
        let since = all[2]["occurred_at"].as_str().unwrap();
        let newest = ["Invalid input format", "critical", "error", "warning", "info", "debug"];
        let project_filter = format!("project_id={project_id}");
        let (since_filter, until_filter) = (format!("since={since}"), format!("until={since}"));
        for (query, expected) in [
            ("", &newest[..]),
            ("severity=error&limit=50", &["error"]),
            ("severity=warning", &["Invalid input format", "warning"]),
            (&project_filter, &["Invalid input format"]),
            ("error_type=validation", &["Invalid input format"]),
            ("limit=2", &newest[..2]),
            ("deployment_id=1", &[]),
            (&until_filter, &newest[3..]),
            (&since_filter, &newest[..3]),
        ] {
            let list = world.get(&format!("/api/v1/errors?{query}")).await.expect(200);
            assert_eq!(messages(&list), expected, "{query}");
        }
        let page = world.get("/api/v1/errors?limit=2&offset=1").await.expect(200);
        assert_eq!(messages(&page["data"]), newest[1..3]);
        assert_eq!(
            page["pagination"],
            json!({"total": 6, "limit": 2, "offset": 1, "has_more": true})
        );
    })
    .await;
}

#[tokio::test]
async fn a_list_has_at_most_100_entries_unless_more_are_asked_for() {
    on_both_databases(async |world| {
        for number in 0..=100 {
            log(world, "info", &number.to_string()).await;
        }
        for (query, num_expected) in [("", 100), ("?limit=1000", 101), ("?limit=1", 1)] {
            let answer = world.get(&format!("/api/v1/errors{query}")).await;
            assert_eq!(answer.header("x-total-count"), "101");
            assert_eq!(answer.expect(200).as_array().unwrap().len(), num_expected, "{query}");
        }
    })
    .await;
}

#[tokio::test]
async fn any_text_can_be_logged() {
    on_both_databases(async |world| {
        let message = "line one\nline two\t\u{1b}[31m Größe 🚀 \u{202e}";
        log(world, "info", message).await;
        let with_nul = json!({
            "error_type": "runtime", "severity": "info", "message": "a\0b", "stack_trace": "\0", "context": {"\0": "\0"}
        });
        world.post("/api/v1/errors", &with_nul).await.expect(201);
        let list = world.get("/api/v1/errors").await.expect(200);
        assert_eq!(messages(&list), ["a\u{fffd}b", message]);
    })
    .await;
}

fn messages(list: &Value) -> Vec<&str> {
    list.as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["message"].as_str().unwrap())
        .collect()
}
