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

#[tokio::main]
async fn run(cli: Cli) -> ExitCode {
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
