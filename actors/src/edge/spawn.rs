//! Starts edge processes.

use std::{io, path::PathBuf, process::Stdio, time::Duration};

use tokio::{
    io::AsyncReadExt,
    process::{Child, Command},
    time::{sleep, timeout},
};

use super::{
    client::Client,
    directory::Directory,
    protocol::{Answer, Identity, Request},
};

/// How long an edge may take until it answers. A takeover waits for the old one.
const START_DEADLINE: Duration = Duration::from_secs(20);
const ASK_DEADLINE: Duration = Duration::from_secs(5);
const LOOK_EVERY: Duration = Duration::from_millis(10);
const MAX_COMPLAINT_BYTES: u64 = 1000;

/// Whether there is an edge already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Predecessor {
    None,
    Running,
}

/// How to start an edge.
#[derive(Debug, Clone)]
pub(super) struct Spawner {
    pub(super) program: PathBuf,
    pub(super) data_dir: PathBuf,
}

impl Spawner {
    /// Starts an edge and waits until it answers.
    ///
    /// # Errors
    /// Says what the edge had to say.
    pub(super) async fn start(&self, predecessor: Predecessor) -> io::Result<Client> {
        let mut child = self.spawn(predecessor)?;
        match timeout(START_DEADLINE, self.answering(&mut child)).await {
            Ok(result) => result,
            Err(late) => Err(late.into()),
        }
    }

    /// It needs nothing of our environment, and is not ours to kill.
    fn spawn(&self, predecessor: Predecessor) -> io::Result<Child> {
        let mut command = Command::new(&self.program);
        command.arg("edge").arg(&self.data_dir);
        if predecessor == Predecessor::Running {
            command.arg("take-over");
        }
        command
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            // Only until it has its own log.
            .stderr(Stdio::piped())
            .kill_on_drop(false)
            .spawn()
    }

    async fn answering(&self, child: &mut Child) -> io::Result<Client> {
        let directory = Directory::of(&self.data_dir);
        loop {
            if let Some(status) = child.try_wait()? {
                let complaint = complaint(child).await;
                return Err(io::Error::other(format!("the edge ended with {status}: {complaint}")));
            }
            // While the new edge is not there yet, nobody answers or the old one does.
            if let Ok(mut client) = Client::connect(&directory).await
                && let Ok(identity) = identify(&mut client).await
                && Some(identity.pid) == child.id()
            {
                return Ok(client);
            }
            sleep(LOOK_EVERY).await;
        }
    }
}

/// Asks an edge which program it is.
pub(super) async fn identify(client: &mut Client) -> io::Result<Identity> {
    match client.ask(&Request::Identify, ASK_DEADLINE).await? {
        Ok(Answer::Identity(identity)) => Ok(identity),
        other => Err(io::Error::other(format!("the edge does not say who it is: {other:?}"))),
    }
}

async fn complaint(child: &mut Child) -> String {
    let mut text = Vec::new();
    if let Some(pipe) = child.stderr.take()
        && let Err(error) = pipe.take(MAX_COMPLAINT_BYTES).read_to_end(&mut text).await
    {
        tracing::debug!(%error, "what an edge had to say cannot be read");
    }
    String::from_utf8_lossy(&text).trim().to_owned()
}
