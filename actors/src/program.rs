//! What all programs that BorgOS starts have in common: what they inherit, and how they and theirs are ended.

use std::{
    env,
    io::{self, Read},
    time::Duration,
};

use procfs::process::{Process, Stat};
use rustix::{
    io::Errno,
    process::{Pid, Resource, Rlimit, Signal, kill_process, kill_process_group, prlimit},
};
use tokio::{task::spawn_blocking, time::sleep};

/// What a program is given of BorgOS's own environment.
const INHERITED: [&str; 4] = ["PATH", "HOME", "LANG", "TZ"];

/// More of a process's environment is not read.
const MAX_ENVIRONMENT_BYTES: u64 = 4 * 1024 * 1024;

/// Passes until one finds nothing. More mean that something cannot be killed.
const MAX_PASSES: usize = 200;
const PAUSE: Duration = Duration::from_millis(5);

/// What tells programs that were started for one purpose from all others: an entry of their environment. Whatever they
/// start has it too, whether or not it leaves their process group.
#[derive(Debug, Clone)]
pub(crate) enum Mark {
    /// This entry.
    Entry(String),
    /// An entry that begins like this.
    Prefix(String),
}

impl Mark {
    fn is_on(&self, entry: &[u8]) -> bool {
        match self {
            Self::Entry(whole) => entry == whole.as_bytes(),
            Self::Prefix(beginning) => entry.starts_with(beginning.as_bytes()),
        }
    }
}

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

/// Kills all programs with this mark until none is left, and returns how many that were. BorgOS itself is spared, which
/// may have been started by such a program.
pub(crate) async fn end_marked(mark: &Mark) -> io::Result<usize> {
    let mut num_killed = 0;
    // Passes until one finds nothing: what is killed may have forked just before.
    for _ in 0..MAX_PASSES {
        let wanted = mark.clone();
        match spawn_blocking(move || kill_marked(&wanted))
            .await
            .map_err(io::Error::other)??
        {
            0 => return Ok(num_killed),
            some => num_killed += some,
        }
        sleep(PAUSE).await;
    }
    Err(io::Error::other("some programs cannot be killed"))
}

fn kill_marked(mark: &Mark) -> io::Result<usize> {
    let me = std::process::id();
    kill_all(|process, stat| {
        // The environment of a stranger's program may not be readable; then it is none of ours.
        let environment = environment(process).unwrap_or_default();
        stat.pid.unsigned_abs() != me && environment.split(|byte| *byte == 0).any(|entry| mark.is_on(entry))
    })
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
