//! Limits that an app inherits from its keeper.

use std::{
    io,
    process::{Child, Command},
};

use rustix::{
    io::Errno,
    process::{Pid, Resource, Rlimit, getrlimit, prlimit, setrlimit},
};

/// Starts a program without core dumps and with at most that much memory of its own.
///
/// The limit is on what a process writes to (`RLIMIT_DATA`), not on its address space: Go, Java and Node.js reserve far
/// more of the latter than they use. It holds for each process of the app, not for their sum. The keeper takes the limit
/// on itself while it starts the app, so that no instruction of the app runs without it.
pub(super) fn spawn(command: &mut Command, memory_limit_bytes: Option<u64>) -> io::Result<Child> {
    setrlimit(
        Resource::Core,
        Rlimit {
            current: Some(0),
            maximum: Some(0),
        },
    )?;
    let Some(bytes) = memory_limit_bytes else {
        return command.spawn();
    };
    let own = getrlimit(Resource::Data);
    let bytes = own.maximum.map_or(bytes, |maximum| maximum.min(bytes));
    setrlimit(
        Resource::Data,
        Rlimit {
            current: Some(bytes),
            maximum: own.maximum,
        },
    )?;
    let spawned = command.spawn();
    setrlimit(Resource::Data, own)?;
    let mut child = spawned?;
    if let Err(cause) = make_final(&child, bytes) {
        child.kill()?;
        child.wait()?;
        return Err(cause);
    }
    Ok(child)
}

/// Takes from the app the right to raise its limit.
fn make_final(child: &Child, bytes: u64) -> io::Result<()> {
    let limit = Rlimit {
        current: Some(bytes),
        maximum: Some(bytes),
    };
    match prlimit(Pid::from_child(child).into(), Resource::Data, limit) {
        Ok(_) | Err(Errno::SRCH) => Ok(()),
        Err(cause) => Err(cause.into()),
    }
}
