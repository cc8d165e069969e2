//! Ends the processes of an instance, and never any other.

use std::io;

use procfs::ProcError;
use rustix::process::{Signal, kill_process};

use super::identity::{Identity, stat_of};
use crate::program::{gone_is_fine, is_running, kill_all, signal_group};

/// Sends a signal to the app's process group, if the app is still there.
pub(super) fn signal(app: &Identity, signal: Signal) -> io::Result<()> {
    match app.as_pid() {
        Some(pid) if alive(app)? => signal_group(pid, signal),
        _ => Ok(()),
    }
}

/// Kills a keeper that does not end by itself.
pub(super) fn kill_keeper(keeper: &Identity) -> io::Result<()> {
    match keeper.as_pid() {
        Some(pid) if alive(keeper)? => gone_is_fine(kill_process(pid, Signal::KILL)),
        _ => Ok(()),
    }
}

/// Kills what is left of the session of a keeper that is gone, and returns how many processes that were.
///
/// The kernel gives no new process a number that still names a session, so who is in this session was started by that
/// keeper. Should the number now belong to another process, then the session had ended.
pub(super) fn kill_session(keeper: &Identity) -> io::Result<usize> {
    if !keeper.is_of_this_boot().map_err(into_io)?
        || stat_of(keeper.pid).map_err(into_io)?.is_some_and(|s| is_running(&s))
    {
        return Ok(0);
    }
    kill_all(|_, stat| stat.session == keeper.pid)
}

/// Kills all processes whose parent is the given one, and returns how many that were.
pub(super) fn kill_children_of(parent: i32) -> io::Result<usize> {
    kill_all(|_, stat| stat.ppid == parent)
}

pub(super) fn alive(process: &Identity) -> io::Result<bool> {
    process.is_alive().map_err(into_io)
}

pub(super) fn into_io(cause: ProcError) -> io::Error {
    io::Error::other(cause)
}
