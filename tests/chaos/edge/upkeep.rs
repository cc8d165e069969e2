//! The actor keeps an edge alive.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use borgos_actors::{
    Error,
    edge::{Args, EdgeActor, Message, Route},
    id::DeploymentId,
    supervision::{ChildSpec, Children, Handle, Limit, Observer, Strategy, SupervisorSpec, Tree},
};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::{net::TcpListener, sync::mpsc, time::Instant};

use super::{
    super::load::Load,
    app::{App, DOWNLOAD_PIECE_BYTES, DOWNLOAD_PIECES},
    greet,
};
use crate::support::{eventually, eventually_within, free_port, install_tls_provider, kill_processes, processes};

const PATIENCE: Duration = Duration::from_secs(30);

/// A tree with nothing but the edge actor in it.
struct Upkeep {
    data_dir: TempDir,
    program: PathBuf,
    tree: Tree,
    handle: Handle<Message>,
}

impl Upkeep {
    async fn start() -> Self {
        let data_dir = TempDir::with_prefix("borgos-edge-").unwrap();
        let program = PathBuf::from(env!("CARGO_BIN_EXE_borgos"));
        let (tree, handle) = plant(data_dir.path(), &program).await;
        Self {
            data_dir,
            program,
            tree,
            handle,
        }
    }

    /// Does to the actor what a restart of BorgOS does.
    async fn replant(&mut self) {
        self.tree.stop(PATIENCE).await;
        (self.tree, self.handle) = plant(self.data_dir.path(), &self.program).await;
    }

    async fn set(&self, route: Route) -> Result<(), Error> {
        self.handle
            .call(PATIENCE, |reply| Message::SetRoute { route, reply })
            .await
            .unwrap()
    }

    async fn remove(&self, deployment: i64) {
        let deployment = DeploymentId(deployment);
        let removed = self
            .handle
            .call(PATIENCE, |reply| Message::RemoveRoute { deployment, reply });
        removed.await.unwrap().unwrap();
    }

    async fn num_routes(&self) -> usize {
        self.handle
            .call(PATIENCE, |reply| Message::List { reply })
            .await
            .unwrap()
            .unwrap()
            .len()
    }

    fn edges(&self) -> Vec<Pid> {
        processes(self.data_dir.path())
            .into_iter()
            .map(|(pid, _)| pid)
            .collect()
    }

    async fn only_edge(&self) -> Pid {
        eventually("there is one edge", async || match self.edges().as_slice() {
            [edge] => Ok(*edge),
            edges => Err(edges.to_vec()),
        })
        .await
    }

    async fn no_edge(&self) {
        eventually("there is no edge", async || match self.edges() {
            edges if edges.is_empty() => Ok(()),
            edges => Err(edges),
        })
        .await;
    }
}

impl Drop for Upkeep {
    fn drop(&mut self) {
        kill_processes(self.data_dir.path());
    }
}

async fn plant(data_dir: &Path, program: &Path) -> (Tree, Handle<Message>) {
    let handle = Handle::new("edge", 1000);
    let args = Args {
        data_dir: data_dir.to_owned(),
        program: program.to_owned(),
    };
    let root = SupervisorSpec {
        path: "root".to_owned(),
        strategy: Strategy::OneForOne,
        limit: Limit::Escalate {
            max_restarts: 3,
            within: Duration::from_secs(60),
        },
        children: vec![ChildSpec::worker("edge", "edge", &handle, move || {
            (EdgeActor, args.clone())
        })],
        group: Children::new("root"),
    };
    let (happenings, _) = mpsc::channel(100);
    (Tree::start(root, Observer::new(happenings)).await.unwrap(), handle)
}

fn route(deployment: i64, listen: SocketAddr, targets: &[SocketAddr], revision: u64) -> Route {
    Route {
        deployment: DeploymentId(deployment),
        listen,
        targets: targets.to_vec(),
        revision,
    }
}

fn address() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], free_port()))
}

#[tokio::test]
async fn an_edge_is_there_while_there_is_a_route_and_no_longer() {
    let upkeep = Upkeep::start().await;
    upkeep.remove(1).await;
    assert_eq!(upkeep.num_routes().await, 0);
    assert_eq!(upkeep.edges(), []);
    let app = App::named("app").await;
    let listen = address();
    upkeep.set(route(1, listen, &[app.address], 1)).await.unwrap();
    assert_eq!(greet(listen).await.unwrap(), "app");
    upkeep.only_edge().await;
    upkeep.remove(1).await;
    upkeep.no_edge().await;
    upkeep.set(route(1, listen, &[app.address], 2)).await.unwrap();
    assert_eq!(greet(listen).await.unwrap(), "app");
    upkeep
        .handle
        .cast(Message::Reconcile {
            known: vec![DeploymentId(2)],
        })
        .unwrap();
    upkeep.no_edge().await;
}

#[tokio::test]
async fn an_edge_that_is_killed_is_back_within_a_second() {
    let upkeep = Upkeep::start().await;
    let app = App::named("app").await;
    let listen = address();
    upkeep.set(route(1, listen, &[app.address], 1)).await.unwrap();
    for _ in 0..3 {
        let edge = upkeep.only_edge().await;
        kill_process(edge, Signal::KILL).unwrap();
        let killed_at = Instant::now();
        eventually("the edge serves again", async || greet(listen).await).await;
        let away = killed_at.elapsed();
        assert!(away < Duration::from_secs(1), "{away:?}");
    }
    // What the disk has lost is told again.
    fs::remove_file(upkeep.data_dir.path().join("edge/routes.json")).unwrap();
    kill_process(upkeep.only_edge().await, Signal::KILL).unwrap();
    eventually("the edge serves again", async || greet(listen).await).await;
}

#[tokio::test]
async fn an_edge_that_is_told_to_end_is_replaced_at_once_and_finishes_what_it_began() {
    let upkeep = Upkeep::start().await;
    let app = App::http().await;
    let listen = address();
    upkeep.set(route(1, listen, &[app.address], 1)).await.unwrap();
    let download = format!("http://{listen}/download");
    let (downloaded, ()) = tokio::join!(get(&download), async {
        eventually("the download has begun", async || match app.num_connections() {
            0 => Err("nobody came"),
            _ => Ok(()),
        })
        .await;
        kill_process(upkeep.only_edge().await, Signal::TERM).unwrap();
        let told_at = Instant::now();
        eventually("another edge serves", async || {
            get(&format!("http://{listen}/health")).await
        })
        .await;
        assert!(told_at.elapsed() < Duration::from_secs(1), "{:?}", told_at.elapsed());
    });
    assert_eq!(downloaded.unwrap().len(), DOWNLOAD_PIECES * DOWNLOAD_PIECE_BYTES);
    upkeep.only_edge().await;
}

async fn get(url: &str) -> Result<String, String> {
    install_tls_provider();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = client.get(url).send().await.map_err(|error| format!("{error:?}"))?;
    answer.text().await.map_err(|error| format!("{error:?}"))
}

#[tokio::test]
async fn an_edge_outlives_the_actor_and_is_found_by_the_next() {
    let mut upkeep = Upkeep::start().await;
    let app = App::named("app").await;
    let listen = address();
    upkeep.set(route(1, listen, &[app.address], 1)).await.unwrap();
    let edge = upkeep.only_edge().await;
    upkeep.tree.stop(PATIENCE).await;
    assert_eq!(greet(listen).await.unwrap(), "app");
    upkeep.replant().await;
    assert_eq!(upkeep.num_routes().await, 1);
    assert_eq!(upkeep.only_edge().await, edge);
    // One that was killed meanwhile is started again without a word.
    upkeep.tree.stop(PATIENCE).await;
    kill_process(edge, Signal::KILL).unwrap();
    upkeep.no_edge().await;
    upkeep.replant().await;
    eventually_within(Duration::from_secs(5), "the edge serves again", async || {
        greet(listen).await
    })
    .await;
}

#[tokio::test]
async fn a_port_in_use_and_an_old_revision_are_errors_of_ours() {
    let upkeep = Upkeep::start().await;
    let taken = TcpListener::bind(("127.0.0.1", free_port())).await.unwrap();
    let listen = taken.local_addr().unwrap();
    let refused = upkeep.set(route(1, listen, &[], 2)).await.unwrap_err();
    assert_eq!(refused.code(), "PORT_IN_USE");
    assert!(
        refused.to_string().contains(&format!("(pid {})", std::process::id())),
        "{refused}"
    );
    drop(taken);
    // A program that another test starts at this moment has a copy of the socket until it is executed.
    eventually("the port is free", async || upkeep.set(route(1, listen, &[], 2)).await).await;
    let refused = upkeep.set(route(1, listen, &[], 1)).await.unwrap_err();
    assert_eq!(refused.code(), "ROUTE_OUTDATED");
}

#[tokio::test]
async fn a_new_build_takes_over_and_no_request_fails() {
    let mut upkeep = Upkeep::start().await;
    let app = App::http().await;
    let listen = address();
    upkeep.set(route(1, listen, &[app.address], 1)).await.unwrap();
    let old = upkeep.only_edge().await;
    let load = Load::on(listen.port());
    load.goes_on().await;
    let new_build = upkeep.data_dir.path().join("borgos-new");
    fs::copy(&upkeep.program, &new_build).unwrap();
    upkeep.program = new_build;
    upkeep.replant().await;
    eventually("the new build has taken over", async || {
        match upkeep.edges().as_slice() {
            [edge] if *edge != old => Ok(()),
            edges => Err(edges.to_vec()),
        }
    })
    .await;
    load.goes_on().await;
    load.finish().await;
    assert_eq!(upkeep.num_routes().await, 1);
}

#[tokio::test]
async fn a_drain_answers_when_no_connection_is_left() {
    let upkeep = Upkeep::start().await;
    let (one, other) = (App::http().await, App::http().await);
    let listen = address();
    let drain = async |target| {
        let (deployment, deadline) = (DeploymentId(1), Duration::from_secs(10));
        let drained = upkeep.handle.call(PATIENCE, |reply| Message::Drain {
            deployment,
            target,
            deadline,
            reply,
        });
        drained.await.unwrap()
    };
    assert_eq!(drain(one.address).await.unwrap().num_cut, 0);
    upkeep.set(route(1, listen, &[one.address], 1)).await.unwrap();
    let load = Load::on(listen.port());
    assert_eq!(drain(one.address).await.unwrap_err().code(), "TARGET_IN_USE");
    for (revision, from, to) in [(2, &one, &other), (3, &other, &one), (4, &one, &other)] {
        load.goes_on().await;
        assert!(from.num_connections() >= 2);
        upkeep.set(route(1, listen, &[to.address], revision)).await.unwrap();
        assert_eq!(drain(from.address).await.unwrap().num_cut, 0);
    }
    load.finish().await;
}
