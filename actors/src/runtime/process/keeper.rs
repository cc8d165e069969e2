//! The keeper: a process of its own for each app, so that the app outlives BorgOS and somebody still reads its output
//! and sees how it ends. It is this same program, started with a hidden subcommand, and does nothing else:
//!
//! 1. it leaves BorgOS's session, locks the record and adopts whatever the app will leave behind;
//! 2. it starts the app in a process group of its own and writes down that it runs;
//! 3. it reads the output into the record until the app ends;
//! 4. it kills what the app left behind, writes down how the app ended, and ends.
//!
//! It takes no orders. Who wants the app to end signals the app. Signals that would end the keeper are ignored, so that
//! it is there to see the end even when a whole control group is told to stop.

use std::{
    collections::BTreeMap,
    io::{self, Read, pipe},
    os::{fd::OwnedFd, unix::process::CommandExt},
    path::Path,
    process::{Child, Command, ExitCode, Stdio},
    time::Duration,
};

use chrono::Utc;
use rustix::{
    io::Errno,
    process::{Pid, Signal, WaitOptions, WaitStatus, getpid, set_child_subreaper, setsid, wait},
};
use tokio::{
    io::AsyncReadExt,
    net::unix::pipe::Receiver,
    signal::unix::{SignalKind, signal},
    time::{Instant, sleep, timeout_at},
};

use super::{
    group,
    identity::Identity,
    limits,
    log::OutputLog,
    record::{Phase, Record, Spec, State},
};
use crate::{program::signal_group, runtime::Exit, value::Secrets};

const MAX_ENVIRONMENT_BYTES: u64 = 32 * 1024 * 1024;
const READ_BYTES: usize = 16 * 1024;
/// How long what the app left behind may take to die of SIGKILL.
const CLEAN_UP_DEADLINE: Duration = Duration::from_secs(5);
/// How long output may still be read once every writer should be dead.
const DRAIN_DEADLINE: Duration = Duration::from_secs(1);

/// Runs the app of the record in `directory` until it ends. The environment comes as JSON through standard input.
///
/// Must be called before anything has started a thread, since it keeps the whole process small.
pub fn keep(directory: &Path) -> ExitCode {
    match run(&Record::at(directory.to_owned())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(cause) => {
            eprintln!("{cause}");
            ExitCode::FAILURE
        }
    }
}

fn run(record: &Record) -> io::Result<()> {
    let environment = read_environment()?;
    setsid()?;
    let _lock = record.lock()?;
    let spec = record
        .spec()?
        .ok_or_else(|| io::Error::other("the record was removed before it was started"))?;
    set_child_subreaper(Some(getpid()))?;
    let keeper = Identity::of(getpid().as_raw_pid()).map_err(group::into_io)?;
    let write = |phase| {
        record.write_state(&State {
            keeper: keeper.clone(),
            phase,
        })
    };
    write(Phase::Starting)?;

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        // Their handlers stay for good once they are set, and the app does not inherit them.
        for kind in [SignalKind::terminate(), SignalKind::interrupt(), SignalKind::hangup()] {
            drop(signal(kind)?);
        }
        let variables = environment.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let log = OutputLog::new(record.directory(), Secrets::among(variables));
        let (app, output) = match start(&spec, environment) {
            Ok(started) => started,
            Err(cause) => {
                return write(Phase::Failed {
                    reason: cause.to_string(),
                    at: Utc::now(),
                });
            }
        };
        let exit = attend(app, output, log, || {
            let app = Identity::of(app.as_raw_pid()).map_err(group::into_io)?;
            write(Phase::Running { app, since: Utc::now() })
        });
        write(Phase::Exited { exit: exit.await? })
    })
}

fn read_environment() -> io::Result<BTreeMap<String, String>> {
    let mut text = Vec::new();
    io::stdin().take(MAX_ENVIRONMENT_BYTES).read_to_end(&mut text)?;
    Ok(serde_json::from_slice(&text)?)
}

/// Starts the app. Standard output and error are one pipe, so that their order is kept.
fn start(spec: &Spec, environment: BTreeMap<String, String>) -> io::Result<(Pid, Receiver)> {
    let (reader, writer) = pipe()?;
    let output = Receiver::from_owned_fd(OwnedFd::from(reader))?;
    let [program, arguments @ ..] = spec.command.as_argv() else {
        return Err(io::Error::other("the command is empty"));
    };
    let mut command = Command::new(program);
    command
        .args(arguments)
        .current_dir(&spec.directory)
        .env_clear()
        .envs(environment)
        .process_group(0)
        .stdin(Stdio::null())
        .stderr(writer.try_clone()?)
        .stdout(writer);
    let app: Child = limits::spawn(&mut command, spec.memory_limit_bytes)?;
    Ok((Pid::from_child(&app), output))
}

/// Stays with the app until it has ended and nothing of it is left. Whatever fails, the app does not outlive this.
async fn attend(
    app: Pid,
    mut output: Receiver,
    mut log: OutputLog,
    announce: impl FnOnce() -> io::Result<()>,
) -> io::Result<Exit> {
    let seen = match announce() {
        Ok(()) => copy_until_end(app, &mut output, &mut log).await,
        Err(cause) => Err(cause),
    };
    let at = Utc::now();
    clean_up(app).await?;
    drain(&mut output, &mut log).await;
    log.end();
    Ok(Exit {
        code: seen?,
        is_oom: false,
        at,
    })
}

/// Copies output to the log until the app ends, and returns its exit code.
async fn copy_until_end(app: Pid, output: &mut Receiver, log: &mut OutputLog) -> io::Result<i64> {
    let mut children = signal(SignalKind::child())?;
    let mut buffer = vec![0; READ_BYTES];
    let mut is_open = true;
    loop {
        // After the signal stream was made, so that no end is missed.
        if let Some(code) = reap(Some(app))?.code {
            return Ok(code);
        }
        tokio::select! {
            _ = children.recv() => {}
            read = output.read(&mut buffer), if is_open => match read {
                Ok(0) | Err(_) => is_open = false,
                Ok(num_bytes) => log.push(&buffer[..num_bytes]),
            },
        }
    }
}

struct Reaped {
    /// The exit code of the process that was asked for, if it was among them.
    code: Option<i64>,
    has_more_children: bool,
}

/// Takes note of all children that have ended, adopted ones among them.
fn reap(asked: Option<Pid>) -> io::Result<Reaped> {
    let mut code = None;
    loop {
        match wait(WaitOptions::NOHANG) {
            Ok(Some((pid, status))) if Some(pid) == asked => code = Some(exit_code(status)),
            Ok(Some(_)) | Err(Errno::INTR) => {}
            Ok(None) => {
                return Ok(Reaped {
                    code,
                    has_more_children: true,
                });
            }
            Err(Errno::CHILD) => {
                return Ok(Reaped {
                    code,
                    has_more_children: false,
                });
            }
            Err(cause) => return Err(cause.into()),
        }
    }
}

fn exit_code(status: WaitStatus) -> i64 {
    let signal = status.terminating_signal().map(|signal| 128 + i64::from(signal));
    signal.or(status.exit_status().map(i64::from)).unwrap_or(Exit::UNSEEN)
}

/// Kills the app's group and then, generation by generation, whatever of it was handed to the keeper.
async fn clean_up(app: Pid) -> io::Result<()> {
    let me = getpid().as_raw_pid();
    let deadline = Instant::now() + CLEAN_UP_DEADLINE;
    signal_group(app, Signal::KILL)?;
    while reap(None)?.has_more_children && Instant::now() < deadline {
        group::kill_children_of(me)?;
        sleep(Duration::from_millis(5)).await;
    }
    Ok(())
}

/// Reads what was printed before the end.
async fn drain(output: &mut Receiver, log: &mut OutputLog) {
    let deadline = Instant::now() + DRAIN_DEADLINE;
    let mut buffer = vec![0; READ_BYTES];
    while let Ok(Ok(num_bytes @ 1..)) = timeout_at(deadline, output.read(&mut buffer)).await {
        log.push(&buffer[..num_bytes]);
    }
}
