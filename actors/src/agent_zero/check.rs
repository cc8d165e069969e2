//! What can be known before a start, so that a start that cannot work is refused with the reason at once, instead of
//! half a minute later by a traceback.

use std::{
    io,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use rustix::process::geteuid;
use tokio::{process::Command, task::spawn_blocking, time::timeout};

use super::{AsRoot, Settings, installation::Installation};
use crate::{Error, runtime::port, value::Port};

/// The first file of Agent Zero that is run.
pub(super) const PROGRAM: &str = "run_ui.py";
/// The refusals that only another configuration can end.
pub(super) const NOT_CONFIGURED: &str = "AGENT_ZERO_NOT_CONFIGURED";
pub(super) const AS_ROOT: &str = "AGENT_ZERO_AS_ROOT";
const MIN_PYTHON: (u32, u32) = (3, 12);
const PYTHON_DEADLINE: Duration = Duration::from_secs(15);
const ASK_VERSION: &str = "import sys; print(sys.version_info[0], sys.version_info[1])";

/// What is to be started, found to be fit.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) installation: Installation,
    pub(super) python: PathBuf,
    pub(super) port: Port,
}

/// Checks everything; `environment` is what the program will be given of ours.
///
/// # Errors
/// Says what stands in the way, and what would help.
pub(super) async fn check(settings: &Settings, environment: &[(&'static str, String)]) -> Result<Plan, Error> {
    let directory = settings.directory.clone().ok_or_else(not_configured)?;
    check_program(&directory).await?;
    check_user(settings.as_root)?;
    let python = interpreter(&directory, &settings.python);
    check_python(&python, &directory, environment).await?;
    port::check(settings.port).await?;
    Ok(Plan {
        installation: Installation::new(directory),
        python,
        port: settings.port,
    })
}

/// How people tell BorgOS of it.
pub(crate) const HOW_TO_CONFIGURE: &str =
    "set `--agent-zero-dir` or BORGOS_AGENT_ZERO_DIR to the directory that has Agent Zero's `run_ui.py`";

/// The refusal of everything while no directory is named.
pub(super) fn not_configured() -> Error {
    conflict(NOT_CONFIGURED, HOW_TO_CONFIGURE)
}

async fn check_program(directory: &Path) -> Result<(), Error> {
    let path = directory.join(PROGRAM);
    let looked_at = path.clone();
    match spawn_blocking(move || looked_at.is_file()).await {
        Ok(true) => Ok(()),
        Ok(false) => Err(conflict(
            "AGENT_ZERO_NOT_INSTALLED",
            format!("there is no `{}`", path.display()),
        )),
        Err(cause) => Err(Error::Internal(format!(
            "`{}` cannot be looked at: {cause}",
            path.display()
        ))),
    }
}

fn check_user(as_root: AsRoot) -> Result<(), Error> {
    if geteuid().is_root() && as_root == AsRoot::Refuse {
        return Err(conflict(
            AS_ROOT,
            "BorgOS runs as root, and Agent Zero would run its model's commands with every right; run BorgOS as another \
             user, or set `--agent-zero-as-root` if this machine is Agent Zero's alone",
        ));
    }
    Ok(())
}

/// A name is looked for in `PATH`; a path may be below the directory, as that of a virtual environment is.
fn interpreter(directory: &Path, python: &Path) -> PathBuf {
    match python.components().count() {
        0 | 1 => python.to_owned(),
        _ => directory.join(python),
    }
}

async fn check_python(python: &Path, directory: &Path, environment: &[(&'static str, String)]) -> Result<(), Error> {
    let unfit = |what: String| {
        let (major, minor) = MIN_PYTHON;
        conflict(
            "AGENT_ZERO_PYTHON",
            format!(
                "`{}` {what}; Agent Zero needs Python {major}.{minor} or newer: set `--agent-zero-python` or \
                 BORGOS_AGENT_ZERO_PYTHON",
                python.display()
            ),
        )
    };
    match python_version(python, directory, environment).await {
        Ok(version) if version >= MIN_PYTHON => Ok(()),
        Ok((major, minor)) => Err(unfit(format!("is Python {major}.{minor}"))),
        Err(cause) => Err(unfit(format!("does not tell its version: {cause}"))),
    }
}

async fn python_version(
    python: &Path,
    directory: &Path,
    environment: &[(&'static str, String)],
) -> io::Result<(u32, u32)> {
    let mut command = Command::new(python);
    command
        .args(["-c", ASK_VERSION])
        .current_dir(directory)
        .env_clear()
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let output = timeout(PYTHON_DEADLINE, command.output()).await??;
    let text = String::from_utf8_lossy(&output.stdout);
    let mut numbers = text.split_whitespace().map(str::parse);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => Ok((major, minor)),
        _ => Err(io::Error::other(format!("it ended with {}", output.status))),
    }
}

pub(super) fn conflict(code: &'static str, reason: impl Into<String>) -> Error {
    Error::Conflict {
        code,
        reason: reason.into(),
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    use super::*;

    fn settings(directory: Option<&Path>, python: &str) -> Settings {
        Settings {
            directory: directory.map(Path::to_owned),
            // Nobody listens there.
            port: Port::try_from(9).unwrap(),
            python: python.into(),
            as_root: AsRoot::Allow,
        }
    }

    async fn refusal(settings: &Settings) -> (&'static str, String) {
        let error = check(settings, &[("PATH", "/usr/bin:/bin".to_owned())])
            .await
            .unwrap_err();
        (error.code(), error.to_string())
    }

    fn write_python(directory: &Path, answer: &str) {
        let path = directory.join("python");
        fs::write(&path, format!("#!/bin/sh\n{answer}\n")).unwrap();
        fs::set_permissions(path, PermissionsExt::from_mode(0o755)).unwrap();
    }

    #[tokio::test]
    async fn each_thing_that_stands_in_the_way_is_named() {
        let (code, text) = refusal(&settings(None, "python3")).await;
        assert!(
            code == "AGENT_ZERO_NOT_CONFIGURED" && text.contains("BORGOS_AGENT_ZERO_DIR"),
            "{text}"
        );

        let directory = tempfile::tempdir().unwrap();
        let (code, text) = refusal(&settings(Some(directory.path()), "python3")).await;
        assert!(
            code == "AGENT_ZERO_NOT_INSTALLED" && text.contains("run_ui.py"),
            "{text}"
        );

        fs::write(directory.path().join(PROGRAM), "").unwrap();
        let (code, text) = refusal(&settings(Some(directory.path()), "./no-such-python")).await;
        assert!(code == "AGENT_ZERO_PYTHON" && text.contains("no-such-python"), "{text}");

        write_python(directory.path(), "echo 3 11");
        let (code, text) = refusal(&settings(Some(directory.path()), "./python")).await;
        assert!(code == "AGENT_ZERO_PYTHON" && text.contains("is Python 3.11"), "{text}");

        write_python(directory.path(), "echo 3 12");
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let mut wanted = settings(Some(directory.path()), "./python");
        wanted.port = Port::try_from(i64::from(listener.local_addr().unwrap().port())).unwrap();
        let (code, text) = refusal(&wanted).await;
        let me = format!("(pid {})", std::process::id());
        assert!(code == "PORT_IN_USE" && text.contains(&me), "{text}");
        drop(listener);
        let plan = check(&wanted, &[]).await.unwrap();
        assert_eq!(plan.python, directory.path().join("./python"));
    }

    #[test]
    fn the_superuser_is_refused_unless_told_otherwise() {
        let refused = check_user(AsRoot::Refuse);
        assert_eq!(refused.is_err(), geteuid().is_root());
        assert!(check_user(AsRoot::Allow).is_ok());
    }
}
