//! One run of the `git` program in a repository that nobody vouches for.
//!
//! A repository's own settings can name programs for git to run: hooks, a file system monitor, filters, a signature checker,
//! a pager. All are switched off here, settings of the machine and of its users are not read, nothing is fetched unless the
//! caller allows it, and no lock is taken. That is why the owner of the repository need not be trusted, and is not asked for.

use std::{
    ffi::OsString,
    io::{self, Read},
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process_group, prlimit};

/// How often the end of the run is looked for.
const POLL: Duration = Duration::from_millis(5);
const MAX_OUTPUT_BYTES: u64 = 64 * 1024 * 1024;
/// So much is read of what git complains about.
const MAX_COMPLAINT_BYTES: u64 = 16 * 1024;
/// So much of it is told.
const MAX_TOLD_CHARS: usize = 500;

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
pub(crate) struct Limits<'a> {
    pub(crate) deadline: Instant,
    pub(crate) cancel: &'a AtomicBool,
}

/// Where and how git is run.
pub(crate) struct Git<'a> {
    pub(crate) directory: &'a Path,
    /// Settings above the safe ones.
    pub(crate) settings: Vec<(String, String)>,
    /// Variables beside the safe ones.
    pub(crate) environment: Vec<(&'static str, OsString)>,
    /// No file that it writes may be larger.
    pub(crate) max_file_bytes: Option<u64>,
    pub(crate) limits: Limits<'a>,
}

impl<'a> Git<'a> {
    /// Prepares runs in a directory.
    pub(crate) fn new(directory: &'a Path, limits: Limits<'a>) -> Self {
        Self {
            directory,
            settings: Vec::new(),
            environment: Vec::new(),
            max_file_bytes: None,
            limits,
        }
    }

    /// Runs `git` with these arguments and returns what it printed.
    ///
    /// # Errors
    /// Says so when git is missing, fails, or is not done in time.
    pub(crate) fn run(&self, arguments: &[&str]) -> io::Result<Vec<u8>> {
        let mut child = self.command(arguments).spawn()?;
        if let Some(bytes) = self.max_file_bytes {
            limit_files(&child, bytes)?;
        }
        let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) else {
            return Err(io::Error::other("git has no output"));
        };
        thread::scope(|scope| {
            // Dropping a pipe at its limit ends git, should it still write.
            let output = scope.spawn(|| read(stdout, MAX_OUTPUT_BYTES));
            let complaint = scope.spawn(|| read(stderr, MAX_COMPLAINT_BYTES));
            let ended = wait(&mut child, self.limits);
            let output = output.join().map_err(|_| panicked())??;
            let complaint = complaint.join().map_err(|_| panicked())??;
            match ended? {
                true => Ok(output),
                false => Err(io::Error::other(told(arguments, &complaint))),
            }
        })
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("git");
        command
            .current_dir(self.directory)
            .env_clear()
            .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
            .env("LC_ALL", "C")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_ATTR_NOSYSTEM", "1")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_OPTIONAL_LOCKS", "0")
            .env("GIT_NO_LAZY_FETCH", "1")
            .env("GIT_NO_REPLACE_OBJECTS", "1")
            .envs(self.environment.iter().map(|(name, value)| (name, value)));
        let further = self
            .settings
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()));
        let settings: Vec<_> = SETTINGS.into_iter().chain(further).collect();
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
            .stderr(Stdio::piped())
            .process_group(0);
        command
    }
}

fn limit_files(child: &Child, bytes: u64) -> io::Result<()> {
    let limit = Rlimit {
        current: Some(bytes),
        maximum: Some(bytes),
    };
    match prlimit(Some(Pid::from_child(child)), Resource::Fsize, limit) {
        // It has ended already.
        Ok(_) | Err(rustix::io::Errno::SRCH) => Ok(()),
        Err(cause) => Err(cause.into()),
    }
}

fn read(pipe: impl Read, max_bytes: u64) -> io::Result<Vec<u8>> {
    let mut output = Vec::new();
    pipe.take(max_bytes).read_to_end(&mut output)?;
    Ok(output)
}

fn panicked() -> io::Error {
    io::Error::other("the reader of git's output panicked")
}

/// Says which command failed, and what git said last, which tells the cause.
fn told(arguments: &[&str], complaint: &[u8]) -> String {
    let verb = arguments.first().copied().unwrap_or_default();
    let complaint = String::from_utf8_lossy(complaint);
    let mut lines = complaint.lines().map(str::trim).filter(|line| !line.is_empty());
    match lines.next_back() {
        Some(last) => format!(
            "git {verb} failed: {}",
            last.chars().take(MAX_TOLD_CHARS).collect::<String>()
        ),
        None => format!("git {verb} failed"),
    }
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
