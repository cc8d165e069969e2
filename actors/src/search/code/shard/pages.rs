//! Positioned reads of a file whose every page is checked whenever it is read.
//!
//! Read, not mapped: a mapped file that is cut short kills the process, and mapping needs unsafe code. From the page
//! cache a read costs a microsecond, a checksum a third of one.

use std::{fs::File, io, ops::Range, os::unix::fs::FileExt};

use twox_hash::XxHash3_64;

use super::Damage;

/// Bytes that share a checksum.
const PAGE_BYTES: u64 = 4096;

/// Returns the checksums of the pages of `data`.
pub(super) fn checksums(data: &[u8]) -> Vec<u64> {
    data.chunks(PAGE_BYTES as usize)
        .zip(0..)
        .map(|(page, number)| checksum(page, number))
        .collect()
}

/// The page's number goes in as well: a page in the place of another is as wrong as a changed one.
fn checksum(page: &[u8], number: u64) -> u64 {
    XxHash3_64::oneshot_with_seed(number, page)
}

/// The data of a file between its header and its table of checksums.
#[derive(Debug)]
pub(super) struct Pages {
    file: File,
    /// Where in the file the data is.
    data: Range<u64>,
    checksums: Box<[u64]>,
}

impl Pages {
    pub(super) fn new(file: File, data: Range<u64>, checksums: Box<[u64]>) -> Self {
        Self { file, data, checksums }
    }

    /// Reads whole pages into `buffer`.
    fn read(&self, pages: Range<u64>, buffer: &mut Vec<u8>) -> Result<(), Damage> {
        let start = self.data.start + pages.start * PAGE_BYTES;
        let end = self.data.end.min(self.data.start + pages.end * PAGE_BYTES);
        let length = end.checked_sub(start).ok_or(Damage::Malformed("length"))?;
        buffer.resize(usize::try_from(length).map_err(|_| Damage::Malformed("length"))?, 0);
        self.file
            .read_exact_at(buffer, start)
            .map_err(|error| match error.kind() {
                io::ErrorKind::UnexpectedEof => Damage::Malformed("length"),
                _ => Damage::Unreadable(error),
            })?;
        for (page, number) in buffer.chunks(PAGE_BYTES as usize).zip(pages) {
            let expected = usize::try_from(number).ok().and_then(|index| self.checksums.get(index));
            if expected != Some(&checksum(page, number)) {
                return Err(Damage::Checksum("page"));
            }
        }
        Ok(())
    }
}

/// Reads from [`Pages`] and keeps what it read last, since neighbours are mostly wanted together.
#[derive(Debug)]
pub(super) struct Cursor<'a> {
    pages: &'a Pages,
    /// Offset of the buffer in the data.
    start: u64,
    buffer: Vec<u8>,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(pages: &'a Pages) -> Self {
        Self {
            pages,
            start: 0,
            buffer: Vec::new(),
        }
    }

    /// Returns the bytes of that range of the data.
    pub(super) fn bytes(&mut self, range: Range<u64>) -> Result<&[u8], Damage> {
        let data = &self.pages.data;
        if range.start > range.end || range.end > data.end - data.start {
            return Err(Damage::Malformed("reference"));
        }
        if range.start < self.start || range.end > self.start + self.buffer.len() as u64 {
            let pages = range.start / PAGE_BYTES..range.end.div_ceil(PAGE_BYTES);
            self.start = pages.start * PAGE_BYTES;
            let outcome = self.pages.read(pages, &mut self.buffer);
            if outcome.is_err() {
                self.buffer.clear();
            }
            outcome?;
        }
        let from = (range.start - self.start) as usize;
        let to = (range.end - self.start) as usize;
        self.buffer.get(from..to).ok_or(Damage::Malformed("reference"))
    }
}
