//! A public port: takes connections in.

use std::{
    io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    sync::Semaphore,
    task::JoinSet,
    time::{Instant, sleep},
};

use super::{
    connection::{Connections, Need},
    pool::Pool,
    protocol::Refusal,
};
use crate::{id::DeploymentId, runtime::port, value::Port};

/// As many connections may wait to be taken in. The kernel caps it by `net.core.somaxconn`.
const BACKLOG: u32 = 4096;
/// One deployment may have half of all connections open, so that a flood on one port leaves the others reachable.
const SHARE: usize = 2;
/// The pause after a connection could not be taken in, such as when no descriptor is free.
const PAUSE: Duration = Duration::from_millis(50);
/// Such failures are logged at most this often.
const COMPLAIN_EVERY: Duration = Duration::from_secs(60);

/// A listening socket and what takes connections from it.
#[derive(Debug)]
pub(super) struct Door {
    pub(super) listener: Arc<TcpListener>,
    accepting: JoinSet<()>,
}

/// Listens on the address.
///
/// # Errors
/// Says who holds the port, where that can be known.
pub(super) async fn listen(address: SocketAddr) -> Result<TcpListener, Refusal> {
    let cause = match bind(address) {
        Ok(listener) => return Ok(listener),
        Err(cause) => cause,
    };
    if cause.kind() != io::ErrorKind::AddrInUse {
        return Err(Refusal::NotListening {
            listen: address,
            kind: format!("{:?}", cause.kind()),
            reason: cause.to_string(),
        });
    }
    let holder = match Port::try_from(i64::from(address.port())) {
        Ok(port) => port::find_holder(port).await,
        Err(_) => None,
    };
    Err(Refusal::PortInUse {
        listen: address,
        holder,
    })
}

/// Listens on the address, or returns what the system said. The unspecified address of IPv6 means every address of the
/// machine, and one without IPv6 still has the others.
pub(super) fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    match bind_exactly(address) {
        Err(cause) if address.ip() == Ipv6Addr::UNSPECIFIED && lacks_ipv6(&cause) => {
            bind_exactly(SocketAddr::from((Ipv4Addr::UNSPECIFIED, address.port())))
        }
        bound => bound,
    }
}

fn lacks_ipv6(cause: &io::Error) -> bool {
    cause.kind() == io::ErrorKind::AddrNotAvailable
        || cause.raw_os_error() == Some(rustix::io::Errno::AFNOSUPPORT.raw_os_error())
}

fn bind_exactly(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    socket.set_reuseaddr(true)?;
    // Both are inherited by the connections: clients that vanish are noticed, and nothing waits to be sent together.
    socket.set_keepalive(true)?;
    socket.set_nodelay(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

impl Door {
    /// Takes connections in and serves them.
    pub(super) fn open(
        listener: TcpListener,
        deployment: DeploymentId,
        pool: &Arc<Pool>,
        connections: &Arc<Connections>,
    ) -> Self {
        let listener = Arc::new(listener);
        let mut accepting = JoinSet::new();
        accepting.spawn(accept(listener.clone(), deployment, pool.clone(), connections.clone()));
        Self { listener, accepting }
    }

    /// Stops taking connections in. This process no longer has the socket when this returns.
    pub(super) async fn close(mut self) {
        self.accepting.shutdown().await;
    }
}

async fn accept(listener: Arc<TcpListener>, deployment: DeploymentId, pool: Arc<Pool>, connections: Arc<Connections>) {
    let share = Arc::new(Semaphore::new(connections.max_open / SHARE));
    let mut complained_at = None;
    loop {
        // Beyond the cap connections wait in the kernel. The semaphores are never closed.
        let (Ok(own), Ok(common)) = (
            share.clone().acquire_owned().await,
            connections.room.clone().acquire_owned().await,
        ) else {
            return;
        };
        let client = match listener.accept().await {
            Ok((client, _)) => client,
            Err(cause) => {
                complain(&mut complained_at, deployment, &cause);
                sleep(PAUSE).await;
                continue;
            }
        };
        let (pool, all) = (pool.clone(), connections.clone());
        connections.tasks.spawn(async move {
            all.serve(client, Need::Target, deployment, &pool).await;
            drop((own, common));
        });
    }
}

fn complain(complained_at: &mut Option<Instant>, deployment: DeploymentId, cause: &io::Error) {
    if complained_at.is_none_or(|at| at.elapsed() > COMPLAIN_EVERY) {
        *complained_at = Some(Instant::now());
        tracing::error!(deployment.id = %deployment, error = %cause, "connections of deployment {deployment} cannot be taken in");
    }
}

/// Takes over a socket that another process listened on.
pub(super) fn inherit(listener: std::net::TcpListener) -> io::Result<TcpListener> {
    listener.set_nonblocking(true)?;
    TcpListener::from_std(listener)
}

/// Takes over a connection that another process had.
pub(super) fn inherit_connection(client: std::net::TcpStream) -> io::Result<TcpStream> {
    client.set_nonblocking(true)?;
    TcpStream::from_std(client)
}
