//! Query strings and the ids of paths.

use reqwest::Method;
use serde_json::json;

use super::assert_refused;
use crate::api::everywhere::on_both_databases;

const LIMITS: &[&str] = &[
    "",
    "0",
    "-1",
    "1001",
    "1.5",
    "1e2",
    "ten",
    "%00",
    "99999999999999999999",
    "%D9%A1",
    "+1",
];
const OFFSETS: &[&str] = &["", "-1", "1.5", "x", "99999999999999999999", "%00", "0x10"];
const IDS: &[&str] = &[
    "",
    "0",
    "-1",
    "1.5",
    "abc",
    "99999999999999999999",
    "%00",
    "..%2F1",
    "1;DROP",
];
const TIMES: &[&str] = &[
    "",
    "yesterday",
    "2024-01-15",
    "2024-13-01T00:00:00Z",
    "1705312800",
    "%00",
];
const BOOLEANS: &[&str] = &["", "yes", "1", "TRUE", "null", "%00"];
const NAMES: &[&str] = &["", "%00", "%0A", "%1B", "%FF", "%zz", "%"];

#[tokio::test]
async fn a_bad_parameter_is_refused_by_name() {
    on_both_databases(async |world| {
        for (path, parameters) in [
            (
                "/api/v1/projects",
                &[
                    ("limit", LIMITS),
                    ("offset", OFFSETS),
                    ("active", BOOLEANS),
                    ("tech_stack", NAMES),
                    ("project_type", &["", "Web", "%00", "a%20b"]),
                    ("name", NAMES),
                ][..],
            ),
            (
                "/api/v1/deployments",
                &[
                    ("limit", LIMITS),
                    ("offset", OFFSETS),
                    ("project_id", IDS),
                    ("status", &["", "Running", "alive", "%00"]),
                    ("name", NAMES),
                    ("port", &["", "0", "-1", "65536", "http", "8080.5"]),
                ],
            ),
            (
                "/api/v1/errors",
                &[
                    ("limit", LIMITS),
                    ("offset", OFFSETS),
                    ("project_id", IDS),
                    ("deployment_id", IDS),
                    ("severity", &["", "Error", "fatal", "%00"]),
                    ("error_type", NAMES),
                    ("since", TIMES),
                    ("until", TIMES),
                ],
            ),
            (
                "/api/v1/agent/tasks",
                &[
                    ("limit", LIMITS),
                    ("offset", OFFSETS),
                    ("project_id", IDS),
                    ("status", &["", "Running", "cancelled", "%00"]),
                    ("agent_type", NAMES),
                ],
            ),
        ] {
            for (name, values) in parameters {
                for value in *values {
                    let target = format!("{path}?{name}={value}");
                    assert_refused(world.get(&target).await, name, &target);
                }
                let good = if *name == "active" { "true" } else { "1" };
                let twice = format!("{path}?{name}={good}&{name}={good}");
                assert_refused(world.get(&twice).await, name, &twice);
            }
            for unknown in ["actve", "sort", "Limit"] {
                let target = format!("{path}?{unknown}=1");
                let answer = world.get(&target).await.expect(400);
                assert_eq!(answer["code"], "INVALID_FIELD", "{target}");
                let message = answer["message"].as_str().unwrap();
                assert!(
                    message.contains(unknown) && message.contains("limit"),
                    "{target}: {message}"
                );
            }
        }
    })
    .await;
}

#[tokio::test]
async fn endpoints_without_parameters_take_none() {
    on_both_databases(async |world| {
        for (method, path) in [
            (Method::GET, "/api/v1/status"),
            (Method::GET, "/api/v1/projects/1"),
            (Method::DELETE, "/api/v1/projects/1"),
            (Method::GET, "/api/v1/deployments/1"),
            (Method::DELETE, "/api/v1/deployments/1"),
            (Method::POST, "/api/v1/deployments/1/stop"),
            (Method::POST, "/api/v1/deployments/1/restart"),
            (Method::GET, "/api/v1/agent/agents"),
            (Method::POST, "/api/v1/agent/agents/any/pause"),
            (Method::GET, "/api/v1/agent/tasks/1"),
            (Method::POST, "/api/v1/agent/tasks/1/cancel"),
            (Method::POST, "/api/v1/agent/tasks/1/retry"),
            (Method::GET, "/api/v1/actors"),
            (Method::POST, "/api/v1/actors/event-bus/restart"),
        ] {
            let target = format!("{path}?force=true");
            let answer = world.try_send(method, &target, None).await.unwrap();
            assert_refused(answer, "force", &target);
        }
    })
    .await;
}

#[tokio::test]
async fn a_bad_id_is_refused_and_an_unknown_one_not_found() {
    on_both_databases(async |world| {
        for id in [
            "0",
            "-1",
            "abc",
            "1.0",
            "99999999999999999999",
            "%00",
            "1%20",
            "%2e%2e",
            "%D9%A1",
        ] {
            for (method, path) in [
                (Method::GET, format!("/api/v1/projects/{id}")),
                (Method::PATCH, format!("/api/v1/projects/{id}")),
                (Method::DELETE, format!("/api/v1/projects/{id}")),
                (Method::GET, format!("/api/v1/deployments/{id}")),
                (Method::POST, format!("/api/v1/deployments/{id}/stop")),
                (Method::POST, format!("/api/v1/deployments/{id}/restart")),
                (Method::GET, format!("/api/v1/agent/tasks/{id}")),
                (Method::POST, format!("/api/v1/agent/tasks/{id}/cancel")),
            ] {
                let answer = world.try_send(method, &path, Some(&json!({}))).await.unwrap();
                // A path with dots in it is resolved by the client itself, and then there is no such endpoint.
                if id != "%2e%2e" {
                    assert_refused(answer, "id", &path);
                } else {
                    assert!((400..500).contains(&answer.status), "{path}: {answer:?}");
                }
            }
        }
        let largest = i64::MAX;
        let absent = world.get(&format!("/api/v1/projects/{largest}")).await.expect(404);
        assert_eq!(absent["message"], format!("Project with id {largest} not found"));
    })
    .await;
}
