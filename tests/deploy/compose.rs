//! `deploy/compose.yaml`, read and obeyed here, since its own program is not part of Debian 12.

use std::{collections::HashMap, path::Path};

use bollard::models::{ContainerCreateBody, HostConfig};
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::image::{Container, image};
use crate::support::{Answer, Http, Project, docker, eventually, free_port};

const TOKEN: &str = "a-token-that-only-this-test-knows";

/// The keys that the file may use: one that this test does not know would not be tested.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Compose {
    services: HashMap<String, Service>,
    volumes: HashMap<String, Option<Value>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Service {
    image: String,
    restart: String,
    network_mode: String,
    environment: HashMap<String, String>,
    volumes: Vec<String>,
    read_only: bool,
    tmpfs: Vec<String>,
    cap_drop: Vec<String>,
    cap_add: Vec<String>,
    security_opt: Vec<String>,
    stop_grace_period: String,
}

/// The shell variables that the file refers to.
type Variables = HashMap<&'static str, String>;

fn service() -> Service {
    let mut compose: Compose = serde_saphyr::from_str(include_str!("../../deploy/compose.yaml")).unwrap();
    assert!(compose.volumes.contains_key("data"));
    compose.services.remove("borgos").unwrap()
}

/// Replaces `${NAME:-default}` and `${NAME:?message}`; the error is that message.
fn substitute(text: &str, variables: &Variables) -> Result<String, String> {
    let Some((before, rest)) = text.split_once("${") else {
        return Ok(text.to_owned());
    };
    let (reference, after) = rest.split_once('}').ok_or("an unclosed reference")?;
    let (name, otherwise) = reference.split_once(':').ok_or("a reference without a default")?;
    let value = match (variables.get(name), otherwise.split_at(1)) {
        (Some(value), _) => value.clone(),
        (None, ("-", default)) => default.to_owned(),
        (None, (_, message)) => return Err(format!("{name}: {message}")),
    };
    Ok(format!("{before}{value}{}", substitute(after, variables)?))
}

/// Says to the engine what the file says to `docker compose`. Volumes without a name become anonymous ones.
fn container(service: &Service, image: &str, variables: &Variables) -> Result<ContainerCreateBody, String> {
    let environment = service
        .environment
        .iter()
        .map(|(name, value)| Ok(format!("{name}={}", substitute(value, variables)?)));
    let volumes = service
        .volumes
        .iter()
        .map(|volume| substitute(volume, variables))
        .collect::<Result<Vec<_>, _>>()?;
    let socket = docker::host().replace("unix://", "");
    let binds = volumes.iter().filter(|volume| volume.starts_with('/')).map(|volume| {
        if volume.starts_with("/var/run/docker.sock:") {
            format!("{socket}:/var/run/docker.sock")
        } else {
            volume.clone()
        }
    });
    Ok(ContainerCreateBody {
        image: Some(image.to_owned()),
        env: Some(environment.collect::<Result<_, String>>()?),
        host_config: Some(HostConfig {
            network_mode: Some(service.network_mode.clone()),
            binds: Some(binds.collect()),
            readonly_rootfs: Some(service.read_only),
            tmpfs: Some(service.tmpfs.iter().map(|path| (path.clone(), String::new())).collect()),
            cap_drop: Some(service.cap_drop.clone()),
            cap_add: Some(service.cap_add.clone()),
            security_opt: Some(service.security_opt.clone()),
            ..HostConfig::default()
        }),
        ..ContainerCreateBody::default()
    })
}

fn variables(port: u16, projects: &Path) -> Variables {
    HashMap::from([
        ("BORGOS_TOKEN", TOKEN.to_owned()),
        ("BORGOS_LISTEN", format!("0.0.0.0:{port}")),
        ("BORGOS_PROJECTS", projects.display().to_string()),
    ])
}

#[test]
fn compose_requires_a_token() {
    let refused = container(&service(), "any", &HashMap::new()).unwrap_err();
    assert!(refused.starts_with("BORGOS_TOKEN"), "{refused}");
}

#[test]
fn compose_restarts_the_image_that_the_script_makes_and_gives_it_time_to_stop() {
    let service = service();
    assert_eq!(service.image, "borgos:latest");
    assert_eq!(service.restart, "unless-stopped");
    let grace: u64 = service.stop_grace_period.strip_suffix('s').unwrap().parse().unwrap();
    assert!(grace > 10, "less than a graceful stop may take");
}

#[tokio::test]
async fn a_composed_borgos_deploys_a_project_for_those_who_have_the_token() {
    let projects = tempfile::tempdir().unwrap();
    docker::base_image().await;
    let project = Project::write(projects.path(), "composed", "one");
    let port = free_port();
    let body = container(&service(), image().await, &variables(port, projects.path())).unwrap();
    let borgos = Container::start(body).await;
    let base_url = format!("http://127.0.0.1:{port}");
    let stranger = Http::new(&base_url, None);
    eventually("the composed server is well", async || {
        match stranger.try_send(Method::GET, "/health", None).await {
            Ok(Answer { status: 200, .. }) => Ok(()),
            other => Err((other, borgos.output().await)),
        }
    })
    .await;
    stranger.get("/api/v1/projects").await.expect(401);
    deploy(&Http::new(&base_url, Some(TOKEN)), &project).await;
    borgos.remove().await;
}

/// Deploys the project, waits for its answer and deletes the deployment.
async fn deploy(owner: &Http, project: &Project) {
    let created = owner
        .post("/api/v1/projects", &json!({"name": "composed", "path": project.path()}))
        .await
        .expect(201);
    let port = free_port();
    let wanted = json!({"project_id": created["id"], "name": "composed", "port": port});
    let deployment = owner.post("/api/v1/deploy", &wanted).await.expect(201);
    let app = Http::new(&format!("http://127.0.0.1:{port}"), None);
    eventually("the deployed project answers", async || {
        match app.try_send(Method::GET, "/", None).await {
            Ok(answer) if answer.text == "one" => Ok(()),
            other => Err((other, owner.get("/api/v1/deployments").await.json)),
        }
    })
    .await;
    let path = format!("/api/v1/deployments/{}", deployment["id"]);
    let deleted = owner.delete(&path).await;
    assert!(deleted.status < 300, "{deleted:?}");
    eventually("the deployed project is gone", async || {
        match app.try_send(Method::GET, "/", None).await {
            Ok(answer) => Err(answer),
            Err(_) => Ok(()),
        }
    })
    .await;
}
