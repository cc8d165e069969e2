//! What only an engine can show: builds, images, and containers that are not ours.

use std::{collections::HashMap, fs, path::Path};

use bollard::{
    models::ContainerCreateBody,
    query_parameters::{
        CreateContainerOptionsBuilder, ListContainersOptionsBuilder, RemoveContainerOptionsBuilder,
        RemoveImageOptionsBuilder,
    },
};
use borgos_actors::{
    runtime::{
        Artifact, BuildLog, Built, Change, Error, InstanceSpec, InstanceState, Kind, Runtime, Source, Wanted,
        docker::Docker,
    },
    value::{CpuLimit, ImageRef, MemoryLimit, Secrets},
};
use futures_util::StreamExt;
use tokio::{
    net::{UnixListener, UnixStream},
    task::JoinSet,
    time::timeout,
};
use uuid::Uuid;

use super::fixture::{self, Fixture};
use crate::support::{docker, eventually};

/// Builds what is in the fixture's directory.
async fn build(fixture: &Fixture, log: BuildLog<'_>) -> Result<Artifact, Error> {
    docker::base_image().await;
    let source = Source::Dockerfile {
        context: fixture.path().to_owned(),
    };
    fixture
        .runtime
        .prepare(fixture.deployment, 2, &source, &Secrets::default(), log)
        .await
}

fn write(fixture: &Fixture, path: &str, content: &str) {
    let path = fixture.path().join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

async fn remove_image(artifact: &Artifact) {
    let Artifact::Image { id, .. } = artifact else {
        panic!("{artifact:?}")
    };
    let options = RemoveImageOptionsBuilder::default().force(true).build();
    docker::client().remove_image(id, Some(options), None).await.unwrap();
}

async fn remove_container(id: &str) {
    let options = RemoveContainerOptionsBuilder::default().force(true).build();
    docker::client().remove_container(id, Some(options)).await.unwrap();
}

#[tokio::test]
async fn a_build_sends_what_dockerignore_leaves_and_names_the_image() {
    fixture::run(Kind::Docker, async |fixture| {
        write(
            fixture,
            "Dockerfile",
            "FROM borgos-test-base:1\nCOPY . /app\nRUN busybox find /app\nEXPOSE 9000 7000\n",
        );
        write(fixture, ".dockerignore", "*\n!kept\nkept/secret\nDockerfile\n");
        for path in ["dropped", "kept/file", "kept/secret"] {
            write(fixture, path, "x");
        }
        std::os::unix::fs::symlink("/etc/hostname", fixture.path().join("kept/link")).unwrap();
        let mut lines = Vec::new();
        let artifact = build(fixture, &mut |line| lines.push(line.to_owned())).await.unwrap();
        assert!(matches!(&artifact, Artifact::Image { id, exposed_port: Some(7000) } if id.starts_with("sha256:")));
        for sent in ["/app/kept/file", "/app/kept/link"] {
            assert!(lines.iter().any(|line| line == sent), "{sent}: {lines:#?}");
        }
        for ignored in ["dropped", "secret"] {
            assert!(
                !lines.iter().any(|line| line.ends_with(ignored)),
                "{ignored}: {lines:#?}"
            );
        }
        let tag = format!(
            "borgos/{}-{}:2",
            &fixture.instance.simple().to_string()[..8],
            fixture.deployment
        );
        let image = docker::client().inspect_image(&tag).await.unwrap();
        let labels = image.config.unwrap().labels.unwrap();
        assert_eq!(labels["borgos.instance"], fixture.instance.to_string());
        remove_image(&artifact).await;
    })
    .await;
}

#[tokio::test]
async fn a_failed_build_says_what_the_builder_said() {
    fixture::run(Kind::Docker, async |fixture| {
        let broken = [
            (
                "FROM borgos-test-base:1\nRUN echo before && busybox false\n",
                "returned a non-zero code: 1",
                "before",
            ),
            ("FROM borgos-test-base:1\nCOPY missing /\n", "missing", "FROM"),
            ("NONSENSE\n", "NONSENSE", ""),
            ("", "empty", ""),
        ];
        for (dockerfile, reason, line) in broken {
            write(fixture, "Dockerfile", dockerfile);
            match build(fixture, &mut |_| {}).await {
                Err(Error::BuildFailed { message, log }) => {
                    assert!(message.contains(reason), "{message}");
                    assert!(log.concat().contains(line), "{log:?}");
                }
                other => panic!("{dockerfile}: {other:?}"),
            }
        }
        write(fixture, ".dockerignore", "[a\n");
        let failure = build(fixture, &mut |_| {}).await.unwrap_err();
        assert!(
            matches!(&failure, Error::BuildFailed { message, .. } if message.contains("line 1")),
            "{failure:?}"
        );
    })
    .await;
}

/// Returns the running containers whose command contains a text.
async fn running(text: &str) -> Vec<String> {
    let listed = docker::client().list_containers(None).await.unwrap();
    let commands = listed.into_iter().filter_map(|container| container.command);
    commands.filter(|command| command.contains(text)).collect()
}

#[tokio::test]
async fn a_build_that_nobody_waits_for_any_more_is_ended() {
    fixture::run(Kind::Docker, async |fixture| {
        // No other test has this number of seconds.
        let step = format!("sleep {}", 80_000 + u32::from(fixture.port.get()));
        write(fixture, "Dockerfile", &format!("FROM borgos-test-base:1\nRUN {step}\n"));
        let mut log = |_: &str| {};
        let mut building = Box::pin(build(fixture, &mut log));
        eventually("the build runs", async || {
            if let Ok(outcome) = timeout(std::time::Duration::from_millis(50), &mut building).await {
                panic!("{outcome:?}");
            }
            if running(&step).await.is_empty() {
                Err("not yet")
            } else {
                Ok(())
            }
        })
        .await;
        drop(building);
        eventually("the build has ended", async || match running(&step).await {
            left if left.is_empty() => Ok(()),
            left => Err(left),
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn an_image_is_found_by_its_id_or_said_to_be_unavailable() {
    fixture::run(Kind::Docker, async |fixture| {
        let prepare = async |name: &str| {
            let wanted = Wanted {
                directory: "/no/such/directory".into(),
                image: Some(ImageRef::try_from(name.to_owned()).unwrap()),
                command: None,
            };
            let plan = fixture.runtime.plan(&wanted).await.unwrap();
            fixture
                .runtime
                .prepare(
                    fixture.deployment,
                    1,
                    plan.source().unwrap(),
                    &Secrets::default(),
                    &mut |_| {},
                )
                .await
        };
        let found = prepare(docker::base_image().await).await.unwrap();
        assert!(
            matches!(&found, Artifact::Image { id, exposed_port: None } if id.starts_with("sha256:")),
            "{found:?}"
        );
        // Nobody listens there.
        let missing = prepare("127.0.0.1:1/none").await.unwrap_err();
        assert!(
            matches!(&missing, Error::ImageUnavailable { image, .. } if image == "127.0.0.1:1/none"),
            "{missing:?}"
        );

        let mut spec = fixture.spec(&[]).await;
        spec.artifact = Artifact::Image {
            id: format!("sha256:{}", "0".repeat(64)),
            exposed_port: None,
        };
        let gone = fixture.runtime.start(&spec).await.unwrap_err();
        assert!(matches!(gone, Error::ImageUnavailable { .. }), "{gone:?}");
    })
    .await;
}

#[tokio::test]
async fn a_container_has_no_more_rights_and_means_than_it_needs() {
    fixture::run(Kind::Docker, async |fixture| {
        let mut spec = fixture.spec(&[]).await;
        spec.cpu_limit = Some(CpuLimit::try_from("0.5".to_owned()).unwrap());
        spec.memory_limit = Some(MemoryLimit::try_from("64m".to_owned()).unwrap());
        let instance = fixture.runtime.start(&spec).await.unwrap();
        fixture.served_environment().await;
        let host = docker::client()
            .inspect_container(&instance.0, None)
            .await
            .unwrap()
            .host_config
            .unwrap();
        assert_eq!(
            (host.nano_cpus, host.memory, host.memory_swap),
            (Some(500_000_000), Some(64 << 20), Some(64 << 20))
        );
        assert_eq!(host.cap_drop, Some(vec!["ALL".to_owned()]));
        assert!(
            !host
                .cap_add
                .unwrap()
                .iter()
                .any(|capability| capability.contains("NET_RAW"))
        );
        assert_eq!(host.security_opt, Some(vec!["no-new-privileges".to_owned()]));
        assert_eq!((host.init, host.pids_limit), (Some(true), Some(2048)));
    })
    .await;
}

#[tokio::test]
async fn a_removal_from_outside_is_seen_and_hinted_at() {
    fixture::run(Kind::Docker, async |fixture| {
        let mut changes = fixture.runtime.changes();
        assert_eq!(changes.next().await, Some(Change::Everything));
        let instance = fixture.runtime.start(&fixture.spec(&[]).await).await.unwrap();
        remove_container(&instance.0).await;
        eventually("the removal is seen after a hint", async || {
            assert_eq!(changes.next().await, Some(Change::Deployment(fixture.deployment)));
            match fixture.runtime.list().await.unwrap() {
                left if left.is_empty() => Ok(()),
                left => Err(left),
            }
        })
        .await;
    })
    .await;
}

/// Creates a container that runs nothing, with the name that our container of the deployment has.
async fn create(fixture: &Fixture, labels: HashMap<String, String>) -> String {
    let name = format!(
        "borgos-{}-{}-1",
        &fixture.instance.simple().to_string()[..8],
        fixture.deployment
    );
    let body = ContainerCreateBody {
        image: Some(docker::base_image().await.to_owned()),
        cmd: Some(vec!["sleep".to_owned(), "86399".to_owned()]),
        labels: Some(labels),
        ..Default::default()
    };
    let options = CreateContainerOptionsBuilder::default().name(&name).build();
    docker::client().create_container(Some(options), body).await.unwrap().id
}

#[tokio::test]
async fn a_container_that_was_never_started_is_seen_and_replaced() {
    fixture::run(Kind::Docker, async |fixture| {
        let labels = [
            ("borgos.instance", fixture.instance.to_string()),
            ("borgos.deployment", fixture.deployment.to_string()),
            ("borgos.release", "4".to_owned()),
            ("borgos.generation", "1".to_owned()),
        ];
        let id = create(fixture, labels.map(|(name, value)| (name.to_owned(), value)).into()).await;
        let seen = fixture.the_instance().await;
        assert_eq!((seen.instance.0, seen.state), (id, InstanceState::Created));
        let started = fixture.runtime.start(&fixture.spec(&[]).await).await.unwrap();
        assert_eq!(fixture.the_instance().await.instance, started);
        fixture.served_environment().await;
    })
    .await;
}

#[tokio::test]
async fn a_strangers_container_keeps_its_name() {
    fixture::run(Kind::Docker, async |fixture| {
        let id = create(fixture, HashMap::new()).await;
        let refusal = fixture.runtime.start(&fixture.spec(&[]).await).await.unwrap_err();
        assert!(
            matches!(&refusal, Error::Refused(text) if text.contains("exists already")),
            "{refusal:?}"
        );
        let options = ListContainersOptionsBuilder::default().all(true).build();
        let listed = docker::client().list_containers(Some(options)).await.unwrap();
        assert!(listed.iter().any(|container| container.id.as_ref() == Some(&id)));
        remove_container(&id).await;
    })
    .await;
}

#[tokio::test]
async fn a_project_without_a_dockerfile_is_told_what_is_missing() {
    let runtime = Docker::connect_to("unix:///no/such/docker.sock", Uuid::new_v4()).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let command = Some(fixture::app_command(&["serve"]));
    let mut wanted = Wanted {
        directory: directory.path().to_owned(),
        image: None,
        command,
    };
    let advice = runtime.plan(&wanted).await.unwrap_err();
    assert!(
        matches!(&advice, Error::NothingToDeploy(text) if text.contains("Dockerfile")),
        "{advice:?}"
    );
    fs::write(directory.path().join("Dockerfile"), "FROM scratch").unwrap();
    let plan = runtime.plan(&wanted).await.unwrap();
    assert!(matches!(plan.source(), Ok(Source::Dockerfile { .. })), "{plan:?}");
    wanted.image = Some(ImageRef::try_from("app:1".to_owned()).unwrap());
    let plan = runtime.plan(&wanted).await.unwrap();
    assert!(matches!(plan.source(), Ok(Source::Image(_))), "{plan:?}");
}

/// Forwards connections from a socket of our own to the engine, until dropped: an engine that can be taken away.
fn forward(socket: &Path) -> JoinSet<()> {
    let listener = UnixListener::bind(socket).unwrap();
    let engine = docker::host().trim_start_matches("unix://").to_owned();
    let mut forwarding = JoinSet::new();
    forwarding.spawn(async move {
        let mut connections = JoinSet::new();
        while let Ok((mut client, _)) = listener.accept().await {
            let mut server = UnixStream::connect(&engine).await.unwrap();
            connections.spawn(async move { tokio::io::copy_bidirectional(&mut client, &mut server).await });
        }
    });
    forwarding
}

#[tokio::test]
async fn an_engine_that_goes_away_is_unreachable_and_watched_again_when_it_is_back() {
    fixture::run(Kind::Docker, async |fixture| {
        let socket = fixture.path().join("engine.sock");
        let runtime = Docker::connect_to(&format!("unix://{}", socket.display()), fixture.instance).unwrap();
        assert!(matches!(runtime.ping().await, Err(Error::Unreachable(_))));
        let mut changes = runtime.changes();
        let engine = forward(&socket);
        assert_eq!(changes.next().await, Some(Change::Everything));
        assert!(runtime.ping().await.unwrap().starts_with("Docker "));
        fixture.runtime.start(&fixture.spec(&[]).await).await.unwrap();
        assert_eq!(changes.next().await, Some(Change::Deployment(fixture.deployment)));

        drop(engine);
        fs::remove_file(&socket).unwrap();
        assert!(matches!(runtime.list().await, Err(Error::Unreachable(_))));
        let _engine = forward(&socket);
        assert_eq!(changes.next().await, Some(Change::Everything));
        assert_eq!(runtime.list().await.unwrap().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn what_was_built_is_found_and_discarded_unless_it_is_used() {
    fixture::run(Kind::Docker, async |fixture| {
        docker::base_image().await;
        let artifact = fixture.prepare(None).await;
        let built = Built {
            deployment: fixture.deployment,
            release: 1,
        };
        assert_eq!(fixture.runtime.built().await.unwrap(), [built]);
        let spec = InstanceSpec {
            artifact,
            ..fixture.spec(&[]).await
        };
        let instance = fixture.runtime.start(&spec).await.unwrap();
        let refusal = fixture.runtime.discard(built).await.unwrap_err();
        assert!(matches!(refusal, Error::Refused(_)), "{refusal:?}");
        fixture.runtime.remove(&instance).await.unwrap();
        fixture.runtime.discard(built).await.unwrap();
        assert_eq!(fixture.runtime.built().await.unwrap(), []);
        fixture.runtime.discard(built).await.unwrap();
    })
    .await;
}
