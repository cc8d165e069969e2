//! Volumes outlive the instances that write to them, and never have two writers.

use std::collections::HashMap;

use bollard::query_parameters::{ListVolumesOptionsBuilder, RemoveVolumeOptions};
use reqwest::Method;
use serde_json::json;

use super::{deploy, logs::saying};
use crate::support::{Http, Runtime, Setup, World, docker, eventually, free_port};

/// Waits until as many starts are noted in the volume.
async fn starts(port: u16, number: usize) {
    let app = Http::new(&format!("http://127.0.0.1:{port}"), None);
    eventually("the app has noted its starts", async || {
        match app.try_send(Method::GET, "/starts.txt", None).await {
            Ok(answer) if answer.status == 200 && answer.text.lines().count() == number => Ok(()),
            other => Err(other),
        }
    })
    .await;
}

/// Returns the names of the volumes of this world.
async fn volumes(world: &World) -> Vec<String> {
    let label = format!("borgos.instance={}", world.instance().await);
    let options = ListVolumesOptionsBuilder::default()
        .filters(&HashMap::from([("label", vec![label])]))
        .build();
    let listed = docker::client().list_volumes(Some(options)).await.unwrap();
    listed
        .volumes
        .unwrap_or_default()
        .into_iter()
        .map(|volume| volume.name)
        .collect()
}

#[tokio::test]
async fn what_is_written_stays_and_a_new_release_starts_when_the_earlier_one_has_ended() {
    let world = Setup::new(Runtime::Docker).start().await;
    let project = world.project("keeping", "one");
    let port = free_port();
    let command = saying(&world, "echo started >> /data/starts; cp /data/starts /www/starts.txt");
    let body = json!({"port": port, "volumes": ["data:/data"], "command": command});
    let id = deploy(&world, project.path(), body).await;
    let path = format!("/api/v1/deployments/{id}");
    let row = world.deployment_is(id, "running").await;
    assert_eq!(
        (&row["volumes"], &row["stops_first"]),
        (&json!(["data:/data"]), &json!(true))
    );
    starts(port, 1).await;

    let accepted = world.post_nothing(&format!("{path}/redeploy")).await.expect(202);
    let said = accepted["message"].as_str().unwrap();
    assert!(said.contains("is stopped before it starts"), "{said}");
    let mut most = 0;
    eventually("the new release serves", async || {
        most = most.max(running(&world).await);
        let row = world.get(&path).await.expect(200);
        if row["next_release_id"].is_null() && row["status"] == "running" {
            Ok(())
        } else {
            Err(row)
        }
    })
    .await;
    assert!(most <= 1, "two wrote at the same time");
    starts(port, 2).await;

    world.delete(&path).await.expect(200);
    let left = volumes(&world).await;
    assert_eq!(left.len(), 1, "{left:?}");
    eventually("the volume is free", async || {
        docker::client()
            .remove_volume(&left[0], None::<RemoveVolumeOptions>)
            .await
    })
    .await;
    world.close().await;
}

async fn running(world: &World) -> usize {
    let mut number = 0;
    for id in world.containers().await {
        let seen = docker::client().inspect_container(&id, None).await;
        let state = seen.ok().and_then(|container| container.state);
        number += usize::from(state.and_then(|state| state.running) == Some(true));
    }
    number
}

#[tokio::test]
async fn volumes_that_cannot_be_are_refused() {
    let world = Setup::new(Runtime::Process).start().await;
    let project = world.project("keeping", "one");
    let project_id = world.create_project("keeping", project.path()).await;
    let with = |volumes: serde_json::Value| json!({"project_id": project_id, "port": free_port(), "volumes": volumes});
    for bad in [
        json!(["data"]),
        json!(["/:/a"]),
        json!(["a:/x", "b:/x"]),
        json!("data:/a"),
    ] {
        world.post("/api/v1/deploy", &with(bad)).await.expect(400);
    }
    let refused = world
        .post("/api/v1/deploy", &with(json!(["data:/data"])))
        .await
        .expect(422);
    assert_eq!(refused["code"], "VOLUMES_NEED_CONTAINERS");
    world.close().await;
}
