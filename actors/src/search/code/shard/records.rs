//! Records of fixed length: a file, a block, a definition.

use super::Damage;
use crate::search::code::{Class, Kind};

/// What is kept of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::search::code) struct FileRecord {
    /// Size and time of the last change, in bytes and nanoseconds, when it was indexed.
    pub(in crate::search::code) size: u64,
    pub(in crate::search::code) mtime_ns: i64,
    /// Tells copies of one file.
    pub(in crate::search::code) content_hash: u64,
    pub(in crate::search::code) path_start: u32,
    pub(in crate::search::code) path_bytes: u16,
    /// Index of its language.
    pub(in crate::search::code) language: u16,
    pub(in crate::search::code) first_block: u32,
    pub(in crate::search::code) num_blocks: u32,
    pub(in crate::search::code) first_definition: u32,
    pub(in crate::search::code) num_definitions: u16,
    pub(in crate::search::code) class: Class,
}

/// Whole lines of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::search::code) struct BlockRecord {
    pub(in crate::search::code) file: u32,
    pub(in crate::search::code) start: u32,
    pub(in crate::search::code) bytes: u32,
    pub(in crate::search::code) lines_before: u32,
}

/// A place that gives something its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::search::code) struct DefinitionRecord {
    /// Lines of the file before its line.
    pub(in crate::search::code) line: u32,
    /// Bytes of the line before the name.
    pub(in crate::search::code) column: u16,
    pub(in crate::search::code) name_bytes: u8,
    pub(in crate::search::code) kind: Kind,
}

impl FileRecord {
    pub(super) const BYTES: u64 = 48;

    pub(super) fn put(&self, into: &mut Vec<u8>) {
        into.extend(self.size.to_le_bytes());
        into.extend(self.mtime_ns.to_le_bytes());
        into.extend(self.content_hash.to_le_bytes());
        into.extend(self.path_start.to_le_bytes());
        into.extend(self.path_bytes.to_le_bytes());
        into.extend(self.language.to_le_bytes());
        into.extend(self.first_block.to_le_bytes());
        into.extend(self.num_blocks.to_le_bytes());
        into.extend(self.first_definition.to_le_bytes());
        into.extend(self.num_definitions.to_le_bytes());
        into.extend([self.class as u8, 0]);
    }

    pub(super) fn parse(mut bytes: &[u8]) -> Result<Self, Damage> {
        let from = &mut bytes;
        Ok(Self {
            size: u64::from_le_bytes(take(from)?),
            mtime_ns: i64::from_le_bytes(take(from)?),
            content_hash: u64::from_le_bytes(take(from)?),
            path_start: u32::from_le_bytes(take(from)?),
            path_bytes: u16::from_le_bytes(take(from)?),
            language: u16::from_le_bytes(take(from)?),
            first_block: u32::from_le_bytes(take(from)?),
            num_blocks: u32::from_le_bytes(take(from)?),
            first_definition: u32::from_le_bytes(take(from)?),
            num_definitions: u16::from_le_bytes(take(from)?),
            class: take::<1>(from)
                .map(|[byte]| Class::from_byte(byte))?
                .ok_or(Damage::Malformed("class"))?,
        })
    }
}

impl BlockRecord {
    pub(super) const BYTES: u64 = 16;

    pub(super) fn put(&self, into: &mut Vec<u8>) {
        for number in [self.file, self.start, self.bytes, self.lines_before] {
            into.extend(number.to_le_bytes());
        }
    }

    pub(super) fn parse(mut bytes: &[u8]) -> Result<Self, Damage> {
        let mut number = || take(&mut bytes).map(u32::from_le_bytes);
        Ok(Self {
            file: number()?,
            start: number()?,
            bytes: number()?,
            lines_before: number()?,
        })
    }
}

impl DefinitionRecord {
    pub(super) const BYTES: u64 = 8;

    pub(super) fn put(&self, into: &mut Vec<u8>) {
        into.extend(self.line.to_le_bytes());
        into.extend(self.column.to_le_bytes());
        into.extend([self.name_bytes, self.kind as u8]);
    }

    pub(super) fn parse(mut bytes: &[u8]) -> Result<Self, Damage> {
        let from = &mut bytes;
        let line = u32::from_le_bytes(take(from)?);
        let column = u16::from_le_bytes(take(from)?);
        let [name_bytes, kind] = take(from)?;
        Ok(Self {
            line,
            column,
            name_bytes,
            kind: Kind::from_byte(kind).ok_or(Damage::Malformed("kind"))?,
        })
    }
}

fn take<const N: usize>(from: &mut &[u8]) -> Result<[u8; N], Damage> {
    let (taken, rest) = from.split_first_chunk().ok_or(Damage::Malformed("record"))?;
    *from = rest;
    Ok(*taken)
}
