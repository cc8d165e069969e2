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

/// Forwards until it is cut or silenced, and again once it is restored. While it is cut, nothing listens: connections
/// are refused, and those that were open are closed. While it is silenced, connections are accepted and stay open, and
/// nothing passes.
#[derive(Debug)]
pub(super) struct Proxy {
    route: Route,
    is_silent: watch::Sender<bool>,
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
            is_silent: watch::Sender::new(false),
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

    /// Lets nothing pass any more.
    pub(super) fn silence(&self) {
        self.is_silent.send_replace(true);
    }

    /// Brings the service back.
    pub(super) async fn restore(&mut self) {
        self.forwarder.shutdown().await;
        self.is_silent.send_replace(false);
        let (sender, mut is_listening) = watch::channel(false);
        self.forwarder
            .spawn(forward(self.route.clone(), sender, self.is_silent.subscribe()));
        let listening = is_listening.wait_for(|is_listening| *is_listening).await;
        listening.expect("the proxy can listen");
    }
}

async fn forward(route: Route, is_listening: watch::Sender<bool>, is_silent: watch::Receiver<bool>) {
    let mut connections = JoinSet::new();
    match route {
        Route::Unix(at, to) => {
            let listener = UnixListener::bind(at).expect("a socket can be made");
            is_listening.send_replace(true);
            while let Ok((client, _)) = listener.accept().await {
                while connections.try_join_next().is_some() {}
                let (to, is_silent) = (to.clone(), is_silent.clone());
                connections.spawn(async move { join(client, UnixStream::connect(to).await, is_silent).await });
            }
        }
        Route::Tcp(port, to) => {
            let listener = TcpListener::bind(("127.0.0.1", port)).await.expect("the port is free");
            is_listening.send_replace(true);
            while let Ok((client, _)) = listener.accept().await {
                while connections.try_join_next().is_some() {}
                let (to, is_silent) = (to.clone(), is_silent.clone());
                connections.spawn(async move { join(client, TcpStream::connect(to).await, is_silent).await });
            }
        }
    }
}

async fn join<S>(mut client: S, service: std::io::Result<S>, mut is_silent: watch::Receiver<bool>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut service = service.expect("the service is there");
    let is_silenced = tokio::select! {
        silenced = is_silent.wait_for(|is_silent| *is_silent) => silenced.is_ok(),
        // A connection may end in any way: that is what this is for.
        _ = copy_bidirectional(&mut client, &mut service) => false,
    };
    if is_silenced {
        // Both ends stay open.
        std::future::pending().await
    }
}
