//! Tells one process from another that was given the same pid later.

use procfs::{
    ProcError,
    process::{Process, Stat},
};
use rustix::process::Pid;
use serde::{Deserialize, Serialize};

use crate::program::is_running;

/// A process: its pid, and what makes the pid unique.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Identity {
    /// The pid, which is also the id of the process group of an app and of the session of a keeper.
    pub(super) pid: i32,
    /// When the kernel started it, in ticks since boot.
    started: u64,
    /// Which boot that was.
    boot: String,
}

impl Identity {
    /// Identifies a process that is known to be alive, or a zombie.
    pub(super) fn of(pid: i32) -> Result<Self, ProcError> {
        let started = Process::new(pid)?.stat()?.starttime;
        let boot = procfs::sys::kernel::random::boot_id()?;
        Ok(Self { pid, started, boot })
    }

    /// Tells whether the process still runs. A zombie does not.
    pub(super) fn is_alive(&self) -> Result<bool, ProcError> {
        match stat_of(self.pid)? {
            Some(stat) if stat.starttime == self.started => Ok(is_running(&stat) && self.is_of_this_boot()?),
            _ => Ok(false),
        }
    }

    pub(super) fn is_of_this_boot(&self) -> Result<bool, ProcError> {
        Ok(procfs::sys::kernel::random::boot_id()? == self.boot)
    }

    /// Returns the pid as system calls take it.
    pub(super) fn as_pid(&self) -> Option<Pid> {
        Pid::from_raw(self.pid)
    }
}

/// Returns what the kernel says of a process, or nothing if there is none.
pub(super) fn stat_of(pid: i32) -> Result<Option<Stat>, ProcError> {
    match Process::new(pid).and_then(|process| process.stat()) {
        Ok(stat) => Ok(Some(stat)),
        Err(ProcError::NotFound(_)) => Ok(None),
        // The process ended between the opening and the reading.
        Err(ProcError::Io(cause, _)) if cause.raw_os_error() == Some(rustix::io::Errno::SRCH.raw_os_error()) => {
            Ok(None)
        }
        Err(cause) => Err(cause),
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_process_is_alive_until_it_ends_and_another_with_its_pid_is_not_it() {
        let mut child = Command::new("/bin/sleep").arg("600").spawn().unwrap();
        let identity = Identity::of(child.id().try_into().unwrap()).unwrap();
        assert!(identity.is_alive().unwrap());
        let later = Identity {
            started: identity.started + 1,
            ..identity.clone()
        };
        assert!(!later.is_alive().unwrap());
        let other_boot = Identity {
            boot: "other".to_owned(),
            ..identity.clone()
        };
        assert!(!other_boot.is_alive().unwrap());
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!identity.is_alive().unwrap());
    }
}
