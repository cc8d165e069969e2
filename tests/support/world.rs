//! A world of its own for each test: one server, one data directory, one database, its own ports and projects.

use std::{
    fs,
    ops::Deref,
    path::{Path, PathBuf},
};

use rustix::process::{Pid, Signal, kill_process};
use sea_orm::DatabaseConnection;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::Command;

use super::{
    Answer, Http, Project, Socket,
    database::{Backend, TestDatabase, postgres_address},
    docker, eventually, free_port, leftovers,
    postgres::Postgres,
    server::{Server, program},
};

/// Which runtime the deployments of a world use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Runtime {
    /// The engine that `tests/run` started.
    Docker,
    /// Plain processes, on a machine where no engine answers.
    Process,
}

/// How a world is made. The default has no rate limit, no token, and writes a verbose log.
#[derive(Debug, Clone)]
pub(crate) struct Setup {
    runtime: Runtime,
    backend: Backend,
    /// Where the server finds PostgreSQL, if not at its own address.
    postgres_address: Option<String>,
    /// The server on which its database is made, if not that of `tests/run`.
    postgres_server: Option<String>,
    token: Option<String>,
    variables: Vec<(String, String)>,
    /// What `borgos.toml` in the data directory says, if it is there.
    config: Option<String>,
}

impl Setup {
    /// A world with this runtime, on SQLite.
    pub(crate) fn new(runtime: Runtime) -> Self {
        Self {
            runtime,
            backend: Backend::Sqlite,
            postgres_address: None,
            postgres_server: None,
            token: None,
            variables: Vec::new(),
            config: None,
        }
    }

    /// Uses this database instead.
    pub(crate) fn backend(mut self, backend: Backend) -> Self {
        self.backend = backend;
        self
    }

    /// Uses PostgreSQL, which the server reaches through this address, such as that of a proxy.
    pub(crate) fn postgres_through(mut self, address: &str) -> Self {
        self.postgres_address = Some(address.to_owned());
        self.backend(Backend::Postgres)
    }

    /// Uses a database on a server of the test's own.
    pub(crate) fn postgres_on(mut self, server: &Postgres) -> Self {
        self.postgres_server = Some(server.url());
        self.backend(Backend::Postgres)
    }

    /// Requires a token; the world's own clients send it.
    pub(crate) fn token(mut self, token: &str) -> Self {
        self.token = Some(token.to_owned());
        self.variable("BORGOS_TOKEN", token)
    }

    /// Sets a variable of the server, over what the world would set.
    pub(crate) fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Writes a `borgos.toml` into the data directory.
    pub(crate) fn config(mut self, text: &str) -> Self {
        self.config = Some(text.to_owned());
        self
    }

    /// Starts the world.
    pub(crate) async fn start(self) -> World {
        World::start(self).await
    }
}

/// A running BorgOS with everything that belongs to it. Its HTTP methods are those of [`Http`].
///
/// End it with [`World::close`], which checks that nothing is left over; a world that is only dropped fails the test.
#[derive(Debug)]
pub(crate) struct World {
    root: TempDir,
    setup: Setup,
    port: u16,
    http: Http,
    database: TestDatabase,
    server: Option<Server>,
    is_closed: bool,
}

impl Deref for World {
    type Target = Http;

    fn deref(&self) -> &Http {
        &self.http
    }
}

impl World {
    async fn start(setup: Setup) -> Self {
        let root = TempDir::with_prefix("borgos-world-").expect("a temporary directory");
        for directory in ["data", "projects"] {
            fs::create_dir(root.path().join(directory)).expect("a directory can be made");
        }
        if let Some(text) = &setup.config {
            fs::write(root.path().join("data/borgos.toml"), text).expect("a file can be written");
        }
        if setup.runtime == Runtime::Docker {
            docker::base_image().await;
        }
        let server = setup.postgres_server.as_deref();
        let database = TestDatabase::create(setup.backend, &root.path().join("data"), server).await;
        let port = free_port();
        let http = Http::new(&format!("http://127.0.0.1:{port}"), setup.token.as_deref());
        let database = database.expect("a database can be made");
        let mut world = Self {
            root,
            setup,
            port,
            http,
            database,
            server: None,
            is_closed: false,
        };
        world.boot().await;
        world
    }

    /// Starts the server on what is there, after [`World::kill_9`] or [`World::terminate`], and waits until it is well.
    pub(crate) async fn boot(&mut self) {
        let server = self
            .server
            .insert(Server::spawn(self.command(), &self.root.path().join("server.log")));
        let http = self.http.clone();
        eventually("the server is well", async || {
            server.assert_alive();
            match http.try_send(reqwest::Method::GET, "/health", None).await {
                Ok(Answer { status: 200, .. }) => Ok(()),
                other => Err(other),
            }
        })
        .await;
    }

    /// The command that [`World::boot`] runs: the program with the environment of this world.
    pub(crate) fn command(&self) -> Command {
        let mut command = program();
        command
            .env("BORGOS_LISTEN", format!("127.0.0.1:{}", self.port))
            .env("BORGOS_DATA_DIR", self.data_dir())
            .env("BORGOS_RATE_LIMIT", "off")
            .env("BORGOS_LOG", "info,borgos=debug,borgos_actors=debug");
        match self.setup.runtime {
            Runtime::Docker => command
                .env("BORGOS_RUNTIME", "docker")
                .env("DOCKER_HOST", docker::host()),
            Runtime::Process => {
                let nobody = self.root.path().join("no-engine.sock");
                command
                    .env("BORGOS_RUNTIME", "process")
                    .env("DOCKER_HOST", format!("unix://{}", nobody.display()))
            }
        };
        if let Some(url) = self.database.server_url() {
            let url = match &self.setup.postgres_address {
                Some(address) => url.replacen(&postgres_address(), address, 1),
                None => url.to_owned(),
            };
            command.env("DATABASE_URL", url);
        }
        command.envs(self.setup.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Stops the server in order: it must exit with 0 in time.
    pub(crate) async fn terminate(&mut self) {
        let status = self.running().terminate().await;
        assert!(status.success(), "the server ended with {status}");
    }

    /// Kills the server; what it deployed goes on.
    pub(crate) async fn kill_9(&mut self) {
        self.running().kill_9().await;
    }

    /// Stops the server in order and starts it again.
    pub(crate) async fn restart(&mut self) {
        self.terminate().await;
        self.boot().await;
    }

    /// Sends the server a signal that does not end it.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).expect("a child can be signalled");
    }

    /// Returns the process id of the server.
    pub(crate) fn pid(&self) -> Pid {
        self.server.as_ref().expect("the server was started").pid()
    }

    /// Returns the keepers of this world and what they keep: neither the server nor the edge, which outlives it.
    pub(crate) fn deployed_processes(&self) -> Vec<(Pid, String)> {
        let server = self.server.as_ref().map(Server::pid);
        let mut found = leftovers::processes(self.root.path());
        found.retain(|(pid, command)| Some(*pid) != server && !command.contains(" edge "));
        found
    }

    /// Returns the id that labels the containers of this world.
    pub(crate) async fn instance(&self) -> String {
        self.database.instance().await.expect("the database names its instance")
    }

    fn running(&mut self) -> Server {
        self.server.take().expect("the server was started")
    }

    /// Returns where the API is, such as `http://127.0.0.1:12345`.
    pub(crate) fn base_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Returns where the server keeps its data.
    pub(crate) fn data_dir(&self) -> PathBuf {
        self.root.path().join("data")
    }

    /// Connects to the database, for what only another program would do to it.
    pub(crate) async fn database(&self) -> DatabaseConnection {
        self.database.connect().await.expect("the database can be connected to")
    }

    /// Returns the runtime that the world was made with.
    pub(crate) fn runtime(&self) -> Runtime {
        self.setup.runtime
    }

    /// Connects to `/ws`.
    pub(crate) async fn socket(&self) -> Socket {
        Socket::connect(&self.socket_url(), self.setup.token.as_deref()).await
    }

    /// Has the world's own clients send this token from now on.
    pub(crate) fn become_known_by(&mut self, token: &str) {
        self.http = Http::new(&self.base_url(), Some(token));
        self.setup.token = Some(token.to_owned());
    }

    /// Returns the address of `/ws`.
    pub(crate) fn socket_url(&self) -> String {
        format!("ws://127.0.0.1:{}/ws", self.port)
    }

    /// Returns the directory for projects.
    pub(crate) fn projects_dir(&self) -> PathBuf {
        self.root.path().join("projects")
    }

    /// Writes a project that can be deployed, see [`Project`].
    pub(crate) fn project(&self, name: &str, version: &str) -> Project {
        Project::write(&self.projects_dir(), name, version)
    }

    /// Tells the server about a project and returns the id that it got.
    pub(crate) async fn create_project(&self, name: &str, directory: &Path) -> i64 {
        let created = self
            .post("/api/v1/projects", &json!({"name": name, "path": directory}))
            .await
            .expect(201);
        created["id"].as_i64().expect("a created project has an id")
    }

    /// Waits until the deployment has this status and returns it.
    pub(crate) async fn deployment_is(&self, id: i64, status: &str) -> Value {
        eventually(&format!("deployment {id} is {status}"), async || {
            let deployment = self.get(&format!("/api/v1/deployments/{id}")).await.expect(200);
            if deployment["status"] == status {
                Ok(deployment)
            } else {
                Err(deployment)
            }
        })
        .await
    }

    /// Counts all rows that a request could have written.
    pub(crate) async fn num_rows(&self) -> u64 {
        self.database.num_rows().await.expect("the rows can be counted")
    }

    /// Returns the ids of the containers that this world has started and that still exist.
    pub(crate) async fn containers(&self) -> Vec<String> {
        leftovers::containers(&docker::client(), &self.instance().await).await
    }

    /// Deletes all deployments, stops the server, and fails the test if a container or a process is left over.
    pub(crate) async fn close(mut self) {
        let deployments = self.get("/api/v1/deployments?limit=1000").await.expect(200);
        for deployment in deployments.as_array().expect("a list of deployments") {
            let deleted = self.delete(&format!("/api/v1/deployments/{}", deployment["id"])).await;
            assert!(deleted.status < 300, "could not be deleted: {deleted:?}");
        }
        if self.runtime() == Runtime::Docker {
            eventually("no container is left", async || match self.containers().await {
                none if none.is_empty() => Ok(()),
                left => Err(left),
            })
            .await;
        }
        self.terminate().await;
        eventually("no process is left", async || {
            match leftovers::processes(self.root.path()) {
                none if none.is_empty() => Ok(()),
                left => Err(left),
            }
        })
        .await;
        self.database.drop_it().await.expect("the database can be dropped");
        self.is_closed = true;
    }

    /// Removes what a failed test leaves, as far as possible, and shows what the server said.
    async fn tear_down(&self) {
        let log = fs::read_to_string(self.root.path().join("server.log")).unwrap_or_default();
        eprintln!("-- the server of this test said:\n{log}--");
        if self.runtime() == Runtime::Docker {
            match self.database.instance().await {
                Ok(instance) => leftovers::remove_containers(&docker::client(), &instance).await,
                Err(error) => eprintln!("no containers were looked for: {error}"),
            }
        }
        leftovers::kill_processes(self.root.path());
        if let Err(error) = self.database.drop_it().await {
            eprintln!("the database is left over: {error}");
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if self.is_closed {
            return;
        }
        self.server = None;
        // The async runtime of the test cannot be entered again from here. A panic would abort all tests.
        let torn_down = std::thread::scope(|scope| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            scope
                .spawn(|| runtime.expect("an async runtime").block_on(self.tear_down()))
                .join()
        });
        if torn_down.is_err() {
            eprintln!("something of this world is left over");
        }
        assert!(std::thread::panicking(), "the world was dropped without `close`");
    }
}
