//! Takes a file's text apart into what a shard keeps of it.

use std::{os::unix::ffi::OsStrExt, path::Path};

use twox_hash::XxHash3_64;

use super::{
    Class, blocks,
    definitions::{self, Definition, Syntax},
    fold,
    shard::{DefinitionRecord, Facts, Prepared, PreparedBlock},
    trigrams::Collector,
};

/// A file as the scanner read it.
#[derive(Debug, Clone, Copy)]
pub struct SourceFile<'a> {
    /// Its path inside the project.
    pub path: &'a Path,
    /// Its size before it was read, in bytes.
    pub size: u64,
    /// When it was changed last, before it was read, in nanoseconds since 1970.
    pub mtime_ns: i64,
    /// The name of its language, as searches are to name it; empty if it has none.
    pub language: &'a str,
    /// What it is to its project.
    pub class: Class,
    /// All of it.
    pub content: &'a [u8],
}

/// Why a file is not indexed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unfit {
    /// It holds zero bytes, so it is no text, or none in UTF-8.
    Binary,
    /// It, or its path, is larger than people write.
    TooLarge,
}

/// Larger files are data or were written by a program; they would make every search slower.
pub const MAX_FILE_BYTES: usize = 4 << 20;

/// Linux takes no longer ones.
const MAX_PATH_BYTES: usize = 4096;

/// Prepares a file for a shard.
pub(super) fn prepare(file: &SourceFile<'_>, collector: &mut Collector) -> Result<Prepared, Unfit> {
    if file.content.len() > MAX_FILE_BYTES || file.path.as_os_str().len() > MAX_PATH_BYTES {
        return Err(Unfit::TooLarge);
    }
    if memchr::memchr(0, file.content).is_some() {
        return Err(Unfit::Binary);
    }
    let mut trigrams = Vec::new();
    let blocks = prepare_blocks(file.content, collector, &mut trigrams);
    let definitions = definitions::scan(Syntax::of(file.path, file.language), file.content);
    Ok(Prepared {
        facts: Facts {
            path: file.path.as_os_str().as_bytes().to_vec(),
            size: file.size,
            mtime_ns: file.mtime_ns,
            content_hash: XxHash3_64::oneshot(file.content),
            language: file.language.to_owned(),
            class: file.class,
        },
        names: definitions
            .iter()
            .map(|definition| named(definition, &blocks))
            .collect(),
        definitions: definitions.iter().map(record).collect(),
        blocks,
        trigrams,
    })
}

/// Says whether a file of that content would be indexed.
pub(super) fn is_text(content: &[u8]) -> bool {
    content.len() <= MAX_FILE_BYTES && memchr::memchr(0, content).is_none()
}

pub(super) fn record(definition: &Definition<'_>) -> DefinitionRecord {
    DefinitionRecord {
        line: definition.line,
        column: definition.column,
        name_bytes: u8::try_from(definition.name.len()).unwrap_or(u8::MAX),
        kind: definition.kind,
    }
}

fn prepare_blocks(content: &[u8], collector: &mut Collector, trigrams: &mut Vec<u32>) -> Vec<PreparedBlock> {
    blocks::cut(content)
        .map(|block| {
            let before = trigrams.len();
            collector.collect(content.get(block.range.clone()).unwrap_or_default(), trigrams);
            PreparedBlock {
                start: block.range.start as u32,
                bytes: block.range.len() as u32,
                lines_before: block.lines_before,
                num_trigrams: (trigrams.len() - before) as u32,
            }
        })
        .collect()
}

fn named(definition: &Definition<'_>, blocks: &[PreparedBlock]) -> (Vec<u8>, u32) {
    let after = blocks.partition_point(|block| block.lines_before <= definition.line);
    (fold::bytes(definition.name), after.saturating_sub(1) as u32)
}
