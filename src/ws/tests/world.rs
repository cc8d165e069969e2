//! A server for one test: a store in a directory of its own, a tree with the event bus, and a listener for `/ws`.

use std::{
    convert::Infallible,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
    time::{Duration, Instant},
};

use borgos_actors::{
    credentials::{Caller, Credentials},
    event_bus::{self, Bus, EventBus},
    id::ProjectId,
    store::{
        Settings, Store,
        error_log::{self, NewEntry, Severity},
        projects::{self, NewProject, Patch, Project},
    },
    supervision::{ChildSpec, Children, Handle, Limit, Observer, Strategy, SupervisorSpec, Tree},
    value::{ProjectName, ProjectPath, TechStack},
    webhooks,
};
use bytes::Bytes;
use http_body_util::Empty;
use hyper::{Request, Response, body::Incoming, server::conn::http1, service::service_fn, upgrade::OnUpgrade};
use hyper_util::rt::TokioIo;
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    task::JoinSet,
};

use super::client::Client;
use crate::ws::{Sessions, Viewer, upgrade};

/// Small, so that a reader that stands still is noticed after few events.
const SEND_BUFFER_BYTES: u32 = 8 * 1024;
/// Where all clients are.
pub(super) const LOCAL: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const PATIENCE: Duration = Duration::from_secs(20);

pub(super) struct World {
    pub(super) store: Store,
    pub(super) sessions: Sessions,
    pub(super) tree: Tree,
    pub(super) address: SocketAddr,
    handle: Handle<event_bus::Message>,
    server: JoinSet<()>,
    directory: Arc<tempfile::TempDir>,
}

impl World {
    pub(super) async fn new() -> Self {
        let directory = Arc::new(tempfile::tempdir().unwrap());
        let store = open_store(&directory).await;
        let handle = Handle::new(event_bus::PATH, 1024);
        let tree = start_tree(&store, &handle).await;
        let sessions = Sessions::new(EventBus::new(handle.clone(), store.clone()));
        let listener = listener();
        let address = listener.local_addr().unwrap();
        let mut server = JoinSet::new();
        let credentials = credentials(&store, &directory).await;
        server.spawn(serve(listener, sessions.clone(), credentials));
        Self {
            store,
            sessions,
            tree,
            address,
            handle,
            server,
            directory,
        }
    }

    pub(super) async fn connect(&self) -> Client {
        Client::connect(TcpStream::connect(self.address).await.unwrap()).await
    }

    /// Connects with a small receive buffer, so that the client stands still as soon as it does not read.
    pub(super) async fn connect_narrow(&self) -> Client {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(SEND_BUFFER_BYTES).unwrap();
        Client::connect(socket.connect(self.address).await.unwrap()).await
    }

    /// Logs an error and nudges the bus, as those who change something do.
    pub(super) async fn log_error(&self, message: &str, severity: Severity, project_id: Option<ProjectId>) {
        let entry = NewEntry {
            project_id,
            deployment_id: None,
            error_type: "test".to_owned(),
            severity,
            message: message.to_owned(),
            stack_trace: None,
            context: serde_json::Value::Null,
        };
        error_log::record(&self.store, &entry).await.unwrap();
        self.nudge();
    }

    pub(super) async fn log_errors(&self, messages: impl IntoIterator<Item = String>) {
        for message in messages {
            self.log_error(&message, Severity::Error, None).await;
        }
    }

    pub(super) async fn create_project(&self, name: &str) -> Project {
        let path = self.directory.path().join(name);
        tokio::fs::create_dir(&path).await.unwrap();
        let new = NewProject {
            name: ProjectName::try_from(name.to_owned()).unwrap(),
            path: ProjectPath::resolve(path.to_str().unwrap()).unwrap(),
            zenith_id: None,
            project_type: None,
            tech_stack: TechStack::try_from(Vec::new()).unwrap(),
        };
        let project = projects::create(&self.store, &new).await.unwrap();
        self.nudge();
        project
    }

    pub(super) async fn rename_project(&self, id: ProjectId, name: &str) {
        let patch = Patch {
            name: Some(ProjectName::try_from(name.to_owned()).unwrap()),
            ..Patch::default()
        };
        projects::update(&self.store, id, &patch).await.unwrap();
        self.nudge();
    }

    /// A nudge is a hint: the bus may be away or busy.
    fn nudge(&self) {
        if let Err(error) = self.handle.cast(event_bus::Message::Nudge) {
            assert!(matches!(error.code(), "RESTARTING" | "BUSY"), "{error}");
        }
    }

    pub(super) async fn restart_bus(&self) {
        self.tree.restart(event_bus::PATH, PATIENCE).await.unwrap();
    }

    /// Ends everything, and finds that nothing is left.
    pub(super) async fn end(mut self) {
        self.sessions.close(PATIENCE).await;
        assert_eq!(self.sessions.count(), 0);
        self.server.shutdown().await;
        self.tree.stop(PATIENCE).await;
        self.store.close().await.unwrap();
    }
}

/// Waits until something is so.
pub(super) async fn eventually(what: &str, is_so: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < PATIENCE, "never: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

pub(super) async fn open_store(directory: &tempfile::TempDir) -> Store {
    let url = format!("sqlite://{}?mode=rwc", directory.path().join("test.db").display());
    Store::open(&Settings {
        url,
        data_dir: directory.path().to_owned(),
        secret_key: None,
    })
    .await
    .unwrap()
}

/// Those of an empty database, in which everybody is known.
pub(super) async fn credentials(store: &Store, directory: &tempfile::TempDir) -> Credentials {
    let prepared = Credentials::prepare(store, directory.path(), Handle::new("credentials", 10)).await;
    prepared.unwrap().0
}

async fn start_tree(store: &Store, handle: &Handle<event_bus::Message>) -> Tree {
    let args = event_bus::Args {
        store: store.clone(),
        webhooks: Handle::new(webhooks::PATH, 1),
    };
    let bus = ChildSpec::worker(event_bus::PATH, "event-bus", handle, move || (Bus, args.clone()));
    let root = SupervisorSpec {
        path: "root".to_owned(),
        strategy: Strategy::OneForOne,
        limit: Limit::Escalate {
            max_restarts: 3,
            within: Duration::from_secs(60),
        },
        children: vec![bus],
        group: Children::new("root"),
    };
    Tree::start(root, Observer::log_only()).await.unwrap()
}

fn listener() -> TcpListener {
    let socket = TcpSocket::new_v4().unwrap();
    // Accepted connections inherit it.
    socket.set_send_buffer_size(SEND_BUFFER_BYTES).unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    socket.listen(1024).unwrap()
}

async fn serve(listener: TcpListener, sessions: Sessions, credentials: Credentials) {
    let mut connections = JoinSet::new();
    loop {
        let (connection, _) = listener.accept().await.unwrap();
        let (sessions, credentials) = (sessions.clone(), credentials.clone());
        let service = service_fn(move |request| {
            let viewer = Viewer::new(Caller::local(), LOCAL, credentials.clone());
            let response = answer(&request, &sessions, viewer);
            async move { Ok::<_, Infallible>(response) }
        });
        let connection = http1::Builder::new()
            .serve_connection(TokioIo::new(connection), service)
            .with_upgrades();
        connections.spawn(connection);
        while connections.try_join_next().is_some() {}
    }
}

fn answer(request: &Request<Incoming>, sessions: &Sessions, viewer: Viewer) -> Response<Empty<Bytes>> {
    let on_upgrade = request.extensions().get::<OnUpgrade>().cloned();
    match upgrade(request.headers(), on_upgrade, sessions, viewer) {
        Ok(response) => response.map(|()| Empty::new()),
        Err(refusal) => {
            let mut response = Response::new(Empty::new());
            *response.status_mut() = refusal.status();
            response.headers_mut().extend(refusal.header());
            response
        }
    }
}
