//! `borgos secrets`: the key that environments are sealed with.

use borgos_actors::{
    error::chain,
    store::{Rotated, rotate_key},
};
use clap::{Args, Subcommand};

use super::{Failure, output::line};
use crate::{
    config::{self, Config, Flags},
    lock, serve,
};

/// What can be said about keys.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Seal every environment with a new key: one made in the data directory, or that of BORGOS_NEW_SECRET_KEY
    Rotate(Flags),
}

/// Seals everything with another key. BorgOS must not run meanwhile; what is deployed does.
pub(super) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let Command::Rotate(flags) = arguments.command;
    let usage = |error: config::Error| Failure::Usage(chain(&error));
    let config = Config::load(flags).map_err(usage)?;
    let next = config::next_key().map_err(usage)?;
    if config.secret_key.is_some() && next.is_none() {
        let missing = "the key is given as BORGOS_SECRET_KEY, so the new one must be given as BORGOS_NEW_SECRET_KEY";
        return Err(Failure::Usage(missing.to_owned()));
    }
    let is_given = next.is_some();
    let _lock = lock::take(&config.data_dir).map_err(|error| Failure::General(chain(&error)))?;
    let settings = serve::database(&config).map_err(|error| Failure::General(chain(&error)))?;
    let rotated = rotate_key(&settings, next).await;
    let Rotated { before, after } = rotated.map_err(|error| Failure::General(chain(&error)))?;
    line(&format!(
        "everything is sealed with key `{after}`; key `{before}` opens nothing any more"
    ))?;
    if is_given {
        line("start BorgOS with the new key as BORGOS_SECRET_KEY")?;
    }
    Ok(())
}
