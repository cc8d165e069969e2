//! Starts keepers.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use tokio::{
    io::AsyncWriteExt,
    process::{Child, Command as Program},
    time::{sleep, timeout},
};

use super::{
    blocking,
    record::{Phase, Record, Spec, private_file},
    refused,
};
use crate::{
    program::inherited,
    runtime::{Artifact, Error, InstanceSpec},
    value::Command,
};

/// How long a keeper may take to say that the app was started.
const START_DEADLINE: Duration = Duration::from_secs(10);
const LOOK_EVERY: Duration = Duration::from_millis(10);
const MAX_COMPLAINT_BYTES: usize = 1000;

/// How to start a keeper.
#[derive(Debug)]
pub(super) struct Launcher {
    program: PathBuf,
    arguments: Vec<OsString>,
    inherited: Vec<(&'static str, String)>,
}

impl Launcher {
    pub(super) fn new(program: PathBuf, arguments: Vec<OsString>) -> Self {
        Self {
            program,
            arguments,
            inherited: inherited(),
        }
    }

    pub(super) fn inherited(&self) -> &[(&'static str, String)] {
        &self.inherited
    }

    /// Starts the keeper of a record and waits until it says that the app was started, or was not.
    pub(super) async fn launch(&self, record: &Record, spec: &InstanceSpec, port: u16) -> Result<(), Error> {
        let mut keeper = self
            .spawn(record)
            .map_err(|cause| refused(format!("the keeper cannot be started: {cause}")))?;
        let begun = async {
            self.send_environment(&mut keeper, spec, port).await;
            started(record, &mut keeper).await
        };
        match timeout(START_DEADLINE, begun).await {
            Ok(outcome) => outcome,
            Err(_) => Err(refused(format!(
                "the keeper did not answer within {} s",
                START_DEADLINE.as_secs()
            ))),
        }
    }

    /// The keeper needs nothing of our environment, and is not ours to kill.
    fn spawn(&self, record: &Record) -> io::Result<Child> {
        Program::new(&self.program)
            .args(&self.arguments)
            .arg(record.directory())
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(private_file(&record.path("keeper.log"))?)
            .kill_on_drop(false)
            .spawn()
    }

    /// Tells the keeper the app's environment. Should that fail, the keeper has ended, which is seen right after.
    async fn send_environment(&self, keeper: &mut Child, spec: &InstanceSpec, port: u16) {
        let port = port.to_string();
        let mut environment: BTreeMap<&str, &str> = self
            .inherited
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        environment.extend(spec.environment.iter());
        environment.insert("PORT", &port);
        let text = serde_json::Value::from_iter(environment);
        if let Some(mut pipe) = keeper.stdin.take() {
            let sent = pipe.write_all(text.to_string().as_bytes()).await;
            tracing::debug!(is_sent = sent.is_ok(), "environment sent to a keeper");
        }
    }
}

/// Waits for what the keeper writes down.
async fn started(record: &Record, keeper: &mut Child) -> Result<(), Error> {
    loop {
        // Asked before the state is read: a keeper that has ended writes nothing after that.
        let ended = keeper.try_wait().map_err(|cause| refused(cause.to_string()))?;
        let read = record.clone();
        match blocking(move || read.state()).await?.map(|state| state.phase) {
            Some(Phase::Running { .. } | Phase::Exited { .. }) => return Ok(()),
            Some(Phase::Failed { reason, .. }) => return Err(Error::StartFailed(reason)),
            Some(Phase::Starting) | None => {}
        }
        if let Some(status) = ended {
            let complaint = record.path("keeper.log");
            let complaint = blocking(move || std::fs::read(complaint)).await?;
            let complaint =
                String::from_utf8_lossy(&complaint[..complaint.len().min(MAX_COMPLAINT_BYTES)]).into_owned();
            return Err(refused(format!(
                "the keeper ended early ({status}): {}",
                complaint.trim()
            )));
        }
        sleep(LOOK_EVERY).await;
    }
}

/// Reduces what is to be started to what a keeper needs to know.
pub(super) fn keeper_spec(spec: &InstanceSpec, port: u16) -> Result<Spec, Error> {
    let Artifact::Command { command, directory } = &spec.artifact else {
        return Err(refused("an image needs Docker"));
    };
    Ok(Spec {
        deployment: spec.deployment,
        release: spec.release,
        generation: spec.generation,
        command: spec.command.as_ref().unwrap_or(command).clone(),
        directory: directory.clone(),
        port,
        memory_limit_bytes: spec.memory_limit.as_ref().map(|limit| limit.bytes()),
    })
}

/// Checks what can be known before the start: the directory, and a program that is named by its path. Where a bare name is
/// found depends on the deployment's own PATH, so that is left to the start.
pub(super) fn check(command: &Command, directory: &Path) -> Result<(), Error> {
    if !directory.is_dir() {
        return Err(Error::StartFailed(format!("`{}` is no directory", directory.display())));
    }
    match command.as_argv().first() {
        Some(program) if program.contains('/') => check_program(&directory.join(program)),
        _ => Ok(()),
    }
}

fn check_program(path: &Path) -> Result<(), Error> {
    let failed = |reason: String| Err(Error::StartFailed(format!("`{}` {reason}", path.display())));
    match path.metadata() {
        Err(cause) => failed(format!("cannot be run: {cause}")),
        Ok(metadata) if !metadata.is_file() => failed("is no file".to_owned()),
        Ok(metadata) if metadata.permissions().mode() & 0o111 == 0 => failed("is not executable".to_owned()),
        Ok(_) => Ok(()),
    }
}
