//! `borgos edge DATA_DIR [take-over]`: hidden, since BorgOS starts it by itself.

use std::{ffi::OsStr, path::Path};

use borgos_actors::{
    edge::{self, Start},
    error::chain,
};

use super::Failure;
use crate::{config::LogFormat, logging};

/// Runs the edge of a data directory until it is stopped.
///
/// # Errors
/// Says why it could not start.
pub fn run(data_dir: &Path, mode: Option<&OsStr>) -> Result<(), Failure> {
    let start = match mode {
        None => Start::Alone,
        Some(mode) if mode == OsStr::new("take-over") => Start::TakeOver,
        Some(mode) => {
            return Err(Failure::Usage(format!(
                "`{}` is no way to start an edge",
                mode.display()
            )));
        }
    };
    logging::start(&Default::default(), LogFormat::Text).map_err(|error| Failure::General(chain(&error)))?;
    edge::run(data_dir, start).map_err(|error| Failure::General(chain(&error)))
}
