//! What a world leaves behind: containers and processes that outlived it.

use std::{collections::HashMap, fs, os::unix::ffi::OsStrExt, path::Path};

use bollard::{
    Docker,
    query_parameters::{ListContainersOptionsBuilder, RemoveContainerOptionsBuilder},
};
use rustix::process::{Pid, Signal, kill_process};

/// Returns the ids of all containers, running or not, that the BorgOS with this id has started.
pub(crate) async fn containers(docker: &Docker, instance: &str) -> Vec<String> {
    let label = format!("borgos.instance={instance}");
    let options = ListContainersOptionsBuilder::default()
        .all(true)
        .filters(&HashMap::from([("label", vec![label])]))
        .build();
    let found = docker
        .list_containers(Some(options))
        .await
        .expect("the engine lists containers");
    found.into_iter().filter_map(|container| container.id).collect()
}

/// Removes what [`containers`] finds, after a test that failed.
pub(crate) async fn remove_containers(docker: &Docker, instance: &str) {
    for id in containers(docker, instance).await {
        let options = RemoveContainerOptionsBuilder::default().force(true).build();
        if let Err(error) = docker.remove_container(&id, Some(options)).await {
            eprintln!("container {id} is left over: {error}");
        }
    }
}

/// Returns the processes, by id and command line, that run in `root` or name it in their arguments or environment:
/// the server, its keepers, and the programs of process deployments.
pub(crate) fn processes(root: &Path) -> Vec<(Pid, String)> {
    let entries = fs::read_dir("/proc").expect("/proc is mounted");
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok().and_then(Pid::from_raw));
    pids.filter(|pid| *pid != rustix::process::getpid())
        .filter(|pid| concerns(*pid, root))
        .map(|pid| (pid, command_line(pid)))
        .collect()
}

/// Kills what [`processes`] finds, after a test that failed.
pub(crate) fn kill_processes(root: &Path) {
    for (pid, command) in processes(root) {
        if let Err(error) = kill_process(pid, Signal::KILL) {
            eprintln!("process {} ({command}) is left over: {error}", pid.as_raw_nonzero());
        }
    }
}

/// A process that ends while it is looked at concerns nobody.
fn concerns(pid: Pid, root: &Path) -> bool {
    let directory = Path::new("/proc").join(pid.as_raw_nonzero().to_string());
    let names = |file: &str| {
        let content = fs::read(directory.join(file)).unwrap_or_default();
        content
            .windows(root.as_os_str().len())
            .any(|window| window == root.as_os_str().as_bytes())
    };
    fs::read_link(directory.join("cwd")).is_ok_and(|cwd| cwd.starts_with(root)) || names("cmdline") || names("environ")
}

fn command_line(pid: Pid) -> String {
    let arguments = fs::read(format!("/proc/{}/cmdline", pid.as_raw_nonzero())).unwrap_or_default();
    String::from_utf8_lossy(&arguments).replace('\0', " ")
}
