//! New releases, earlier ones again, and a deployment that is started.

use serde_json::json;

use super::{answers, deploy};
use crate::{
    api::everywhere::everywhere,
    support::{World, eventually, free_port},
};

async fn serves(world: &World, id: i64, number: i64) {
    eventually("the release serves", async || {
        let releases = world
            .get(&format!("/api/v1/deployments/{id}/releases"))
            .await
            .expect(200);
        match &releases[0]["is_serving"] {
            serving if *serving == true && releases[0]["release"] == number => Ok(()),
            _ => Err(releases),
        }
    })
    .await;
}

#[tokio::test]
async fn releases_come_and_go_and_come_again() {
    everywhere(async |world| {
        let project = world.project("released", "one");
        let port = free_port();
        let body = json!({"port": port, "environment": {"API_KEY": "canary"}});
        let id = deploy(world, project.path(), body).await;
        let path = format!("/api/v1/deployments/{id}");
        let first = world.deployment_is(id, "running").await;

        project.set_version("two");
        let accepted = world
            .post(&format!("/api/v1/deployments/{id}/redeploy"), &json!({}))
            .await
            .expect(202);
        assert_eq!(accepted["message"], format!("Deployment {id} is building release 2"));
        serves(world, id, 2).await;
        answers(port, "two").await;

        let listed = world
            .get(&format!("/api/v1/deployments/{id}/releases?offset=0&limit=1"))
            .await
            .expect(200);
        assert_eq!(listed["pagination"]["total"], 2);
        let newest = &listed["data"][0];
        assert_eq!(
            (&newest["release"], &newest["status"], &newest["created_by"]),
            (&json!(2), &json!("ready"), &json!("redeploy"))
        );
        assert_eq!(newest["environment"], json!({"API_KEY": "***"}));
        let phases = newest["phases"].as_array().unwrap();
        let parts: Vec<&str> = phases.iter().filter_map(|phase| phase["phase"].as_str()).collect();
        assert_eq!(parts, ["build", "start", "health", "switch"]);
        assert!(phases.iter().all(|phase| phase["duration_ms"].is_u64()), "{phases:?}");
        assert_ne!(newest["build_log"], json!([]));

        let candidates = world
            .post_nothing(&format!("/api/v1/deployments/{id}/rollback"))
            .await
            .expect(200);
        assert_eq!(candidates[1]["release"], 1, "{candidates:#}");
        let back = world
            .post(&format!("/api/v1/deployments/{id}/rollback"), &json!({"release": 1}))
            .await
            .expect(200);
        assert_eq!(back["message"], format!("Deployment {id} runs release 1"));
        let row = world.get(&path).await.expect(200);
        assert_eq!(
            (&row["status"], &row["release_id"], &row["next_release_id"]),
            (&json!("running"), &first["release_id"], &json!(null))
        );
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_gone_back_to_is_refused_by_name() {
    everywhere(async |world| {
        let project = world.project("released", "one");
        let id = deploy(world, project.path(), json!({"port": free_port()})).await;
        world.deployment_is(id, "running").await;
        let path = format!("/api/v1/deployments/{id}/rollback");
        let absent = world.post(&path, &json!({"release": 9})).await.expect(404);
        assert_eq!(absent["message"], "Release with id 9 not found");
        for bad in [
            json!({"release": 0}),
            json!({"release": "1"}),
            json!({}),
            json!({"releases": 1}),
            json!([]),
        ] {
            let refused = world.post(&path, &bad).await.expect(400);
            assert!(
                refused["message"].as_str().unwrap_or_default().contains("release") || bad == json!([]),
                "{refused}"
            );
        }
        for verb in ["redeploy", "rollback", "start", "restart", "stop"] {
            let body = match verb {
                "rollback" => json!({"release": 1}),
                _ => json!({}),
            };
            let absent = world.post(&format!("/api/v1/deployments/999/{verb}"), &body).await;
            assert_eq!(
                absent.expect(404)["message"],
                "Deployment with id 999 not found",
                "{verb}"
            );
        }
        world.get("/api/v1/deployments/999/releases").await.expect(404);
    })
    .await;
}

#[tokio::test]
async fn a_start_starts_what_is_stopped_and_leaves_what_runs() {
    everywhere(async |world| {
        let project = world.project("started", "one");
        let port = free_port();
        let id = deploy(world, project.path(), json!({"port": port})).await;
        let path = format!("/api/v1/deployments/{id}");
        let running = world.deployment_is(id, "running").await;
        let same = world
            .post(&format!("/api/v1/deployments/{id}/start"), &json!({}))
            .await
            .expect(200);
        assert_eq!(same["message"], format!("Deployment {id} started"));
        assert_eq!(world.get(&path).await.expect(200)["generation"], running["generation"]);

        world
            .post(&format!("/api/v1/deployments/{id}/stop"), &json!({}))
            .await
            .expect(200);
        world
            .post(&format!("/api/v1/deployments/{id}/start"), &json!({}))
            .await
            .expect(200);
        assert_eq!(world.get(&path).await.expect(200)["status"], "running");
        answers(port, "one").await;
    })
    .await;
}
