//! Limits that an app inherits from its keeper.

use std::{
    io,
    process::{Child, Command},
};

use rustix::process::{Pid, Resource, Rlimit, getrlimit, setrlimit};

use crate::program::limit_memory;

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
    if let Err(cause) = limit_memory(Pid::from_child(&child), bytes) {
        child.kill()?;
        child.wait()?;
        return Err(cause);
    }
    Ok(child)
}
