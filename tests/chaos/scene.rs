//! A deployed project, and what is really there of it.

use std::time::Duration;

use bollard::{
    models::{ContainerInspectResponse, ContainerStateStatusEnum},
    query_parameters::ListContainersOptionsBuilder,
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Http, Project, Runtime, World, docker, eventually_within, free_port};

/// After a start, an outage or a fault, no status may be a guess for longer.
pub(super) const TRUTH_TIMEOUT: Duration = Duration::from_secs(10);

/// The web server of process deployments: it keeps connections open, and says what it does.
const SERVER: &str = r#"import functools, http.server, os, sys

class Handler(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

print("serving", file=sys.stderr, flush=True)
handler = functools.partial(Handler, directory="www")
http.server.ThreadingHTTPServer(("", int(os.environ["PORT"])), handler).serve_forever()
"#;

/// Writes a project whose web server says `serving` first. Its image takes `build_seconds` to build.
pub(super) fn project(world: &World, name: &str, build_seconds: &str) -> Project {
    let project = world.project(name, name);
    let dockerfile = format!(
        "FROM {}\nCOPY www /www\nRUN sleep {build_seconds}\nEXPOSE 8080\n\
         CMD [\"sh\", \"-c\", \"echo serving; exec httpd -f -p 8080 -h /www\"]\n",
        docker::BASE_IMAGE
    );
    project.write_file("Dockerfile", &dockerfile);
    project.write_file("server.py", SERVER);
    project
}

/// A deployment of a world.
#[derive(Debug)]
pub(super) struct Deployed {
    pub(super) id: i64,
    pub(super) port: u16,
    app: Http,
}

impl Deployed {
    /// Requests the deployment of a project, with `more` in the request, and does not wait for it.
    pub(super) async fn begin(world: &World, project_id: i64, name: &str, more: &Value) -> Self {
        let port = free_port();
        let mut wanted = json!({"project_id": project_id, "name": name, "port": port});
        for (field, value) in more.as_object().into_iter().flatten() {
            wanted[field] = value.clone();
        }
        let created = world.post("/api/v1/deploy", &wanted).await.expect(201);
        Self {
            id: created["id"].as_i64().expect("a created deployment has an id"),
            port,
            app: Http::new(&format!("http://127.0.0.1:{port}"), None),
        }
    }

    /// Deploys a fresh project and returns once it runs.
    pub(super) async fn running(world: &World, name: &str) -> Self {
        let project = project(world, name, "0");
        let project_id = world.create_project(name, project.path()).await;
        let deployed = Self::begin(world, project_id, name, &json!({})).await;
        world.deployment_is(deployed.id, "running").await;
        deployed
    }

    pub(super) fn path(&self) -> String {
        format!("/api/v1/deployments/{}", self.id)
    }

    /// Returns what BorgOS says.
    pub(super) async fn row(&self, world: &World) -> Value {
        world.get(&self.path()).await.expect(200)
    }

    /// Returns its actor.
    pub(super) async fn actor(&self, world: &World) -> Value {
        let path = format!("/api/v1/actors/deployment/{}", self.id);
        world.get(&path).await.expect(200)
    }

    /// Fails unless the program answers now.
    pub(super) async fn assert_answers(&self) {
        assert_eq!(self.app.get("/health").await.text, "ok");
    }

    /// Waits until BorgOS says that it runs, what runs says the same, and it answers.
    pub(super) async fn is_truly_running(&self, world: &World) -> Value {
        let what = format!("deployment {} truly runs", self.id);
        eventually_within(TRUTH_TIMEOUT, &what, async || {
            let row = self.row(world).await;
            let there = self.really_there(world).await;
            let answer = self.app.try_send(Method::GET, "/health", None).await;
            let is_answering = matches!(&answer, Ok(answer) if answer.text == "ok");
            if row["status"] == "running" && is_answering && is_one_and_running(&row, &there) {
                Ok(row)
            } else {
                Err((row, there, answer))
            }
        })
        .await
    }

    /// Returns what runs of it, whatever BorgOS says: containers, or processes.
    pub(super) async fn really_there(&self, world: &World) -> Vec<Instance> {
        match world.runtime() {
            Runtime::Docker => self.containers(world).await.into_iter().map(Instance::from).collect(),
            Runtime::Process => processes(world),
        }
    }

    /// Returns its containers, running or not.
    pub(super) async fn containers(&self, world: &World) -> Vec<ContainerInspectResponse> {
        containers(&world.instance().await, self.id).await
    }

    /// Returns the id of its one container.
    pub(super) async fn container_id(&self, world: &World) -> String {
        let mut containers = self.containers(world).await;
        assert_eq!(containers.len(), 1, "{containers:?}");
        containers.remove(0).id.expect("a container has an id")
    }
}

/// Something that runs, by the name that the engine or the kernel gave it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Instance {
    pub(super) role: &'static str,
    pub(super) id: String,
}

impl From<ContainerInspectResponse> for Instance {
    fn from(container: ContainerInspectResponse) -> Self {
        let status = container.state.and_then(|state| state.status);
        Self {
            role: if status == Some(ContainerStateStatusEnum::RUNNING) {
                "running"
            } else {
                "not running"
            },
            id: container.id.unwrap_or_default(),
        }
    }
}

fn is_one_and_running(row: &Value, there: &[Instance]) -> bool {
    match (there, row["container_id"].as_str()) {
        ([one], Some(id)) => one.role == "running" && one.id.starts_with(id),
        ([one, another], None) => (one.role, another.role) == ("app", "keeper"),
        _ => false,
    }
}

fn processes(world: &World) -> Vec<Instance> {
    let found = world.deployed_processes().into_iter().map(|(pid, command)| Instance {
        role: match command {
            command if command.contains("server.py") => "app",
            command if command.contains(" keeper ") => "keeper",
            _ => "other",
        },
        id: pid.as_raw_nonzero().to_string(),
    });
    let mut found: Vec<Instance> = found.collect();
    found.sort();
    found
}

/// Returns the containers with these labels, running or not.
pub(super) async fn containers(instance: &str, deployment: i64) -> Vec<ContainerInspectResponse> {
    let docker = docker::client();
    let labels = vec![
        format!("borgos.instance={instance}"),
        format!("borgos.deployment={deployment}"),
    ];
    let options = ListContainersOptionsBuilder::default()
        .all(true)
        .filters(&[("label", labels)].into())
        .build();
    let listed = docker.list_containers(Some(options)).await;
    let mut found = Vec::new();
    for container in listed.expect("the engine lists containers") {
        let id = container.id.expect("a container has an id");
        // One that was removed since is none.
        found.extend(docker.inspect_container(&id, None).await.ok());
    }
    found
}
