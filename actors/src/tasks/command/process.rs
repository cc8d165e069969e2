//! One program from its start to the end of everything that it has started.

use std::{
    collections::BTreeMap,
    io,
    path::PathBuf,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use rustix::{
    io::Errno,
    process::{Pid, Signal},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    process::{Child, ChildStdin, Command},
    time::{Instant, sleep, timeout},
};

use super::{super::leftovers, capture::Capture};
use crate::{
    program,
    store::tasks::Progress,
    tasks::{Control, Failure},
};

/// How long output may still be read once every writer should be dead.
const DRAIN_DEADLINE: Duration = Duration::from_secs(1);
/// At most so often the last line of the output is reported.
const REPORT_EVERY: Duration = Duration::from_secs(1);
const READ_BYTES: usize = 16 * 1024;
/// The longest line that is reported.
const MAX_LINE_BYTES: usize = 500;

/// What to start.
pub(super) struct Launch {
    pub(super) argv: Vec<String>,
    pub(super) directory: PathBuf,
    pub(super) environment: BTreeMap<String, String>,
    pub(super) input: String,
    pub(super) memory_limit_bytes: Option<u64>,
}

/// How it ended.
pub(super) struct Ended {
    pub(super) status: ExitStatus,
    pub(super) stdout: Capture,
    pub(super) stderr: Capture,
}

/// Kills the program's group when it is dropped: an attempt can be given up at any await.
struct Group {
    leader: Pid,
    is_ended: bool,
}

impl Group {
    fn signal(&self, signal: Signal) {
        if let Err(error) = program::signal_group(self.leader, signal) {
            tracing::warn!(%error, "the program of a task could not be signalled");
        }
    }

    /// Kills what is left of the group; after that its number may be somebody else's.
    fn end(&mut self) {
        if !self.is_ended {
            self.signal(Signal::KILL);
            self.is_ended = true;
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.end();
    }
}

/// Runs a program until it has ended, and ends whatever it leaves behind. `None` when it was told to stop.
pub(super) async fn run(launch: Launch, control: &Control) -> Result<Option<Ended>, Failure> {
    let key = launch.environment.get(leftovers::VARIABLE).cloned().unwrap_or_default();
    let (mut child, mut group) = start(&launch)?;
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let (mut out, mut err) = (Capture::default(), Capture::default());
    let status = {
        let piping = async {
            tokio::join!(
                feed(stdin, launch.input.as_bytes()),
                read(stdout, &mut out, Some(control)),
                read(stderr, &mut err, None),
            );
        };
        let waiting = async {
            let status = until_end(&mut child, &group, control).await;
            group.end();
            leftovers::end_all(key).await;
            status
        };
        attend(piping, waiting).await
    };
    let status = status.map_err(|cause| Failure::passing("lost_program", format!("its end was not seen: {cause}")))?;
    Ok(status.map(|status| Ended {
        status,
        stdout: out,
        stderr: err,
    }))
}

fn start(launch: &Launch) -> Result<(Child, Group), Failure> {
    let [program, arguments @ ..] = launch.argv.as_slice() else {
        return Err(Failure::lasting("no_program", "the command is empty"));
    };
    let mut command = Command::new(program);
    command
        .args(arguments)
        .current_dir(&launch.directory)
        .env_clear()
        .envs(&launch.environment)
        .process_group(0)
        .stdin(if launch.input.is_empty() {
            Stdio::null()
        } else {
            Stdio::piped()
        })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let failed = |cause: io::Error| {
        let place = launch.directory.display();
        let message = format!("`{program}` cannot be started in `{place}`: {cause}");
        match is_passing(&cause) {
            true => Failure::passing("not_started", message),
            false => Failure::lasting("not_started", message),
        }
    };
    let child = command.spawn().map_err(failed)?;
    let pid = child
        .id()
        .and_then(|pid| i32::try_from(pid).ok())
        .and_then(Pid::from_raw);
    let leader = pid.ok_or_else(|| Failure::passing("not_started", "the program has no process id"))?;
    let group = Group {
        leader,
        is_ended: false,
    };
    if let Some(bytes) = launch.memory_limit_bytes {
        // Its first instructions run without the limit; what it allocates by then it could have had anyway.
        program::limit_memory(leader, bytes).map_err(failed)?;
    }
    Ok((child, group))
}

/// Tells whether what kept a program from being started goes by: this machine has no more room for it just now, or somebody
/// writes its file. That it is not there, or may not be started, stays.
fn is_passing(cause: &io::Error) -> bool {
    let passing = [
        Errno::AGAIN,
        Errno::NOMEM,
        Errno::MFILE,
        Errno::NFILE,
        Errno::NOSPC,
        Errno::TXTBSY,
        Errno::INTR,
        Errno::IO,
        Errno::STALE,
    ];
    Errno::from_io_error(cause).is_some_and(|errno| passing.contains(&errno))
}

/// Waits for the end; when told to stop, asks for it and then forces it.
async fn until_end(child: &mut Child, group: &Group, control: &Control) -> io::Result<Option<ExitStatus>> {
    tokio::select! {
        status = child.wait() => return status.map(Some),
        _ = control.stopped() => group.signal(Signal::TERM),
    }
    // Half of the grace is the program's, the other half is for what has to be done about it.
    let forced = async {
        tokio::select! {
            () = sleep(control.grace() / 2) => {}
            () = control.hurried() => sleep(control.grace() / 2).await,
        }
        group.signal(Signal::KILL);
        std::future::pending::<()>().await
    };
    tokio::select! {
        status = child.wait() => status.map(|_| None),
        () = forced => Ok(None),
    }
}

/// Pipes until the program and all of its own have ended, and then for a moment more.
async fn attend<T>(piping: impl Future<Output = ()>, waiting: impl Future<Output = T>) -> T {
    let (mut piping, mut waiting) = (Box::pin(piping), Box::pin(waiting));
    let mut is_piped = false;
    let ended = loop {
        tokio::select! {
            ended = &mut waiting => break ended,
            () = &mut piping, if !is_piped => is_piped = true,
        }
    };
    if !is_piped && timeout(DRAIN_DEADLINE, piping).await.is_err() {
        tracing::debug!("somebody still holds the output of a program that has ended");
    }
    ended
}

/// A program need not read its input.
async fn feed(stdin: Option<ChildStdin>, input: &[u8]) {
    if let Some(mut stdin) = stdin
        && let Err(error) = stdin.write_all(input).await
    {
        tracing::debug!(%error, "a program did not read all of its input");
    }
}

async fn read(output: Option<impl AsyncRead + Unpin>, capture: &mut Capture, reporting: Option<&Control>) {
    let Some(mut output) = output else { return };
    let mut buffer = vec![0; READ_BYTES];
    let mut reported_at: Option<Instant> = None;
    while let Ok(num_bytes @ 1..) = output.read(&mut buffer).await {
        let bytes = &buffer[..num_bytes];
        capture.write(bytes);
        let is_due = reported_at.is_none_or(|at| at.elapsed() >= REPORT_EVERY);
        if let Some((control, line)) = reporting.filter(|_| is_due).zip(last_line(bytes)) {
            reported_at = Some(Instant::now());
            control.offer(Progress::new(line));
        }
    }
}

/// Returns the last line with anything in it.
fn last_line(bytes: &[u8]) -> Option<String> {
    let mut lines = bytes.rsplit(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    let line = lines.find(|line| !line.is_empty())?;
    Some(String::from_utf8_lossy(&line[..line.len().min(MAX_LINE_BYTES)]).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_by_is_told_from_what_stays() {
        for (errno, expected) in [
            (Errno::AGAIN, true),
            (Errno::MFILE, true),
            (Errno::TXTBSY, true),
            (Errno::NOENT, false),
            (Errno::ACCESS, false),
            (Errno::TOOBIG, false),
            (Errno::NOEXEC, false),
        ] {
            assert_eq!(is_passing(&errno.into()), expected, "{errno}");
        }
        assert!(!is_passing(&io::Error::other("a NUL in an argument")));
    }
}
