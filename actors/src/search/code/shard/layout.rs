//! The head of a shard: where its parts are, what it counts, and checksums over all of it.
//!
//! ```text
//! | head | data: files, paths, …, postings | checksum of each page of the data |
//! ```
//!
//! All numbers are little-endian.

use std::{fs::File, io, ops::Range, os::unix::fs::FileExt};

use twox_hash::XxHash3_64;

use super::{
    Damage,
    pages::{self, Pages},
};

/// Changes with every change of the format; a shard of another version is built again.
const MAGIC: u64 = u64::from_le_bytes(*b"BORGIX01");

const NUMBERS_IN_HEAD: usize = 1 + Section::COUNT + 5 + 2;
const HEAD_BYTES: usize = NUMBERS_IN_HEAD * 8;

/// A shard is never larger; what claims to be is damaged.
const MAX_DATA_BYTES: u64 = 1 << 32;

/// A part of the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Section {
    /// Records of files.
    Files,
    /// Paths of the files, one after the other.
    Paths,
    /// Names of the languages, each ended by a zero byte.
    Languages,
    /// Records of blocks.
    Blocks,
    /// Records of definitions.
    Definitions,
    /// Which blocks define which names.
    Names,
    /// Where in the names one is written in full.
    NameSteps,
    /// Trigrams and the length of their postings.
    Trigrams,
    /// Where in the trigrams each group begins.
    TrigramSteps,
    /// The blocks that hold each trigram.
    Postings,
}

impl Section {
    const COUNT: usize = 10;
}

/// What a shard holds, in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Counts {
    pub(super) files: u32,
    pub(super) blocks: u32,
    pub(super) definitions: u32,
    pub(super) content_bytes: u64,
}

/// Puts a shard together.
#[derive(Debug, Default)]
pub(super) struct Writer {
    data: Vec<u8>,
    ends: Vec<u64>,
}

impl Writer {
    /// Appends the next section. They come in the order of [`Section`].
    pub(super) fn section(&mut self, section: Section, bytes: &[u8]) {
        debug_assert_eq!(section as usize, self.ends.len(), "sections come in order");
        self.data.extend_from_slice(bytes);
        self.ends.push(self.data.len() as u64);
    }

    /// Writes the whole shard; it is not yet on the disk for good.
    pub(super) fn write(self, counts: Counts, mut to: impl io::Write) -> io::Result<()> {
        let checksums: Vec<u8> = pages::checksums(&self.data)
            .iter()
            .flat_map(|sum| sum.to_le_bytes())
            .collect();
        let mut head = vec![MAGIC];
        head.extend(&self.ends);
        head.extend([counts.files, counts.blocks, counts.definitions].map(u64::from));
        head.extend([counts.content_bytes, self.data.len() as u64]);
        head.push(XxHash3_64::oneshot(&checksums));
        let mut bytes: Vec<u8> = head.iter().flat_map(|number| number.to_le_bytes()).collect();
        bytes.extend(XxHash3_64::oneshot(&bytes).to_le_bytes());
        debug_assert_eq!(bytes.len(), HEAD_BYTES, "the head has a fixed length");
        to.write_all(&bytes)?;
        to.write_all(&self.data)?;
        to.write_all(&checksums)
    }
}

/// Where the parts of an open shard are.
#[derive(Debug)]
pub(super) struct Layout {
    ends: [u64; Section::COUNT],
    pub(super) counts: Counts,
    pub(super) file_bytes: u64,
}

impl Layout {
    /// Reads and checks the head and the table of checksums.
    pub(super) fn read(file: File) -> Result<(Self, Pages), Damage> {
        let file_bytes = file.metadata()?.len();
        let mut head = [0; HEAD_BYTES];
        read_exact(&file, &mut head, 0)?;
        let (layout, data_bytes, table_checksum) = Self::parse(&head, file_bytes)?;
        let data = HEAD_BYTES as u64..HEAD_BYTES as u64 + data_bytes;
        let mut table = vec![0; usize::try_from(file_bytes - data.end).map_err(|_| Damage::Malformed("length"))?];
        read_exact(&file, &mut table, data.end)?;
        if XxHash3_64::oneshot(&table) != table_checksum {
            return Err(Damage::Checksum("table of checksums"));
        }
        let checksums = table.as_chunks().0.iter().map(|sum| u64::from_le_bytes(*sum)).collect();
        Ok((layout, Pages::new(file, data, checksums)))
    }

    fn parse(head: &[u8; HEAD_BYTES], file_bytes: u64) -> Result<(Self, u64, u64), Damage> {
        let numbers: Vec<u64> = head
            .as_chunks()
            .0
            .iter()
            .map(|number| u64::from_le_bytes(*number))
            .collect();
        let (covered, _) = head.split_at(HEAD_BYTES - 8);
        let [
            magic,
            ends @ ..,
            files,
            blocks,
            definitions,
            content_bytes,
            data_bytes,
            table_checksum,
            checksum,
        ] = numbers.as_slice()
        else {
            return Err(Damage::Malformed("head"));
        };
        if *magic != MAGIC {
            return Err(Damage::OtherVersion);
        }
        if *checksum != XxHash3_64::oneshot(covered) {
            return Err(Damage::Checksum("head"));
        }
        let table_bytes = data_bytes.div_ceil(4096) * 8;
        if *data_bytes > MAX_DATA_BYTES || file_bytes != HEAD_BYTES as u64 + data_bytes + table_bytes {
            return Err(Damage::Malformed("length"));
        }
        let small = |number: &u64| u32::try_from(*number).map_err(|_| Damage::Malformed("count"));
        let layout = Self {
            ends: ends.try_into().map_err(|_| Damage::Malformed("head"))?,
            counts: Counts {
                files: small(files)?,
                blocks: small(blocks)?,
                definitions: small(definitions)?,
                content_bytes: *content_bytes,
            },
            file_bytes,
        };
        Ok((layout, *data_bytes, *table_checksum))
    }

    /// Returns where in the data the section is.
    pub(super) fn section(&self, section: Section) -> Range<u64> {
        let index = section as usize;
        let end = |index: usize| self.ends.get(index).copied().unwrap_or_default();
        let start = index.checked_sub(1).map_or(0, end);
        start..end(index)
    }

    /// Returns where in the data that part of the section is, if it is inside.
    pub(super) fn within(&self, section: Section, part: Range<u64>) -> Result<Range<u64>, Damage> {
        let whole = self.section(section);
        let start = whole.start.checked_add(part.start);
        let end = whole.start.checked_add(part.end);
        match (start, end) {
            (Some(start), Some(end)) if start <= end && end <= whole.end => Ok(start..end),
            _ => Err(Damage::Malformed("reference")),
        }
    }
}

fn read_exact(file: &File, buffer: &mut [u8], at: u64) -> Result<(), Damage> {
    file.read_exact_at(buffer, at).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => Damage::Malformed("length"),
        _ => Damage::Unreadable(error),
    })
}
