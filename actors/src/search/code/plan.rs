//! What is to be looked at in one shard, and in which order.

use std::{ops::Range, path::Path};

use super::{
    candidates,
    project::LiveShard,
    query::Compiled,
    shard::{Damage, FileRecord, Reader},
};
use crate::id::ProjectId;

/// A file to look at and which of its blocks.
#[derive(Debug, Clone)]
pub(super) struct FileWork {
    pub(super) file: u32,
    /// In the blocks of the plan.
    pub(super) blocks: Range<usize>,
}

/// What is to be looked at in one shard.
#[derive(Debug)]
pub(super) struct Plan<'a> {
    pub(super) project: ProjectId,
    pub(super) root: &'a Path,
    pub(super) live: &'a LiveShard,
    pub(super) blocks: Vec<u32>,
    /// Most promising first; see [`tiers`].
    pub(super) tiers: Vec<Vec<FileWork>>,
}

/// More definitions of one name are not put before everything else.
const MAX_BLOCKS_FIRST: usize = 64;

/// The first tier holds blocks that define what is looked for, the second files that may hold all the words, each
/// further one files that lack one word more.
pub(super) fn tiers(query: &Compiled) -> usize {
    query.terms.len() + 1
}

/// A block and which of the words it may hold, a bit each.
type Marked = (u32, u16);

impl<'a> Plan<'a> {
    pub(super) fn make(
        query: &Compiled,
        project: ProjectId,
        root: &'a Path,
        live: &'a LiveShard,
    ) -> Result<Self, Damage> {
        let mut planner = Planner {
            query,
            reader: Reader::new(&live.shard),
            plan: Self {
                project,
                root,
                live,
                blocks: Vec::new(),
                tiers: vec![Vec::new(); tiers(query)],
            },
        };
        let first = planner.defining()?;
        planner.add(&first, true)?;
        let marked = planner.marked()?;
        let rest: Vec<Marked> = marked
            .into_iter()
            .filter(|(block, _)| first.binary_search_by_key(block, |(first, _)| *first).is_err())
            .collect();
        planner.add(&rest, false)?;
        Ok(planner.plan)
    }
}

struct Planner<'q, 'a> {
    query: &'q Compiled,
    reader: Reader<'a>,
    plan: Plan<'a>,
}

impl Planner<'_, '_> {
    fn all_words(&self) -> u16 {
        (1 << self.query.terms.len()) - 1
    }

    /// Blocks that define a name which is or begins with the only word.
    fn defining(&mut self) -> Result<Vec<Marked>, Damage> {
        let [only] = self.query.terms.as_slice() else {
            return Ok(Vec::new());
        };
        let Some(text) = &only.text else {
            return Ok(Vec::new());
        };
        let mut blocks = self.reader.blocks_defining(&text.folded, MAX_BLOCKS_FIRST)?;
        blocks.sort_unstable();
        blocks.dedup();
        Ok(blocks.into_iter().map(|block| (block, 1)).collect())
    }

    /// All blocks that may hold one of the words.
    fn marked(&mut self) -> Result<Vec<Marked>, Damage> {
        let mut marked: Vec<Marked> = Vec::new();
        let mut everywhere = 0;
        for (term, number) in self.query.terms.iter().zip(0..) {
            let bit = 1 << number;
            match candidates::find(&term.need, &mut self.reader)? {
                Some(blocks) => marked.extend(blocks.into_iter().map(|block| (block, bit))),
                None => everywhere |= bit,
            }
        }
        if everywhere == self.all_words() {
            return Ok((0..self.reader.shard().num_blocks())
                .map(|block| (block, everywhere))
                .collect());
        }
        if self.query.terms.len() > 1 {
            marked.sort_unstable();
            marked.dedup_by(|next, kept| {
                let is_same = next.0 == kept.0;
                kept.1 |= if is_same { next.1 } else { 0 };
                is_same
            });
            marked.iter_mut().for_each(|(_, words)| *words |= everywhere);
        }
        Ok(marked)
    }

    /// Adds blocks, which are in rising order, file by file.
    fn add(&mut self, marked: &[Marked], is_first: bool) -> Result<(), Damage> {
        let mut rest = marked;
        while let Some((block, _)) = rest.first() {
            let file = self.reader.block(*block)?.file;
            let record = self.reader.file(file)?;
            let end = record.first_block.saturating_add(record.num_blocks);
            let (of_file, after) = rest.split_at(rest.partition_point(|(block, _)| *block < end).max(1));
            rest = after;
            if self.is_wanted(file, &record)? {
                self.add_file(file, of_file, is_first);
            }
        }
        self.near_ones_first(marked);
        Ok(())
    }

    fn add_file(&mut self, file: u32, blocks: &[Marked], is_first: bool) {
        let words = blocks.iter().fold(0, |all, (_, words)| all | words);
        let symbols = self.query.terms.iter().zip(0..).filter(|(term, _)| term.is_symbol);
        if symbols.into_iter().any(|(_, number)| words & (1 << number) == 0) {
            return;
        }
        let missing = (self.all_words() & !words).count_ones() as usize;
        let start = self.plan.blocks.len();
        self.plan.blocks.extend(blocks.iter().map(|(block, _)| block));
        let work = FileWork {
            file,
            blocks: start..self.plan.blocks.len(),
        };
        if let Some(tier) = self.plan.tiers.get_mut(if is_first { 0 } else { 1 + missing }) {
            tier.push(work);
        }
    }

    /// Of the files that may hold all words, puts those first in which one block may hold all.
    fn near_ones_first(&mut self, marked: &[Marked]) {
        if self.query.terms.len() < 2 {
            return;
        }
        let all = self.all_words();
        let holds_all = |block: &u32| {
            let found = marked.binary_search_by_key(block, |(block, _)| *block).ok();
            found
                .and_then(|index| marked.get(index))
                .is_some_and(|(_, words)| *words == all)
        };
        let blocks = &self.plan.blocks;
        if let Some(tier) = self.plan.tiers.get_mut(1) {
            tier.sort_by_cached_key(|work| {
                !blocks
                    .get(work.blocks.clone())
                    .unwrap_or_default()
                    .iter()
                    .any(holds_all)
            });
        }
    }

    fn is_wanted(&mut self, file: u32, record: &FileRecord) -> Result<bool, Damage> {
        if self.plan.live.dead.contains(file) {
            return Ok(false);
        }
        if let Some(language) = &self.query.language
            && self.reader.shard().language(record).to_lowercase() != *language
        {
            return Ok(false);
        }
        match &self.query.path {
            Some(glob) => Ok(glob.is_match(self.reader.path(record)?)),
            None => Ok(true),
        }
    }
}
