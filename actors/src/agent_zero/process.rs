//! The process itself: a keeper starts it and stays with it, so that it outlives BorgOS, its output is always read, and
//! nothing of it is left when it has ended. It is the process runtime's keeper, with records of its own.

use std::{io, path::PathBuf, time::Duration};

use serde_json::json;
use tokio::{
    task::spawn_blocking,
    time::{Instant, sleep},
};

use super::{
    check::{PROGRAM, Plan},
    installation::Installation,
};
use crate::{
    Error,
    id::{DeploymentId, Generation},
    program::{self, Mark},
    runtime::{
        Artifact, Exit, InstanceRef, InstanceSpec, InstanceState, Observation, Processes, Runtime, port,
        process::{Follower, From},
    },
    value::{Command, Environment, Port, Secrets, Volumes},
};

/// No deployment has this number, and the records are in a place of their own anyway.
const OWNER: DeploymentId = DeploymentId(0);
/// Marks whatever Agent Zero starts, wherever that goes.
const MARKER: &str = "BORGOS_A0_INSTANCE";
/// How long a call of a model may take, in seconds; otherwise nothing bounds it.
const MODEL_DEADLINE_S: &str = "600";
/// How long the port may take to be free after an end.
const PORT_DEADLINE: Duration = Duration::from_secs(5);
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// How long the file system may take for one step.
const FILE_DEADLINE: Duration = Duration::from_secs(10);

/// One start of Agent Zero.
#[derive(Debug, Clone)]
pub(super) struct Instance {
    pub(super) reference: InstanceRef,
    /// The leader of its process group; unknown once it has ended.
    pub(super) process_id: Option<i32>,
    /// Which start this was.
    pub(super) run: Generation,
}

/// Starts and ends it.
#[derive(Debug, Clone)]
pub(super) struct Process {
    runtime: Processes,
    marker: String,
    workdir: PathBuf,
}

impl Process {
    /// Uses records of `runtime`; `marker` tells what was started by this installation from what others started, with which
    /// it may share its database.
    pub(super) fn new(runtime: Processes, marker: String, workdir: PathBuf) -> Self {
        Self {
            runtime,
            marker,
            workdir,
        }
    }

    /// Returns what the program is given of our environment.
    pub(super) fn environment(&self) -> &[(&'static str, String)] {
        self.runtime.inherited()
    }

    /// Returns what there is, the newest first, each with its exit if it has ended.
    pub(super) async fn find(&self) -> Result<Vec<(Instance, Option<Exit>)>, Error> {
        let mut found = Vec::new();
        for seen in self.runtime.instances(OWNER).await? {
            let process_id = self.runtime.leader(&seen.instance).await?;
            let exit = exit_of(&seen);
            let instance = Instance {
                reference: seen.instance,
                process_id,
                run: seen.generation,
            };
            found.push((instance, exit));
        }
        found.sort_by_key(|(instance, _)| std::cmp::Reverse(instance.run));
        Ok(found)
    }

    /// Starts it, as this run. Nothing may be left of earlier ones.
    pub(super) async fn start(&self, plan: &Plan, run: Generation) -> Result<Instance, Error> {
        let (installation, workdir) = (plan.installation.clone(), self.workdir.clone());
        blocking(move || {
            std::fs::create_dir_all(&workdir)?;
            installation.prepare(&workdir)
        })
        .await?;
        let reference = self.runtime.start(&self.spec(plan, run)?).await?;
        match self.runtime.leader(&reference).await {
            Ok(process_id) => Ok(Instance {
                reference,
                process_id,
                run,
            }),
            Err(error) => {
                // Nobody would look after it.
                self.runtime.stop(&reference, Duration::ZERO).await?;
                Err(error.into())
            }
        }
    }

    /// Returns how it ended, if it has.
    pub(super) async fn exit(&self, instance: &Instance) -> Result<Option<Exit>, Error> {
        let seen = self.runtime.instances(OWNER).await?;
        match seen.iter().find(|seen| seen.instance == instance.reference) {
            Some(seen) => Ok(exit_of(seen)),
            // Somebody has removed its record.
            None => Ok(Some(Exit {
                code: Exit::UNSEEN,
                is_oom: false,
                at: chrono::Utc::now(),
            })),
        }
    }

    /// Ends it and everything that it has started: SIGTERM, after `grace` SIGKILL, and both to the whole group.
    pub(super) async fn end(&self, instance: &Instance, grace: Duration) -> Result<(), Error> {
        self.runtime.stop(&instance.reference, grace).await?;
        self.sweep().await
    }

    /// Kills whatever it has ever started and that is still there.
    pub(super) async fn sweep(&self) -> Result<(), Error> {
        let mark = Mark::Entry(format!("{MARKER}={}", self.marker));
        let ended = program::end_marked(&mark).await;
        ended
            .map(drop)
            .map_err(|cause| Error::Internal(format!("Agent Zero's processes: {cause}")))
    }

    /// Removes what is left of one that has ended.
    pub(super) async fn forget(&self, instance: &Instance) -> Result<(), Error> {
        Ok(self.runtime.remove(&instance.reference).await?)
    }

    /// Waits until others can have the port.
    pub(super) async fn until_port_is_free(&self, wanted: Port) -> Result<(), Error> {
        let deadline = Instant::now() + PORT_DEADLINE;
        loop {
            match port::check(wanted).await {
                Err(Error::PortInUse { .. }) if Instant::now() < deadline => sleep(LOOK_EVERY).await,
                result => return result,
            }
        }
    }

    /// Tells whether the one who listens on the port is this instance, and not somebody else.
    pub(super) async fn listens(&self, instance: &Instance, wanted: Port) -> Result<bool, Error> {
        let Some(group) = instance.process_id else {
            return Ok(false);
        };
        blocking(move || Ok(port::is_held_by_group(wanted.get(), group))).await
    }

    /// Returns a reader of what it prints.
    pub(super) fn follow(&self, instance: &Instance, from: From) -> Option<Follower> {
        self.runtime.follow(&instance.reference, from)
    }

    /// Returns its last lines, as it printed them: what is secret in them is known to those who show them.
    pub(super) async fn tail(&self, instance: &Instance, num_lines: usize) -> Result<Vec<String>, Error> {
        Ok(self
            .runtime
            .tail(&instance.reference, num_lines, &Secrets::default())
            .await?)
    }

    fn spec(&self, plan: &Plan, run: Generation) -> Result<InstanceSpec, Error> {
        let invalid = |cause: String| Error::Internal(format!("Agent Zero cannot be described: {cause}"));
        let command = vec![
            plan.python.display().to_string(),
            PROGRAM.to_owned(),
            "--host=127.0.0.1".to_owned(),
            format!("--port={}", plan.port),
            // Without it code is run by another Agent Zero, which there is none of.
            "--dockerized=true".to_owned(),
        ];
        let environment = json!({
            "PYTHONUNBUFFERED": "1",
            "REQUEST_TIMEOUT": MODEL_DEADLINE_S,
            MARKER: self.marker,
        });
        Ok(InstanceSpec {
            deployment: OWNER,
            release: run.0,
            generation: run,
            artifact: Artifact::Command {
                command: Command::try_from(command).map_err(|cause| invalid(cause.to_string()))?,
                directory: plan.installation.directory().to_owned(),
            },
            command: None,
            container_port: None,
            environment: serde_json::from_value::<Environment>(environment)
                .map_err(|cause| invalid(cause.to_string()))?,
            volumes: Volumes::default(),
            cpu_limit: None,
            memory_limit: None,
        })
    }
}

fn exit_of(seen: &Observation) -> Option<Exit> {
    match &seen.state {
        InstanceState::Exited(exit) => Some(exit.clone()),
        InstanceState::Created | InstanceState::Running { .. } => None,
    }
}

/// Reads something of the installation off the async threads.
pub(super) async fn look_into<T: Send + 'static>(
    installation: &Installation,
    look: impl FnOnce(&Installation) -> io::Result<T> + Send + 'static,
) -> Result<T, Error> {
    let installation = installation.clone();
    blocking(move || look(&installation)).await
}

/// Returns what must not be shown of what an installation says.
pub(super) async fn secrets(installation: &Installation) -> Secrets {
    let secrets = look_into(installation, |installation| installation.secrets()).await;
    secrets.unwrap_or_else(|error| {
        tracing::warn!(%error, "the secrets of Agent Zero are not known, so what it says may show them");
        Secrets::default()
    })
}

/// Does file work off the async threads.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, Error> {
    let unreadable = |cause: io::Error| Error::Internal(format!("a file of Agent Zero cannot be used: {cause}"));
    match tokio::time::timeout(FILE_DEADLINE, spawn_blocking(work)).await {
        Ok(Ok(result)) => result.map_err(unreadable),
        Ok(Err(cause)) => Err(unreadable(io::Error::other(cause))),
        Err(late) => Err(unreadable(late.into())),
    }
}
