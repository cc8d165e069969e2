//! Opens and reads a file, once, whatever lies at its path by now.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use rustix::fs::OFlags;

use super::{language, record::Content, snapshot::Stamp};

/// Nothing that people write is larger.
const MAX_TEXT_BYTES: u64 = 16 * 1024 * 1024;
/// As git does: what has a zero byte near its beginning is no text.
const HEAD_BYTES: usize = 8 * 1024;

/// A file that was opened.
pub(super) struct Opened {
    pub(super) file: File,
    pub(super) stamp: Stamp,
    pub(super) kind: Content,
    /// All of a text; nothing of anything else.
    pub(super) content: Vec<u8>,
}

/// Opens a file and reads it if it is a text that people may have written.
///
/// # Errors
/// Fails when the file is gone, cannot be read, or has become something other than a regular file. A FIFO that took its place
/// is not waited for.
pub(super) fn open(path: &Path) -> io::Result<Opened> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let flags = i32::try_from(flags.bits()).map_err(io::Error::other)?;
    let mut file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    let stamp = Stamp::of(&metadata);
    let mut content = Vec::new();
    let kind = match stamp.size {
        size if size > MAX_TEXT_BYTES => Content::Large,
        _ => read_text(&mut file, &mut content)?,
    };
    Ok(Opened {
        file,
        stamp,
        kind,
        content,
    })
}

fn read_text(file: &mut File, content: &mut Vec<u8>) -> io::Result<Content> {
    file.by_ref().take(HEAD_BYTES as u64).read_to_end(content)?;
    if content.contains(&0) && !language::has_utf16_mark(content) {
        content.clear();
        return Ok(Content::Binary);
    }
    // It may be growing while it is read.
    file.by_ref().take(MAX_TEXT_BYTES).read_to_end(content)?;
    Ok(Content::Text)
}
