//! How one edge gives everything to the next: listening sockets, the lock, and connections between two requests.
//!
//! ```text
//! new                                old
//!  │ take over ───────────────────────▶│ changes nothing any more
//!  │◀──────────── routes, and whose    │
//!  │              listeners will come  │
//!  │ ready ───────────────────────────▶│
//!  │◀──────────── lock, listeners      │   both listen: a connection goes to one or the other
//!  │ listens, takes the control socket │
//!  │ taken over ──────────────────────▶│ stops listening
//!  │◀──────────── connections ...      │   each when nothing is under way on it
//!  │◀──────────── end                  │ what could not be handed over has ended, or was cut
//! ```
//!
//! Until `taken over` the old one can go on as if nothing had been. The lock is one open file that both have for a
//! while, so there is no moment at which a third process could take it.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, IoSlice, IoSliceMut},
    mem::MaybeUninit,
    net,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    sync::Arc,
    time::Duration,
};

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags,
    recvmsg, sendmsg,
};
use serde::{Deserialize, Serialize};
use tokio::{
    io::Interest,
    net::{TcpListener, TcpStream, UnixStream},
    sync::mpsc,
    time::timeout,
};

use super::{
    client::Client,
    connection::Need,
    directory::Directory,
    line::Lines,
    listener,
    protocol::{Answer, Refusal, Reply, Request},
    route::Route,
};
use crate::id::DeploymentId;

/// What of a handover this program understands. A different one cannot take over.
pub(super) const FORMAT: u32 = 1;
/// How long one step may take.
const STEP_DEADLINE: Duration = Duration::from_secs(10);
const MAX_FRAME_BYTES: usize = 1024;

/// A connection that goes to another process.
#[derive(Debug)]
pub(super) struct Departure {
    pub(super) deployment: DeploymentId,
    pub(super) need: Need,
    pub(super) client: TcpStream,
}

/// What comes with a descriptor.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Label {
    Lock,
    Listener(DeploymentId),
    Connection { deployment: DeploymentId, need: Need },
}

/// All routes, and the listeners of those that are listened on.
#[derive(Debug)]
pub(super) struct Estate<L> {
    pub(super) routes: Vec<Route>,
    pub(super) listeners: BTreeMap<DeploymentId, L>,
}

/// What the old edge gives away.
#[derive(Debug)]
pub(super) struct Bequest {
    pub(super) estate: Estate<Arc<TcpListener>>,
    pub(super) lock: File,
}

/// What the new edge begins with.
#[derive(Debug)]
pub(super) struct Inheritance {
    pub(super) estate: Estate<TcpListener>,
    pub(super) lock: File,
    pub(super) lines: Lines,
}

/// Gives everything away. Returns the stream for the connections once the other process listens.
pub(super) async fn bequeath(mut lines: Lines, bequest: Bequest) -> io::Result<UnixStream> {
    let Bequest { estate, lock } = bequest;
    let announcement = Answer::Handover {
        routes: estate.routes,
        num_listeners: estate.listeners.len(),
    };
    lines.write(&Reply::Ok(announcement)).await?;
    expect(&mut lines, &Request::Ready).await?;
    send(lines.stream(), &Label::Lock, lock.as_fd()).await?;
    for (deployment, listener) in &estate.listeners {
        send(lines.stream(), &Label::Listener(*deployment), listener.as_fd()).await?;
    }
    // Until here, so that they are closed with the doors they belong to.
    drop(estate.listeners);
    expect(&mut lines, &Request::TakenOver).await?;
    lines.into_stream()
}

async fn expect(lines: &mut Lines, expected: &Request) -> io::Result<()> {
    match lines.read::<Request>(STEP_DEADLINE).await? {
        Some(request) if request == *expected => Ok(()),
        other => Err(io::Error::other(format!("expected {expected:?}, not {other:?}"))),
    }
}

/// Gives away connections as they become free, until there will be no more. Those that cannot be given away are closed.
pub(super) async fn see_off(mut departures: mpsc::Receiver<Departure>, stream: UnixStream) -> usize {
    let mut num_sent = 0;
    while let Some(Departure {
        deployment,
        need,
        client,
    }) = departures.recv().await
    {
        match send(&stream, &Label::Connection { deployment, need }, client.as_fd()).await {
            Ok(()) => num_sent += 1,
            Err(error) => tracing::warn!(%error, "a connection could not be handed over and is closed"),
        }
    }
    num_sent
}

/// Asks the edge that runs to hand over.
pub(super) async fn inherit(directory: &Directory, grace: Duration) -> io::Result<Inheritance> {
    let mut client = Client::connect(directory).await?;
    let request = Request::TakeOver {
        format: FORMAT,
        grace_ms: u64::try_from(grace.as_millis()).unwrap_or(u64::MAX),
    };
    let (routes, num_listeners) = match client.ask(&request, STEP_DEADLINE).await? {
        Ok(Answer::Handover { routes, num_listeners }) => (routes, num_listeners),
        other => {
            return Err(io::Error::other(format!(
                "the running edge does not hand over: {other:?}"
            )));
        }
    };
    let mut lines = client.into_lines();
    lines.write(&Request::Ready).await?;
    let lock = match receive(lines.stream()).await? {
        Some((Label::Lock, descriptor)) => File::from(descriptor),
        other => return Err(io::Error::other(format!("expected the lock, not {other:?}"))),
    };
    let mut listeners = BTreeMap::new();
    for _ in 0..num_listeners {
        let Some((Label::Listener(deployment), descriptor)) = receive(lines.stream()).await? else {
            return Err(io::Error::other("a listener is missing"));
        };
        listeners.insert(deployment, listener::inherit(net::TcpListener::from(descriptor))?);
    }
    let estate = Estate { routes, listeners };
    Ok(Inheritance { estate, lock, lines })
}

/// Tells the old edge that it is not needed any more, and returns what remains to come.
pub(super) async fn confirm(mut lines: Lines) -> io::Result<Arrivals> {
    lines.write(&Request::TakenOver).await?;
    lines.into_stream().map(Arrivals)
}

/// The connections that come after a handover.
#[derive(Debug)]
pub(super) struct Arrivals(UnixStream);

impl Arrivals {
    /// Returns the next connection; nothing once the old edge has ended.
    pub(super) async fn next(&self) -> io::Result<Option<Departure>> {
        match receive_within(&self.0, None).await? {
            None => Ok(None),
            Some((Label::Connection { deployment, need }, descriptor)) => Ok(Some(Departure {
                deployment,
                need,
                client: listener::inherit_connection(net::TcpStream::from(descriptor))?,
            })),
            Some((label, _)) => Err(io::Error::other(format!("expected a connection, not {label:?}"))),
        }
    }
}

/// Refuses a handover that the other process would not understand.
pub(super) fn check_format(format: u32) -> Result<(), Refusal> {
    if format == FORMAT {
        return Ok(());
    }
    Err(Refusal::Impossible(format!(
        "this edge hands over in format {FORMAT}, not {format}"
    )))
}

/// Sends a descriptor with its label. Each is a message of its own, which the kernel keeps apart from the next.
async fn send(stream: &UnixStream, label: &Label, descriptor: BorrowedFd<'_>) -> io::Result<()> {
    let label = serde_json::to_vec(label)?;
    let sent = stream.async_io(Interest::WRITABLE, || {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        let descriptors = [descriptor];
        if !control.push(SendAncillaryMessage::ScmRights(&descriptors)) {
            return Err(io::Error::other("no space for a descriptor"));
        }
        Ok(sendmsg(
            stream,
            &[IoSlice::new(&label)],
            &mut control,
            SendFlags::NOSIGNAL,
        )?)
    });
    match timeout(STEP_DEADLINE, sent).await?? {
        num_bytes if num_bytes == label.len() => Ok(()),
        _ => Err(io::ErrorKind::WriteZero.into()),
    }
}

async fn receive(stream: &UnixStream) -> io::Result<Option<(Label, OwnedFd)>> {
    receive_within(stream, Some(STEP_DEADLINE)).await
}

async fn receive_within(stream: &UnixStream, patience: Option<Duration>) -> io::Result<Option<(Label, OwnedFd)>> {
    let mut label = [0; MAX_FRAME_BYTES];
    let received = stream.async_io(Interest::READABLE, || receive_now(stream, &mut label));
    let (num_bytes, descriptor) = match patience {
        Some(patience) => timeout(patience, received).await??,
        None => received.await?,
    };
    match (label.get(..num_bytes), descriptor) {
        (Some([]), None) => Ok(None),
        (Some(bytes), Some(descriptor)) => Ok(Some((serde_json::from_slice(bytes)?, descriptor))),
        _ => Err(io::Error::other("a message without a descriptor")),
    }
}

fn receive_now(stream: &UnixStream, label: &mut [u8]) -> io::Result<(usize, Option<OwnedFd>)> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let received = recvmsg(
        stream,
        &mut [IoSliceMut::new(label)],
        &mut control,
        RecvFlags::CMSG_CLOEXEC,
    )?;
    let descriptors = control.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(descriptors) => Some(descriptors),
        _ => None,
    });
    Ok((received.bytes, descriptors.flatten().next()))
}
