//! The `borgos` program.

use std::process::ExitCode;

use borgos::{
    config::{Config, Flags},
    logging, serve,
};
use clap::Parser;

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    flags: Flags,
}

#[tokio::main]
async fn main() -> ExitCode {
    let config = match Config::load(Cli::parse().flags) {
        Ok(c) => c,
        Err(e) => {
            eprintln!("error: {e}");
            return ExitCode::from(2);
        }
    };
    logging::start(&config.log, config.log_format).ok();
    match serve::run(config).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("error: {e:#}");
            ExitCode::FAILURE
        }
    }
}
