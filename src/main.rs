//! The `borgos` program.

use std::{env, ffi::OsStr, path::Path, process::ExitCode};

use borgos::{
    config::{Config, Flags},
    logging,
    serve::{self, Ending},
};
use borgos_actors::runtime::process;
use clap::Parser;

/// The exit code that asks the service manager for a fresh process (`EX_SOFTWARE` of sysexits.h).
const GAVE_UP: u8 = 70;

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    flags: Flags,
}

fn main() -> ExitCode {
    let mut arguments = env::args_os().skip(1);
    match (arguments.next(), arguments.next()) {
        // Hidden: started by the process runtime for each app, before anything that costs memory.
        (Some(command), Some(record)) if command == OsStr::new("keeper") => process::keep(Path::new(&record)),
        _ => run(),
    }
}

#[tokio::main]
async fn run() -> ExitCode {
    let config = match Config::load(Cli::parse().flags) {
        Ok(c) => c,
        Err(e) => {
            eprintln!("error: {e}");
            return ExitCode::from(2);
        }
    };
    logging::start(&config.log, config.log_format).ok();
    match serve::run(config).await {
        Ok(Ending::Stopped) => ExitCode::SUCCESS,
        Ok(Ending::GaveUp) => ExitCode::from(GAVE_UP),
        Err(e) => {
            eprintln!("error: {e:#}");
            ExitCode::FAILURE
        }
    }
}
