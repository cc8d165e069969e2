//! A limit of memory for a running process, by the kernel, and what the process held at most.

use std::{
    fs,
    path::{Path, PathBuf},
};

use rustix::process::Pid;

const ROOT: &str = "/sys/fs/cgroup";

/// A control group with a limit; removed when it is dropped, by when its processes must have ended.
#[derive(Debug)]
pub(crate) struct MemoryLimit {
    group: PathBuf,
}

impl MemoryLimit {
    /// Makes a group that holds so much. What the kernel caches of files counts too, and is given back.
    pub(crate) fn new(bytes: u64) -> Self {
        let is_unified = Path::new(ROOT).join("cgroup.controllers").exists();
        let (parent, file) = match is_unified {
            true => (PathBuf::from(ROOT), "memory.max"),
            false => (Path::new(ROOT).join("memory"), "memory.limit_in_bytes"),
        };
        let limit = Self {
            group: parent.join(format!("borgos-test-{}", std::process::id())),
        };
        fs::create_dir(&limit.group).expect("a control group can be made");
        fs::write(limit.group.join(file), bytes.to_string()).expect("memory can be limited");
        limit
    }

    /// Limits a process and what it starts from now on.
    pub(crate) fn hold(&self, pid: Pid) {
        let processes = self.group.join("cgroup.procs");
        fs::write(processes, pid.as_raw_nonzero().to_string()).expect("a process can be moved into a group");
    }
}

impl Drop for MemoryLimit {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir(&self.group) {
            eprintln!("{} is left over: {error}", self.group.display());
        }
    }
}

/// Returns the most memory that a process has held at a time, in bytes.
pub(crate) fn peak_memory(pid: Pid) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", pid.as_raw_nonzero())).expect("the process runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kilobytes.expect("the kernel tells the peak") * 1024
}
