//! A file that one process holds at a time. The lock is the kernel's and dies with its owner, so no crash leaves it
//! behind; the file's text only tells people who holds it.

use std::{
    fs::{File, TryLockError},
    io::{self, Read, Seek, Write},
};

/// Why a file could not be taken.
#[derive(Debug)]
pub enum Refusal {
    /// Another process holds it.
    Held {
        /// ` (process 123)`, where it can be read.
        holder: String,
    },
    /// What the system said.
    Unusable(io::Error),
}

/// Takes an open file and writes down who holds it. It is held until it is closed, here and wherever it was handed to.
///
/// # Errors
/// Says who holds it, or what the system refused.
pub fn take(mut file: File) -> Result<File, Refusal> {
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            return Err(Refusal::Held {
                holder: holder(&mut file),
            });
        }
        Err(TryLockError::Error(cause)) => return Err(Refusal::Unusable(cause)),
    }
    sign(&mut file).map_err(Refusal::Unusable)?;
    Ok(file)
}

/// Writes down that this process holds the file.
pub(crate) fn sign(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())
}

fn holder(file: &mut File) -> String {
    let mut text = String::new();
    let is_read = file.take(20).read_to_string(&mut text).is_ok();
    match text.trim().parse::<u32>() {
        Ok(pid) if is_read => format!(" (process {pid})"),
        _ => String::new(),
    }
}
