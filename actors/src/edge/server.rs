//! Starts the edge in a process that is to be nothing else.

use std::{io, path::Path};

use rustix::{
    io::Errno,
    process::{Resource, Rlimit, getrlimit, setrlimit, setsid},
};
use tokio::signal::unix::{SignalKind, signal};

use super::{directory::Directory, process::Edge};

/// As many connections may be open, if the limit of descriptors allows it.
const MAX_CONNECTIONS: u64 = 20_000;
/// Descriptors that are not for connections. Should there be so many routes that it takes more, connections wait.
const SPARE_DESCRIPTORS: u64 = 256;

/// How an edge begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// As the only one of its data directory.
    Alone,
    /// In the place of the one that runs, if one does.
    TakeOver,
}

/// Why an edge could not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The directory belongs to another edge, or cannot be used.
    #[error("the edge cannot start")]
    Directory(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The running edge did not hand over.
    #[error("the edge cannot take over from the running one")]
    TakeOver(#[source] io::Error),
    /// The system refused something.
    #[error("the edge cannot start")]
    System(#[from] io::Error),
}

/// Runs an edge until it is stopped or another one takes over. It leaves the session of whoever started it, and prints
/// to its own log once the data directory is its own.
///
/// # Errors
/// Says why it could not start.
pub fn run(data_dir: &Path, start: Start) -> Result<(), Error> {
    leave_session()?;
    let max_connections = raise_descriptor_limit()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate())?;
        // Whoever closes a terminal or presses Ctrl-C does not mean the public ports of everything.
        for kind in [SignalKind::interrupt(), SignalKind::hangup()] {
            drop(signal(kind)?);
        }
        let edge = Edge::start(Directory::of(data_dir), start, max_connections).await?;
        edge.run(&mut terminate).await;
        Ok(())
    })
}

/// A process that leads its group, as one that a shell has started, leads a session already or keeps the shell's.
fn leave_session() -> io::Result<()> {
    match setsid() {
        Ok(_) | Err(Errno::PERM) => Ok(()),
        Err(cause) => Err(cause.into()),
    }
}

/// Allows as many descriptors as may be, and returns how many connections that is enough for.
fn raise_descriptor_limit() -> io::Result<usize> {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    setrlimit(Resource::Nofile, raised)?;
    let for_connections = limit
        .maximum
        .map_or(u64::MAX, |maximum| maximum.saturating_sub(SPARE_DESCRIPTORS) / 2);
    usize::try_from(for_connections.clamp(1, MAX_CONNECTIONS)).map_err(io::Error::other)
}
