//! Log lines on standard error, as text for people or as JSON for collectors.

use std::io::{self, IsTerminal};

use tracing_subscriber::{fmt, layer::SubscriberExt, util::SubscriberInitExt};

use crate::config::{LogFilter, LogFormat};

/// Starts logging for the whole process.
///
/// # Errors
/// Says so when it was started before.
pub fn start(filter: &LogFilter, format: LogFormat) -> Result<(), tracing_subscriber::util::TryInitError> {
    let registry = tracing_subscriber::registry().with(filter.to_env_filter());
    match format {
        LogFormat::Text => {
            let is_colored =
                io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
            let lines = fmt::layer().with_writer(io::stderr).with_ansi(is_colored);
            registry.with(lines).try_init()
        }
        LogFormat::Json => {
            let lines = fmt::layer().json().flatten_event(true).with_writer(io::stderr);
            registry.with(lines).try_init()
        }
    }
}
