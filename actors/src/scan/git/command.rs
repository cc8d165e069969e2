//! One run of the `git` program in a repository that nobody vouches for.
//!
//! A repository's own settings can name programs for git to run: hooks, a file system monitor, filters, a signature checker,
//! a pager. All are switched off here, settings of the machine and of its users are not read, nothing is fetched, and no lock
//! is taken. That is why the owner of the repository need not be trusted, and is not asked for.

use std::{
    io::{self, Read},
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process_group};

/// How often the end of the run is looked for.
const POLL: Duration = Duration::from_millis(5);
const MAX_OUTPUT_BYTES: u64 = 64 * 1024 * 1024;

/// Settings that override those of the repository.
const SETTINGS: [(&str, &str); 10] = [
    ("safe.directory", "*"),
    ("core.fsmonitor", "false"),
    ("core.hooksPath", "/dev/null"),
    ("core.untrackedCache", "false"),
    ("core.sshCommand", "false"),
    ("core.pager", "cat"),
    ("log.showSignature", "false"),
    ("diff.external", ""),
    ("protocol.allow", "never"),
    ("submodule.recurse", "false"),
];

/// What limits a run.
#[derive(Clone, Copy)]
pub(super) struct Limits<'a> {
    pub(super) deadline: Instant,
    pub(super) cancel: &'a AtomicBool,
}

/// Runs `git` with these arguments and returns what it printed.
///
/// # Errors
/// Says so when git is missing, fails, or is not done in time.
pub(super) fn run(
    directory: &Path,
    arguments: &[&str],
    disabled: &[String],
    limits: Limits<'_>,
) -> io::Result<Vec<u8>> {
    let mut child = command(directory, arguments, disabled).spawn()?;
    let Some(stdout) = child.stdout.take() else {
        return Err(io::Error::other("git has no output"));
    };
    thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut output = Vec::new();
            // Dropping the pipe at the limit ends git, should it still write.
            stdout.take(MAX_OUTPUT_BYTES).read_to_end(&mut output).map(|_| output)
        });
        let ended = wait(&mut child, limits);
        let output = reader
            .join()
            .map_err(|_| io::Error::other("the reader of git's output panicked"))??;
        match ended? {
            true => Ok(output),
            false => Err(io::Error::other(format!("git {} failed", arguments.join(" ")))),
        }
    })
}

fn command(directory: &Path, arguments: &[&str], disabled: &[String]) -> Command {
    let mut command = Command::new("git");
    command
        .current_dir(directory)
        .env_clear()
        .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
        .env("LC_ALL", "C")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_ATTR_NOSYSTEM", "1")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_OPTIONAL_LOCKS", "0")
        .env("GIT_NO_LAZY_FETCH", "1")
        .env("GIT_NO_REPLACE_OBJECTS", "1");
    let switched_off = disabled.iter().map(|name| (name.as_str(), ""));
    let settings: Vec<_> = SETTINGS.into_iter().chain(switched_off).collect();
    // Not `-c name=value`: a filter's name may have a `=` in it.
    command.env("GIT_CONFIG_COUNT", settings.len().to_string());
    for (index, (name, value)) in settings.iter().enumerate() {
        command
            .env(format!("GIT_CONFIG_KEY_{index}"), name)
            .env(format!("GIT_CONFIG_VALUE_{index}"), value);
    }
    command
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .process_group(0);
    command
}

/// Waits for the end and tells whether it was a good one; whoever takes too long is killed, with all its children.
fn wait(child: &mut Child, limits: Limits<'_>) -> io::Result<bool> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status.success());
        }
        if Instant::now() >= limits.deadline || limits.cancel.load(Ordering::Relaxed) {
            if let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
                // The group may be gone already.
                let _gone = kill_process_group(group, Signal::KILL);
            }
            child.wait()?;
            return Err(io::Error::new(io::ErrorKind::TimedOut, "git did not end in time"));
        }
        thread::sleep(POLL);
    }
}
