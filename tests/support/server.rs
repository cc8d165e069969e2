//! The real program as a child process.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    process::{Child, Command},
    time::timeout,
};

/// The promise of a graceful stop, and a second for a busy machine.
const STOP_TIMEOUT: Duration = Duration::from_secs(11);

/// Returns a command for the program under test that sees nothing of this process's environment but what programs
/// need to find each other.
pub(crate) fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_borgos"));
    command.env_clear().stdin(Stdio::null()).kill_on_drop(true);
    for name in ["PATH", "HOME", "TMPDIR", "RUST_BACKTRACE"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    command
}

/// A running server. Dropping it kills it.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    log: PathBuf,
}

impl Server {
    /// Starts it, with its output appended to `log`.
    pub(crate) fn spawn(mut command: Command, log: &Path) -> Self {
        let output = File::options()
            .create(true)
            .append(true)
            .open(log)
            .expect("the log can be written");
        let errors = output.try_clone().expect("a handle can be duplicated");
        let child = command
            .stdout(output)
            .stderr(errors)
            .spawn()
            .expect("the program can be started");
        Self {
            child,
            log: log.to_owned(),
        }
    }

    /// Returns its process id.
    pub(crate) fn pid(&self) -> Pid {
        let pid = self
            .child
            .id()
            .and_then(|pid| i32::try_from(pid).ok())
            .and_then(Pid::from_raw);
        pid.expect("the server has not been waited for")
    }

    /// Fails the test if the server has ended by itself.
    pub(crate) fn assert_alive(&mut self) {
        if let Some(status) = self.child.try_wait().expect("a child can be asked for its state") {
            panic!("the server ended with {status}:\n{}", self.output());
        }
    }

    /// Ends it as an operator does, and returns how it ended.
    pub(crate) async fn terminate(mut self) -> ExitStatus {
        self.assert_alive();
        kill_process(self.pid(), Signal::TERM).expect("a child can be signalled");
        match timeout(STOP_TIMEOUT, self.child.wait()).await {
            Ok(status) => status.expect("a child can be waited for"),
            Err(_) => panic!(
                "the server still runs {STOP_TIMEOUT:?} after SIGTERM:\n{}",
                self.output()
            ),
        }
    }

    /// Ends it as a power failure does.
    pub(crate) async fn kill_9(mut self) {
        self.child.kill().await.expect("a child can be killed");
    }

    fn output(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_else(|error| format!("(no log: {error})"))
    }
}
