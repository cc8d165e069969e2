//! What BorgOS did not start it does not touch.

use std::collections::HashMap;

use bollard::{
    Docker,
    models::ContainerCreateBody,
    query_parameters::{CreateContainerOptionsBuilder, RemoveContainerOptionsBuilder, StartContainerOptions},
};
use serde_json::json;
use tokio::process::Command;
use uuid::Uuid;

use super::scene::{Deployed, project};
use crate::support::{Runtime, Setup, docker, eventually};

/// A container that somebody else started.
struct Stranger {
    docker: Docker,
    id: String,
    started_at: Option<String>,
}

impl Stranger {
    async fn start(name: Option<&str>, labels: &[(&str, &str)]) -> Self {
        let docker = docker::client();
        let body = ContainerCreateBody {
            image: Some(docker::base_image().await.to_owned()),
            cmd: Some(["busybox", "sleep", "600"].map(str::to_owned).to_vec()),
            labels: Some(HashMap::from_iter(
                labels
                    .iter()
                    .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
            )),
            ..Default::default()
        };
        let options = name.map(|name| CreateContainerOptionsBuilder::default().name(name).build());
        let id = docker.create_container(options, body).await.unwrap().id;
        docker
            .start_container(&id, None::<StartContainerOptions>)
            .await
            .unwrap();
        let mut stranger = Self {
            docker,
            id,
            started_at: None,
        };
        stranger.started_at = stranger.state().await;
        stranger
    }

    /// Returns since when it runs, if it does.
    async fn state(&self) -> Option<String> {
        let state = self.docker.inspect_container(&self.id, None).await.ok()?.state?;
        state.started_at.filter(|_| state.running == Some(true))
    }

    /// Fails unless it ran all the time, and ends it.
    async fn assert_untouched(self) {
        assert!(self.started_at.is_some());
        assert_eq!(self.state().await, self.started_at);
        let options = RemoveContainerOptionsBuilder::default().force(true).build();
        self.docker.remove_container(&self.id, Some(options)).await.unwrap();
    }
}

#[tokio::test]
async fn containers_and_processes_of_others_are_left_alone() {
    let mut world = Setup::new(Runtime::Docker).start().await;
    let instance = world.instance().await;
    let another = Uuid::new_v4().to_string();
    let numbers = [
        ("borgos.deployment", "1"),
        ("borgos.release", "1"),
        ("borgos.generation", "0"),
    ];
    let strangers = [
        Stranger::start(None, &[]).await,
        Stranger::start(None, &[&[("borgos.instance", another.as_str())], &numbers[..]].concat()).await,
        // Has our instance, yet none of what every container of ours has beside it.
        Stranger::start(None, &[("borgos.instance", &instance)]).await,
    ];
    let deployed = Deployed::running(&world, "mine").await;
    world
        .post(&format!("{}/restart", deployed.path()), &json!({}))
        .await
        .expect(200);
    world.kill_9().await;
    world.boot().await;
    deployed.is_truly_running(&world).await;
    world
        .post(&format!("{}/stop", deployed.path()), &json!({}))
        .await
        .expect(200);
    world.delete(&deployed.path()).await.expect(200);
    for stranger in strangers {
        stranger.assert_untouched().await;
    }
    world.close().await;
}

#[tokio::test]
async fn a_process_of_another_is_left_alone() {
    let mut world = Setup::new(Runtime::Process).start().await;
    let project = project(&world, "mine", "0");
    let mut stranger = Command::new("sleep")
        .arg("600")
        .current_dir(project.path())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let project_id = world.create_project("mine", project.path()).await;
    let deployed = Deployed::begin(&world, project_id, "mine", &json!({})).await;
    world.deployment_is(deployed.id, "running").await;
    world.kill_9().await;
    world.boot().await;
    world
        .post(&format!("{}/restart", deployed.path()), &json!({}))
        .await
        .expect(200);
    world.delete(&deployed.path()).await.expect(200);
    assert_eq!(stranger.try_wait().unwrap(), None, "it was ended");
    stranger.kill().await.unwrap();
    world.close().await;
}

#[tokio::test]
async fn a_name_that_another_has_taken_is_a_failure_and_no_reason_to_take_it_back() {
    let world = Setup::new(Runtime::Docker).start().await;
    let project = project(&world, "mine", "0");
    let project_id = world.create_project("mine", project.path()).await;
    let short: String = world.instance().await.chars().take(8).collect();
    let stranger = Stranger::start(Some(&format!("borgos-{short}-1-1")), &[]).await;
    let deployed = Deployed::begin(&world, project_id, "mine", &json!({})).await;
    assert_eq!(deployed.id, 1);
    let row = eventually("the deployment has failed", async || {
        let row = deployed.row(&world).await;
        if row["status"] == "failed" { Ok(row) } else { Err(row) }
    })
    .await;
    let reason = row["reason"].as_str().unwrap_or_default();
    assert!(reason.contains("exists already"), "{row}");
    stranger.assert_untouched().await;
    world
        .post(&format!("{}/restart", deployed.path()), &json!({}))
        .await
        .expect(200);
    deployed.is_truly_running(&world).await;
    world.close().await;
}

/// Its deployment may be about to be committed, so it is looked at for a minute before it is removed.
#[tokio::test]
async fn an_instance_without_a_deployment_is_not_removed_at_once() {
    let mut world = Setup::new(Runtime::Docker).start().await;
    let instance = world.instance().await;
    let labels = [
        ("borgos.instance", instance.as_str()),
        ("borgos.deployment", "4711"),
        ("borgos.release", "1"),
        ("borgos.generation", "1"),
    ];
    let orphan = Stranger::start(None, &labels).await;
    world.restart().await;
    // The first sweep is over when what came after it is.
    let deployed = Deployed::running(&world, "mine").await;
    world
        .post(&format!("{}/restart", deployed.path()), &json!({}))
        .await
        .expect(200);
    orphan.assert_untouched().await;
    world.close().await;
}
