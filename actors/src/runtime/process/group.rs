//! Ends the processes of an instance, and never any other.

use std::{
    collections::HashMap,
    ffi::{OsStr, OsString},
    io,
};

use procfs::{
    ProcError,
    process::{Process, Stat},
};
use rustix::{
    io::Errno,
    process::{Pid, Signal, kill_process, kill_process_group},
};

use super::identity::{Identity, is_running, stat_of};

/// Sends a signal to the app's process group, if the app is still there.
pub(super) fn signal(app: &Identity, signal: Signal) -> io::Result<()> {
    match app.as_pid() {
        Some(pid) if alive(app)? => gone_is_fine(kill_process_group(pid, signal)),
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

/// Kills all processes that were started with this variable in their environment, and returns how many that were. It
/// finds those that have left their session and lost their keeper.
pub(super) fn kill_marked(name: &str, value: &str) -> io::Result<usize> {
    let me = std::process::id();
    kill_all(|process, stat| {
        // What belongs to another user cannot be read, and was not started by this one.
        let is_marked = |environment: HashMap<OsString, OsString>| {
            environment.get(OsStr::new(name)).is_some_and(|found| found == value)
        };
        stat.pid.unsigned_abs() != me && process.environ().is_ok_and(is_marked)
    })
}

fn kill_all(is_meant: impl Fn(&Process, &Stat) -> bool) -> io::Result<usize> {
    let mut num_killed = 0;
    for process in procfs::process::all_processes().map_err(into_io)?.flatten() {
        // One that cannot be read has ended meanwhile.
        let Ok(stat) = process.stat() else { continue };
        if let Some(pid) = Pid::from_raw(stat.pid).filter(|_| is_running(&stat) && is_meant(&process, &stat)) {
            gone_is_fine(kill_process(pid, Signal::KILL))?;
            num_killed += 1;
        }
    }
    Ok(num_killed)
}

pub(super) fn alive(process: &Identity) -> io::Result<bool> {
    process.is_alive().map_err(into_io)
}

pub(super) fn into_io(cause: ProcError) -> io::Error {
    io::Error::other(cause)
}

fn gone_is_fine(result: Result<(), Errno>) -> io::Result<()> {
    match result {
        Ok(()) | Err(Errno::SRCH) => Ok(()),
        Err(cause) => Err(cause.into()),
    }
}
