//! What all programs that BorgOS starts have in common: what they inherit, and how they and theirs are ended.

use std::{
    env,
    io::{self, Read},
};

use procfs::process::{Process, Stat};
use rustix::{
    io::Errno,
    process::{Pid, Resource, Rlimit, Signal, kill_process, kill_process_group, prlimit},
};

/// What a program is given of BorgOS's own environment.
const INHERITED: [&str; 4] = ["PATH", "HOME", "LANG", "TZ"];

/// More of a process's environment is not read.
const MAX_ENVIRONMENT_BYTES: u64 = 4 * 1024 * 1024;

/// Returns the variables that every program is given.
pub(crate) fn inherited() -> Vec<(&'static str, String)> {
    let known = INHERITED.into_iter();
    known.filter_map(|name| Some((name, env::var(name).ok()?))).collect()
}

/// Sends a signal to a process group. One that has ended is no error.
pub(crate) fn signal_group(leader: Pid, signal: Signal) -> io::Result<()> {
    gone_is_fine(kill_process_group(leader, signal))
}

/// Kills all running processes that are meant, and returns how many that were.
pub(crate) fn kill_all(is_meant: impl Fn(&Process, &Stat) -> bool) -> io::Result<usize> {
    let mut num_killed = 0;
    for process in procfs::process::all_processes().map_err(io::Error::other)?.flatten() {
        // One that cannot be read has ended meanwhile.
        let Ok(stat) = process.stat() else { continue };
        if let Some(pid) = Pid::from_raw(stat.pid).filter(|_| is_running(&stat) && is_meant(&process, &stat)) {
            gone_is_fine(kill_process(pid, Signal::KILL))?;
            num_killed += 1;
        }
    }
    Ok(num_killed)
}

/// Tells whether a process runs; one that has ended and was not yet taken note of does not.
pub(crate) fn is_running(stat: &Stat) -> bool {
    !matches!(stat.state, 'Z' | 'X' | 'x')
}

/// Returns the environment that a process was started with, as the kernel keeps it: entries that each end with a NUL.
pub(crate) fn environment(process: &Process) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = process.open_relative("environ").map_err(io::Error::other)?;
    file.take(MAX_ENVIRONMENT_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Bounds what a process, and whatever it starts from now on, may write to, and takes from it the right to raise that.
pub(crate) fn limit_memory(process: Pid, bytes: u64) -> io::Result<()> {
    let limit = Rlimit {
        current: Some(bytes),
        maximum: Some(bytes),
    };
    gone_is_fine(prlimit(process.into(), Resource::Data, limit).map(drop))
}

/// Takes the end of a process for what was wanted of it.
pub(crate) fn gone_is_fine(result: Result<(), Errno>) -> io::Result<()> {
    match result {
        Ok(()) | Err(Errno::SRCH) => Ok(()),
        Err(cause) => Err(cause.into()),
    }
}
