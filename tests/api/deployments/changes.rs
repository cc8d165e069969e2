//! Changing a deployment, and looking at what it does.

use serde_json::{Value, json};

use super::{
    answers, deploy,
    logs::{log_is, saying},
};
use crate::{
    api::everywhere::everywhere,
    support::{Runtime, World, eventually, free_port},
};

async fn releases(world: &World, path: &str) -> Vec<Value> {
    let listed = world.get(&format!("{path}/releases")).await.expect(200);
    listed.as_array().unwrap().clone()
}

#[tokio::test]
async fn a_change_of_what_instances_are_made_of_is_rolled_out_without_a_build() {
    everywhere(async |world| {
        let project = world.project("changed", "one");
        let port = free_port();
        let environment = json!({"GREETING": "one", "API_KEY": "canary-6", "OLD": "x"});
        let command = saying(world, "echo greeting $GREETING $API_KEY $OLD");
        let body = json!({"port": port, "environment": environment, "command": command});
        let id = deploy(world, project.path(), body).await;
        let path = format!("/api/v1/deployments/{id}");
        let before = world.deployment_is(id, "running").await;

        let patch = json!({"environment": {"GREETING": "two", "OLD": null}, "memory_limit": "300m"});
        let accepted = world.patch(&path, &patch).await.expect(202);
        assert_eq!(accepted["environment"], json!({"GREETING": "two", "API_KEY": "***"}));
        assert_eq!(accepted["release_id"], before["release_id"]);
        let log = format!("{path}/logs?release=2");
        eventually("the new release has a log", async || match world.get(&log).await {
            log if log.status == 200 && !log.text.is_empty() => Ok(()),
            log => Err(log.text),
        })
        .await;
        log_is(world, &log, &["greeting two ***"]).await;
        eventually("the new release serves", async || {
            let row = world.get(&path).await.expect(200);
            if row["next_release_id"].is_null() {
                Ok(())
            } else {
                Err(row)
            }
        })
        .await;
        answers(port, "one").await;
        let releases = releases(world, &path).await;
        let newest = &releases[0];
        assert_eq!(
            (&newest["release"], &newest["created_by"], &newest["memory_limit"]),
            (&json!(2), &json!("change"), &json!("300m"))
        );
        assert_eq!(newest["image_id"], releases[1]["image_id"]);
        assert!(!newest["phases"].to_string().contains("build"), "{newest}");

        assert_at_once(world, &path).await;
    })
    .await;
}

/// A name counts at once, and nonsense changes nothing.
async fn assert_at_once(world: &World, path: &str) {
    let changed = world.patch(path, &json!({"name": "renamed"})).await.expect(200);
    assert_eq!(changed["name"], "renamed");
    for bad in [
        json!({"port": 1}),
        json!({"name": null}),
        json!({"environment": {"1A": "x"}}),
        json!({"environment": {"A": []}}),
        json!({"environment": {"OTHER_KEY": "***"}}),
        json!({"memory_limit": 5}),
    ] {
        world.patch(path, &bad).await.expect(400);
    }
    let same = world.patch(path, &json!({"memory_limit": "300m"})).await.expect(200);
    assert_eq!(same["next_release_id"], Value::Null);
    assert_eq!(releases(world, path).await.len(), 2);
    world
        .patch("/api/v1/deployments/99", &json!({"name": "x"}))
        .await
        .expect(404);
}

#[tokio::test]
async fn a_health_check_counts_once_a_release_has_passed_it() {
    everywhere(async |world| {
        let project = world.project("asked", "one");
        let port = free_port();
        let id = deploy(world, project.path(), json!({"port": port, "health_interval_s": 1})).await;
        let path = format!("/api/v1/deployments/{id}");
        let before = world.deployment_is(id, "running").await;

        let wrong = json!({"health_check_path": "/missing", "health_timeout_s": 1});
        let accepted = world.patch(&path, &wrong).await.expect(202);
        let url = accepted["health_check_url"].as_str().unwrap();
        assert!(url.ends_with("/missing"), "{url}");
        let after = eventually("the check is taken back", async || {
            let row = world.get(&path).await.expect(200);
            if row["next_release_id"].is_null() {
                Ok(row)
            } else {
                Err(row)
            }
        })
        .await;
        assert_eq!(
            (&after["status"], &after["release_id"], &after["health_check_url"]),
            (&before["status"], &before["release_id"], &before["health_check_url"])
        );
        world.patch(&path, &wrong).await.expect(202);
        world.post_nothing(&format!("{path}/cancel")).await.expect(200);

        world
            .patch(&path, &json!({"health_check_path": "/index.html"}))
            .await
            .expect(202);
        eventually("the new check is passed", async || {
            let row = world.get(&path).await.expect(200);
            if row["release_id"] == before["release_id"] {
                Err(row)
            } else {
                Ok(())
            }
        })
        .await;
        answers(port, "one").await;
    })
    .await;
}

#[tokio::test]
async fn what_is_changed_while_it_is_stopped_counts_when_it_is_started() {
    everywhere(async |world| {
        let project = world.project("changed", "one");
        let body = json!({"port": free_port(), "command": saying(world, "echo mode $MODE")});
        let id = deploy(world, project.path(), body).await;
        let path = format!("/api/v1/deployments/{id}");
        world.deployment_is(id, "running").await;
        world.post(&format!("{path}/stop"), &json!({})).await.expect(200);
        let patch = json!({"environment": {"MODE": "new"}});
        let accepted = world.patch(&path, &patch).await.expect(202);
        assert_eq!(accepted["status"], "stopped");
        world.post(&format!("{path}/start"), &json!({})).await.expect(200);
        log_is(world, &format!("{path}/logs?release=2"), &["mode new"]).await;
        let row = world.get(&path).await.expect(200);
        assert_eq!(
            (&row["status"], &row["next_release_id"]),
            (&json!("running"), &json!(null))
        );
    })
    .await;
}

#[tokio::test]
async fn what_it_uses_and_what_happened_to_it_is_shown() {
    everywhere(async |world| {
        let project = world.project("measured", "one");
        let body = json!({"port": free_port(), "memory_limit": "300m"});
        let id = deploy(world, project.path(), body).await;
        let path = format!("/api/v1/deployments/{id}");
        world.deployment_is(id, "running").await;
        let stats = world.get(&format!("/api/v1/deployments/{id}/stats")).await.expect(200);
        assert!(stats["memory_bytes"].as_i64() > Some(10_000), "{stats}");
        assert!(stats["cpu_percent"].as_f64() >= Some(0.0), "{stats}");
        assert!(stats["num_processes"].as_i64() >= Some(1), "{stats}");
        assert_eq!(
            (&stats["memory_limit"], &stats["restarts"]),
            (&json!("300m"), &json!(0))
        );
        assert_eq!(stats["network_rx_bytes"].is_i64(), world.runtime() == Runtime::Docker);
        assert_eq!(stats["probes"][0]["is_well"], true, "{stats}");

        let events = world
            .get(&format!("/api/v1/deployments/{id}/events?limit=1&offset=0"))
            .await
            .expect(200);
        let newest = &events["data"][0];
        assert_eq!(
            (&newest["type"], &newest["data"]["status"], &newest["offset"]),
            (
                &json!("deployment_status"),
                &json!("running"),
                &events["pagination"]["total"]
            )
        );
        world.post(&format!("{path}/stop"), &json!({})).await.expect(200);
        let stats = world.get(&format!("/api/v1/deployments/{id}/stats")).await.expect(200);
        assert_eq!(
            (&stats["status"], &stats["memory_bytes"], &stats["uptime_seconds"]),
            (&json!("stopped"), &json!(null), &json!(null))
        );
        for view in ["stats", "events"] {
            world.get(&format!("/api/v1/deployments/99/{view}")).await.expect(404);
        }
    })
    .await;
}
