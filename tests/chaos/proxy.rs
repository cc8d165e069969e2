//! A proxy between BorgOS and a service, which can be cut: the service itself is shared by all tests.

use std::{
    fs,
    path::{Path, PathBuf},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, copy_bidirectional},
    net::{TcpListener, TcpStream, UnixListener, UnixStream},
    sync::watch,
    task::JoinSet,
};

/// What the service is reached by.
#[derive(Debug, Clone)]
enum Route {
    /// Listens at the first socket, forwards to the second.
    Unix(PathBuf, PathBuf),
    /// Listens at the port, forwards to the address.
    Tcp(u16, String),
}

/// Forwards until it is cut, and again once it is restored. While it is cut, nothing listens: connections are refused,
/// and those that were open are closed.
#[derive(Debug)]
pub(super) struct Proxy {
    route: Route,
    /// Runs while the proxy is not cut; dropping it closes everything.
    forwarder: JoinSet<()>,
}

impl Proxy {
    /// Forwards a socket, given as `unix://…`, from the file `at`.
    pub(super) async fn unix(at: &Path, to: &str) -> Self {
        let to = to.strip_prefix("unix://").expect("the address of a socket");
        Self::start(Route::Unix(at.to_owned(), to.into())).await
    }

    /// Forwards `to`, a host and its port, from this port of the loopback address.
    pub(super) async fn tcp(port: u16, to: &str) -> Self {
        Self::start(Route::Tcp(port, to.to_owned())).await
    }

    async fn start(route: Route) -> Self {
        let mut proxy = Self {
            route,
            forwarder: JoinSet::new(),
        };
        proxy.restore().await;
        proxy
    }

    /// Takes the service away.
    pub(super) async fn cut(&mut self) {
        self.forwarder.shutdown().await;
        if let Route::Unix(at, _) = &self.route {
            fs::remove_file(at).expect("the socket was there");
        }
    }

    /// Brings the service back.
    pub(super) async fn restore(&mut self) {
        let (sender, mut is_listening) = watch::channel(false);
        self.forwarder.spawn(forward(self.route.clone(), sender));
        let listening = is_listening.wait_for(|is_listening| *is_listening).await;
        listening.expect("the proxy can listen");
    }
}

async fn forward(route: Route, is_listening: watch::Sender<bool>) {
    let mut connections = JoinSet::new();
    match route {
        Route::Unix(at, to) => {
            let listener = UnixListener::bind(at).expect("a socket can be made");
            is_listening.send_replace(true);
            while let Ok((client, _)) = listener.accept().await {
                while connections.try_join_next().is_some() {}
                let to = to.clone();
                connections.spawn(async move { join(client, UnixStream::connect(to).await).await });
            }
        }
        Route::Tcp(port, to) => {
            let listener = TcpListener::bind(("127.0.0.1", port)).await.expect("the port is free");
            is_listening.send_replace(true);
            while let Ok((client, _)) = listener.accept().await {
                while connections.try_join_next().is_some() {}
                let to = to.clone();
                connections.spawn(async move { join(client, TcpStream::connect(to).await).await });
            }
        }
    }
}

async fn join<S: AsyncRead + AsyncWrite + Unpin>(mut client: S, service: std::io::Result<S>) {
    let mut service = service.expect("the service is there");
    // A connection may end in any way: that is what this is for.
    let _ = copy_bidirectional(&mut client, &mut service).await;
}
