//! Files that wait in memory to become a shard.

use super::DefinitionRecord;
use crate::search::code::{Class, trigrams::Trigram};

/// What is known of a file besides its text.
#[derive(Debug, Clone)]
pub(in crate::search::code) struct Facts {
    /// Its path inside the project, as bytes.
    pub(in crate::search::code) path: Vec<u8>,
    pub(in crate::search::code) size: u64,
    pub(in crate::search::code) mtime_ns: i64,
    pub(in crate::search::code) content_hash: u64,
    pub(in crate::search::code) language: String,
    pub(in crate::search::code) class: Class,
}

/// A block of a prepared file and how many of its trigrams belong to it.
#[derive(Debug, Clone, Copy)]
pub(in crate::search::code) struct PreparedBlock {
    pub(in crate::search::code) start: u32,
    pub(in crate::search::code) bytes: u32,
    pub(in crate::search::code) lines_before: u32,
    pub(in crate::search::code) num_trigrams: u32,
}

/// A file with all that a shard needs of it.
#[derive(Debug, Clone)]
pub(in crate::search::code) struct Prepared {
    pub(in crate::search::code) facts: Facts,
    pub(in crate::search::code) blocks: Vec<PreparedBlock>,
    /// Those of the first block, then those of the second, and so on.
    pub(in crate::search::code) trigrams: Vec<Trigram>,
    pub(in crate::search::code) definitions: Vec<DefinitionRecord>,
    /// Defined names, folded, each with the index of its block among the file's.
    pub(in crate::search::code) names: Vec<(Vec<u8>, u32)>,
}

/// A waiting file: ranges of what [`Pending`] holds.
#[derive(Debug)]
pub(super) struct PendingFile {
    pub(super) facts: Facts,
    pub(super) blocks: std::ops::Range<usize>,
    pub(super) definitions: std::ops::Range<usize>,
    pub(super) names: std::ops::Range<usize>,
}

/// A waiting block.
#[derive(Debug)]
pub(super) struct PendingBlock {
    pub(super) block: PreparedBlock,
    pub(super) first_trigram: usize,
}

/// Files that wait to become a shard.
#[derive(Debug, Default)]
pub(in crate::search::code) struct Pending {
    pub(super) files: Vec<PendingFile>,
    pub(super) blocks: Vec<PendingBlock>,
    pub(super) trigrams: Vec<Trigram>,
    pub(super) definitions: Vec<DefinitionRecord>,
    pub(super) names: Vec<(Box<[u8]>, u32)>,
    pub(super) content_bytes: u64,
}

impl Pending {
    /// Postings leave 20 bits for a block's number while they are sorted.
    const MAX_BLOCKS: usize = 1 << 20;
    const MAX_CONTENT_BYTES: u64 = 64 << 20;

    pub(in crate::search::code) fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Says whether the file still fits into the same shard.
    pub(in crate::search::code) fn has_room_for(&self, file: &Prepared) -> bool {
        self.blocks.len() + file.blocks.len() <= Self::MAX_BLOCKS
            && self.content_bytes + file.facts.size <= Self::MAX_CONTENT_BYTES
    }

    pub(in crate::search::code) fn push(&mut self, file: Prepared) {
        let Prepared {
            facts,
            blocks,
            trigrams,
            definitions,
            names,
        } = file;
        let (first_block, first_definition) = (self.blocks.len(), self.definitions.len());
        let first_name = self.names.len();
        let mut first_trigram = self.trigrams.len();
        for block in blocks {
            self.blocks.push(PendingBlock { block, first_trigram });
            first_trigram += block.num_trigrams as usize;
        }
        self.trigrams.extend(trigrams);
        self.definitions.extend(definitions);
        self.names
            .extend(names.into_iter().map(|(name, block)| (name.into_boxed_slice(), block)));
        self.content_bytes += facts.size;
        self.files.push(PendingFile {
            facts,
            blocks: first_block..self.blocks.len(),
            definitions: first_definition..self.definitions.len(),
            names: first_name..self.names.len(),
        });
    }
}
