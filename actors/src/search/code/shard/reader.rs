//! Reads of one thread from one shard.

use std::{os::unix::ffi::OsStringExt, path::PathBuf};

use super::{
    BlockRecord, Cursor, Damage, DefinitionRecord, FileRecord, Section, Shard,
    names::{Defined, Names},
    postings,
};
use crate::search::code::trigrams::Trigram;

/// Where the blocks of a trigram are listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::search::code) struct Posting {
    range: std::ops::Range<u64>,
}

impl Posting {
    /// About how many blocks it lists: mostly a byte each.
    pub(in crate::search::code) fn weight(&self) -> u64 {
        self.range.end - self.range.start
    }
}

/// Reads records and postings; keeps the pages it read last.
#[derive(Debug)]
pub(in crate::search::code) struct Reader<'a> {
    shard: &'a Shard,
    files: Cursor<'a>,
    paths: Cursor<'a>,
    blocks: Cursor<'a>,
    definitions: Cursor<'a>,
    other: Cursor<'a>,
}

impl<'a> Reader<'a> {
    pub(in crate::search::code) fn new(shard: &'a Shard) -> Self {
        let cursor = || Cursor::new(&shard.pages);
        Self {
            shard,
            files: cursor(),
            paths: cursor(),
            blocks: cursor(),
            definitions: cursor(),
            other: cursor(),
        }
    }

    pub(in crate::search::code) fn shard(&self) -> &'a Shard {
        self.shard
    }

    pub(in crate::search::code) fn file(&mut self, file: u32) -> Result<FileRecord, Damage> {
        let start = u64::from(file) * FileRecord::BYTES;
        let range = self
            .shard
            .layout
            .within(Section::Files, start..start + FileRecord::BYTES)?;
        FileRecord::parse(self.files.bytes(range)?)
    }

    /// Returns the file's path inside its project.
    pub(in crate::search::code) fn path(&mut self, file: &FileRecord) -> Result<PathBuf, Damage> {
        Ok(PathBuf::from(std::ffi::OsString::from_vec(
            self.path_bytes(file)?.to_vec(),
        )))
    }

    pub(in crate::search::code) fn path_bytes(&mut self, file: &FileRecord) -> Result<&[u8], Damage> {
        let start = u64::from(file.path_start);
        let range = self
            .shard
            .layout
            .within(Section::Paths, start..start + u64::from(file.path_bytes))?;
        self.paths.bytes(range)
    }

    pub(in crate::search::code) fn block(&mut self, block: u32) -> Result<BlockRecord, Damage> {
        let start = u64::from(block) * BlockRecord::BYTES;
        let range = self
            .shard
            .layout
            .within(Section::Blocks, start..start + BlockRecord::BYTES)?;
        BlockRecord::parse(self.blocks.bytes(range)?)
    }

    /// Returns the definitions in a file in the order of their lines.
    pub(in crate::search::code) fn definitions(&mut self, file: &FileRecord) -> Result<Vec<DefinitionRecord>, Damage> {
        let start = u64::from(file.first_definition) * DefinitionRecord::BYTES;
        let end = start + u64::from(file.num_definitions) * DefinitionRecord::BYTES;
        let range = self.shard.layout.within(Section::Definitions, start..end)?;
        let bytes = self.definitions.bytes(range)?;
        bytes
            .chunks(DefinitionRecord::BYTES as usize)
            .map(DefinitionRecord::parse)
            .collect()
    }

    /// Looks a trigram up; `None` if no block holds it.
    pub(in crate::search::code) fn find_posting(&mut self, trigram: Trigram) -> Result<Option<Posting>, Damage> {
        let after = self.shard.steps.partition_point(|step| step.first <= trigram);
        let Some(step) = after.checked_sub(1).and_then(|index| self.shard.steps.get(index)) else {
            return Ok(None);
        };
        for entry in postings::group(*step, self.group(after)?) {
            let (found, range) = entry?;
            if found == trigram {
                return Ok(Some(Posting { range }));
            }
            if found > trigram {
                break;
            }
        }
        Ok(None)
    }

    /// Appends the blocks of a posting to `into`.
    pub(in crate::search::code) fn read_posting(
        &mut self,
        posting: &Posting,
        into: &mut Vec<u32>,
    ) -> Result<(), Damage> {
        let range = self.shard.layout.within(Section::Postings, posting.range.clone())?;
        postings::decode(self.other.bytes(range)?, self.shard.num_blocks(), into)
    }

    /// Calls `visit` with every trigram and its blocks.
    pub(in crate::search::code) fn each_trigram(
        &mut self,
        mut visit: impl FnMut(Trigram, &[u32]),
    ) -> Result<(), Damage> {
        let mut blocks = Vec::new();
        for (step, after) in self.shard.steps.iter().zip(1..) {
            let entries: Vec<_> = postings::group(*step, self.group(after)?).collect::<Result<_, _>>()?;
            for (trigram, range) in entries {
                blocks.clear();
                self.read_posting(&Posting { range }, &mut blocks)?;
                visit(trigram, &blocks);
            }
        }
        Ok(())
    }

    /// Returns the bytes of the group before that step.
    fn group(&mut self, after: usize) -> Result<&[u8], Damage> {
        let steps = &self.shard.steps;
        let start = after
            .checked_sub(1)
            .and_then(|index| steps.get(index))
            .map(|step| u64::from(step.group_start));
        let whole = self.shard.layout.section(Section::Trigrams);
        let end = steps
            .get(after)
            .map_or(whole.end - whole.start, |step| u64::from(step.group_start));
        let range = start.unwrap_or_default()..end;
        self.other.bytes(self.shard.layout.within(Section::Trigrams, range)?)
    }

    /// Returns the blocks that define `name` or a name that begins with it; exact ones first, at most `limit`. The name
    /// is folded.
    pub(in crate::search::code) fn blocks_defining(&mut self, name: &[u8], limit: usize) -> Result<Vec<u32>, Damage> {
        let mut found = Vec::new();
        let mut step = self.name_step(name)?;
        while found.len() < limit && self.collect_defining(step, name, &mut found)? {
            step += 1;
        }
        found.truncate(limit);
        Ok(found)
    }

    /// Calls `visit` with every defined name and the blocks that define it.
    pub(in crate::search::code) fn each_name(&mut self, mut visit: impl FnMut(&[u8], &[u32])) -> Result<(), Damage> {
        let range = self.shard.layout.section(Section::Names);
        let mut names = Names::new(self.other.bytes(range)?);
        while let Some(Defined { name, blocks }) = names.next()? {
            visit(name, &blocks);
        }
        Ok(())
    }

    /// Says whether the next step may hold more.
    fn collect_defining(&mut self, step: u64, wanted: &[u8], found: &mut Vec<u32>) -> Result<bool, Damage> {
        let Some(range) = self.names_of_step(step)? else {
            return Ok(false);
        };
        let mut names = Names::new(self.other.bytes(range)?);
        while let Some(Defined { name, blocks }) = names.next()? {
            if name.starts_with(wanted) {
                found.extend(blocks);
            } else if name > wanted {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Returns the last step whose first name is not greater than `name`.
    fn name_step(&mut self, name: &[u8]) -> Result<u64, Damage> {
        let (mut low, mut high) = (0, self.num_name_steps());
        while low + 1 < high {
            let middle = low + (high - low) / 2;
            let Some(range) = self.names_of_step(middle)? else {
                return Err(Damage::Malformed("table of names"));
            };
            let mut names = Names::new(self.other.bytes(range)?);
            match names.next()? {
                Some(first) if first.name < name => low = middle,
                _ => high = middle,
            }
        }
        Ok(low)
    }

    fn num_name_steps(&self) -> u64 {
        let range = self.shard.layout.section(Section::NameSteps);
        (range.end - range.start) / 4
    }

    fn names_of_step(&mut self, step: u64) -> Result<Option<std::ops::Range<u64>>, Damage> {
        if step >= self.num_name_steps() {
            return Ok(None);
        }
        let whole = self.shard.layout.section(Section::Names);
        let start = self.name_step_start(step)?;
        let end = match step + 1 < self.num_name_steps() {
            true => self.name_step_start(step + 1)?,
            false => whole.end - whole.start,
        };
        self.shard.layout.within(Section::Names, start..end).map(Some)
    }

    fn name_step_start(&mut self, step: u64) -> Result<u64, Damage> {
        let range = self.shard.layout.within(Section::NameSteps, step * 4..step * 4 + 4)?;
        let bytes = self.files.bytes(range)?;
        let bytes = bytes.try_into().map_err(|_| Damage::Malformed("table of names"))?;
        Ok(u64::from(u32::from_le_bytes(bytes)))
    }
}
