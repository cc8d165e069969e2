//! The `borgos` program.

use std::{
    env,
    ffi::OsStr,
    io::{self, Write},
    path::Path,
    process::ExitCode,
};

use borgos::cli::{self, Cli, Failure};
use borgos_actors::runtime::process;
use clap::Parser;
use tokio::runtime::Runtime;

fn main() -> ExitCode {
    let mut arguments = env::args_os().skip(1);
    match (arguments.next(), arguments.next()) {
        // Hidden: started by the process runtime for each app, before anything that costs memory.
        (Some(command), Some(record)) if command == OsStr::new("keeper") => process::keep(Path::new(&record)),
        // Hidden: started by the `edge` actor for the public ports, with a runtime of its own.
        (Some(command), Some(data_dir)) if command == OsStr::new("edge") => {
            exit(cli::edge::run(Path::new(&data_dir), arguments.next().as_deref()))
        }
        _ => run(Cli::parse()),
    }
}

fn run(cli: Cli) -> ExitCode {
    match to_its_end(carry_out(cli)) {
        Ok(exit_code) => exit_code,
        Err(error) => fail(&format!("cannot start the runtime: {error}"), 1),
    }
}

/// Runs a future, and leaves behind what blocks a thread when it is over: a runtime that is dropped would wait for that,
/// for ever if a file system hangs, and the process would outlive its own stop.
fn to_its_end<T>(work: impl Future<Output = T>) -> io::Result<T> {
    let runtime = Runtime::new()?;
    let result = runtime.block_on(work);
    runtime.shutdown_background();
    Ok(result)
}

async fn carry_out(cli: Cli) -> ExitCode {
    // The command line is the only TLS client; a second provider in the process would be a mistake of the build.
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        return fail("another TLS provider is already installed", 1);
    }
    exit(cli::run(cli).await)
}

fn exit(result: Result<(), Failure>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => match failure.message() {
            Some(message) => fail(message, failure.exit_code()),
            None => ExitCode::from(failure.exit_code()),
        },
    }
}

fn fail(message: &str, exit_code: u8) -> ExitCode {
    // Nothing can be done about a standard error that is closed, and the exit code still tells.
    let _ = writeln!(io::stderr(), "error: {message}");
    ExitCode::from(exit_code)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn a_thread_that_blocks_does_not_keep_the_process_from_its_end() {
        let (release, released) = channel::<()>();
        to_its_end(async {
            let (begun, has_begun) = channel();
            tokio::task::spawn_blocking(move || {
                begun.send(()).unwrap();
                released.recv()
            });
            has_begun.recv().unwrap();
        })
        .unwrap();
        // Were it waited for, this would never be reached.
        drop(release);
    }
}
