//! The `borgos` program.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use borgos::cli::{self, Cli};
use clap::Parser;

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    // The command line is the only TLS client; a second provider in the process would be a mistake of the build.
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        return fail("another TLS provider is already installed", 1);
    }
    match cli::run(cli).await {
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
