//! Makes a shard of waiting files.
//!
//! Files are put in the order of what they are to their project, so that a search that stops early has seen the code
//! before the tests and what was brought along. Postings are sorted in two steps: by the upper half of the trigram into
//! buckets, then each bucket by itself.

use std::io;

use super::{
    BlockRecord, FileRecord, Pending, Section,
    layout::{self, Counts},
    names,
    pending::{PendingBlock, PendingFile},
    postings,
};
use crate::search::code::trigrams::Trigram;

const BUCKETS: usize = 1 << 12;
const BLOCK_BITS: u32 = 20;
const BLOCK_MASK: u32 = (1 << BLOCK_BITS) - 1;
const LOWER_MASK: Trigram = (1 << 12) - 1;

/// Writes the shard; it is not yet on the disk for good.
pub(in crate::search::code) fn write(mut pending: Pending, to: impl io::Write) -> io::Result<()> {
    let mut files = std::mem::take(&mut pending.files);
    files.sort_by(|a, b| (a.facts.class, &a.facts.path).cmp(&(b.facts.class, &b.facts.path)));
    let mut writer = layout::Writer::default();
    let counts = Counts {
        files: files.len() as u32,
        blocks: pending.blocks.len() as u32,
        definitions: pending.definitions.len() as u32,
        content_bytes: pending.content_bytes,
    };
    let mut tables = Tables::default();
    for file in &files {
        tables.add(file, &pending);
    }
    tables.names.sort_unstable();
    let (names, name_steps) = names::encode(tables.names.iter().copied());
    let postings = write_postings(&tables.block_order, &pending);
    for (section, bytes) in [
        (Section::Files, &tables.files),
        (Section::Paths, &tables.paths),
        (Section::Languages, &tables.languages()),
        (Section::Blocks, &tables.blocks),
        (Section::Definitions, &tables.definitions),
        (Section::Names, &names),
        (Section::NameSteps, &name_steps),
        (Section::Trigrams, &postings.groups),
        (Section::TrigramSteps, &postings.steps),
        (Section::Postings, &postings.postings),
    ] {
        writer.section(section, bytes);
    }
    writer.write(counts, to)
}

/// The sections that follow the order of the files.
#[derive(Default)]
struct Tables<'a> {
    files: Vec<u8>,
    paths: Vec<u8>,
    blocks: Vec<u8>,
    definitions: Vec<u8>,
    languages: Vec<&'a str>,
    names: Vec<(&'a [u8], u32)>,
    /// The waiting blocks in the order of the shard.
    block_order: Vec<&'a PendingBlock>,
    num_files: u32,
    num_definitions: u32,
}

impl<'a> Tables<'a> {
    fn add(&mut self, file: &'a PendingFile, pending: &'a Pending) {
        let first_block = self.block_order.len() as u32;
        let definitions = pending.definitions.get(file.definitions.clone()).unwrap_or_default();
        let blocks = pending.blocks.get(file.blocks.clone()).unwrap_or_default();
        let names = pending.names.get(file.names.clone()).unwrap_or_default();
        FileRecord {
            size: file.facts.size,
            mtime_ns: file.facts.mtime_ns,
            content_hash: file.facts.content_hash,
            path_start: self.paths.len() as u32,
            path_bytes: file.facts.path.len() as u16,
            language: self.language(&file.facts.language),
            first_block,
            num_blocks: blocks.len() as u32,
            first_definition: self.num_definitions,
            num_definitions: definitions.len() as u16,
            class: file.facts.class,
        }
        .put(&mut self.files);
        self.paths.extend_from_slice(&file.facts.path);
        self.names
            .extend(names.iter().map(|(name, block)| (&**name, first_block + block)));
        definitions
            .iter()
            .for_each(|definition| definition.put(&mut self.definitions));
        blocks.iter().for_each(|block| self.add_block(block));
        self.num_definitions += definitions.len() as u32;
        self.num_files += 1;
    }

    fn add_block(&mut self, pending: &'a PendingBlock) {
        BlockRecord {
            file: self.num_files,
            start: pending.block.start,
            bytes: pending.block.bytes,
            lines_before: pending.block.lines_before,
        }
        .put(&mut self.blocks);
        self.block_order.push(pending);
    }

    fn language(&mut self, name: &'a str) -> u16 {
        let known = self.languages.iter().position(|known| *known == name);
        let index = known.unwrap_or_else(|| {
            self.languages.push(name);
            self.languages.len() - 1
        });
        index as u16
    }

    fn languages(&self) -> Vec<u8> {
        self.languages.iter().flat_map(|name| name.bytes().chain([0])).collect()
    }
}

fn write_postings(blocks: &[&PendingBlock], pending: &Pending) -> postings::Writer {
    let mut writer = postings::Writer::default();
    let (mut entries, ends) = bucket(blocks, pending);
    let mut start = 0;
    for (end, upper) in ends.into_iter().zip(0..) {
        let bucket = entries.get_mut(start..end).unwrap_or_default();
        bucket.sort_unstable();
        for run in bucket.chunk_by(|a, b| a >> BLOCK_BITS == b >> BLOCK_BITS) {
            let lower = run.first().map_or(0, |entry| entry >> BLOCK_BITS);
            writer.add(upper << 12 | lower, run.iter().map(|entry| entry & BLOCK_MASK));
        }
        start = end;
    }
    writer
}

/// Returns entries of lower half and block, in buckets by the upper half, and where each bucket ends.
fn bucket(blocks: &[&PendingBlock], pending: &Pending) -> (Vec<u32>, Vec<usize>) {
    let mut starts = vec![0_usize; BUCKETS + 1];
    for trigram in &pending.trigrams {
        if let Some(count) = starts.get_mut((trigram >> 12) as usize + 1) {
            *count += 1;
        }
    }
    let mut sum = 0;
    for start in &mut starts {
        sum += *start;
        *start = sum;
    }
    let mut entries = vec![0_u32; pending.trigrams.len()];
    for (block, number) in blocks.iter().zip(0_u32..) {
        let trigrams = block.first_trigram..block.first_trigram + block.block.num_trigrams as usize;
        for trigram in pending.trigrams.get(trigrams).unwrap_or_default() {
            if let Some(next) = starts.get_mut((trigram >> 12) as usize) {
                if let Some(entry) = entries.get_mut(*next) {
                    *entry = (trigram & LOWER_MASK) << BLOCK_BITS | number;
                }
                *next += 1;
            }
        }
    }
    // Each start has moved on to the end of its bucket.
    starts.truncate(BUCKETS);
    (entries, starts)
}
