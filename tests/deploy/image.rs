//! The image that `deploy/image` makes.

use std::time::Duration;

use bollard::{
    models::ContainerCreateBody,
    query_parameters::{
        CreateContainerOptions, LogsOptionsBuilder, RemoveContainerOptionsBuilder, StartContainerOptions,
        WaitContainerOptions,
    },
};
use futures_util::{StreamExt, TryStreamExt};
use tokio::{process::Command, sync::OnceCell, time::timeout};

use crate::support::docker;

const IMAGE: &str = "borgos-test:1";
const EXIT_TIMEOUT: Duration = Duration::from_secs(30);

/// Builds the image from the program under test, once however many tests ask at the same time.
pub(super) async fn image() -> &'static str {
    static BUILT: OnceCell<()> = OnceCell::const_new();
    BUILT.get_or_init(build).await;
    IMAGE
}

async fn build() {
    let output = Command::new("deploy/image")
        .args([env!("CARGO_BIN_EXE_borgos"), IMAGE])
        .env("DOCKER_HOST", docker::host())
        .output()
        .await
        .expect("the script can be started");
    assert!(
        output.status.success(),
        "no image: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// A container of the image.
pub(super) struct Container {
    docker: bollard::Docker,
    id: String,
}

impl Container {
    pub(super) async fn start(body: ContainerCreateBody) -> Self {
        let docker = docker::client();
        let created = docker
            .create_container(None::<CreateContainerOptions>, body)
            .await
            .expect("a container");
        docker
            .start_container(&created.id, None::<StartContainerOptions>)
            .await
            .expect("the program starts");
        Self { docker, id: created.id }
    }

    /// Waits for its end and returns the exit code.
    pub(super) async fn exit_code(&self) -> i64 {
        let mut wait = self.docker.wait_container(&self.id, None::<WaitContainerOptions>);
        match timeout(EXIT_TIMEOUT, wait.next())
            .await
            .expect("it ends")
            .expect("an answer")
        {
            Ok(response) => response.status_code,
            Err(bollard::errors::Error::DockerContainerWaitError { code, .. }) => code,
            Err(error) => panic!("the engine does not say how it ended: {error}"),
        }
    }

    /// Returns everything it has written.
    pub(super) async fn output(&self) -> String {
        let options = LogsOptionsBuilder::default().stdout(true).stderr(true).build();
        let chunks: Vec<_> = self
            .docker
            .logs(&self.id, Some(options))
            .try_collect()
            .await
            .expect("a log");
        chunks.iter().map(ToString::to_string).collect()
    }

    pub(super) async fn remove(self) {
        let options = RemoveContainerOptionsBuilder::default().force(true).v(true).build();
        self.docker
            .remove_container(&self.id, Some(options))
            .await
            .expect("a container can be removed");
    }
}

#[tokio::test]
async fn the_image_runs_the_program() {
    let version = ContainerCreateBody {
        image: Some(image().await.to_owned()),
        cmd: Some(vec!["--version".to_owned()]),
        ..ContainerCreateBody::default()
    };
    let container = Container::start(version).await;
    assert_eq!(container.exit_code().await, 0);
    assert_eq!(
        container.output().await.trim(),
        concat!("borgos ", env!("CARGO_PKG_VERSION"))
    );
    container.remove().await;
}

#[tokio::test]
async fn the_image_refuses_to_serve_the_network_without_a_token() {
    let body = ContainerCreateBody {
        image: Some(image().await.to_owned()),
        ..ContainerCreateBody::default()
    };
    let container = Container::start(body).await;
    assert_ne!(container.exit_code().await, 0);
    let output = container.output().await;
    assert!(output.contains("BORGOS_TOKEN"), "does not say what to do: {output}");
    container.remove().await;
}
