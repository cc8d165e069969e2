//! What can be wrong with a file of the index.

use std::io;

/// Why a file of the index cannot be used. Its owner builds the project's index again.
#[derive(Debug, thiserror::Error)]
pub enum Damage {
    /// The file is not there or cannot be read.
    #[error("it cannot be read")]
    Unreadable(#[from] io::Error),
    /// It was written by another version, or is something else altogether.
    #[error("it is not of this version")]
    OtherVersion,
    /// Bytes have changed since it was written.
    #[error("its {0} does not match its checksum")]
    Checksum(&'static str),
    /// It says something that cannot be.
    #[error("its {0} makes no sense")]
    Malformed(&'static str),
}
