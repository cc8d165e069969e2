//! Why a command failed, and the exit code that it means.

use std::{fmt, io};

/// Why a command failed.
#[derive(Debug)]
pub enum Failure {
    /// Anything that has no code of its own.
    General(String),
    /// The command line or the configuration is wrong.
    Usage(String),
    /// The credential is missing, wrong, or not enough.
    Auth(String),
    /// What was asked for is not there.
    NotFound(String),
    /// Everything was said already, in what was printed.
    Reported,
    /// The service's actors failed too often; the service manager is to start a fresh process.
    GaveUp,
    /// Whoever read the output has stopped reading, as `head` does.
    OutputClosed,
}

impl Failure {
    /// Returns the process's exit code.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::OutputClosed => 0,
            Self::General(_) | Self::Reported => 1,
            Self::Usage(_) => 2,
            Self::Auth(_) => 4,
            Self::NotFound(_) => 5,
            // `EX_SOFTWARE` of sysexits.h.
            Self::GaveUp => 70,
        }
    }

    /// Returns what is left to be said.
    pub fn message(&self) -> Option<&str> {
        match self {
            Self::General(text) | Self::Usage(text) | Self::Auth(text) | Self::NotFound(text) => Some(text),
            Self::GaveUp => Some("the actors failed too often"),
            Self::Reported | Self::OutputClosed => None,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message().unwrap_or_default())
    }
}

impl From<io::Error> for Failure {
    /// Takes the error of writing to standard output.
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::OutputClosed,
            _ => Self::General(format!("cannot write the output: {error}")),
        }
    }
}
