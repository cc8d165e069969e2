//! Writes shards again without the files that are gone. Their text is not needed: postings are turned back into the
//! trigrams of each block.

use std::io;

use super::{
    Damage,
    builder::ShardBuilder,
    project::LiveShard,
    shard::{Facts, FileRecord, Prepared, PreparedBlock, Reader, Shard},
    trigrams::Trigram,
};

/// Why shards cannot be put together.
pub(super) enum Failure {
    Damage(Damage),
    Write(io::Error),
}

impl From<Damage> for Failure {
    fn from(damage: Damage) -> Self {
        Self::Damage(damage)
    }
}

/// Hands the files of a shard that are not gone to `builder`.
pub(super) fn copy(live: &LiveShard, builder: &ShardBuilder) -> Result<(), Failure> {
    let shard = &live.shard;
    let trigrams = BlockTrigrams::read(shard)?;
    let names = read_names(shard)?;
    let mut reader = Reader::new(shard);
    for file in (0..shard.num_files()).filter(|file| !live.dead.contains(*file)) {
        let record = reader.file(file)?;
        let prepared = prepare(&record, &mut reader, &trigrams, &names)?;
        builder.push(prepared).map_err(Failure::Write)?;
    }
    Ok(())
}

fn prepare(
    file: &FileRecord,
    reader: &mut Reader<'_>,
    trigrams: &BlockTrigrams,
    names: &[(u32, Vec<u8>)],
) -> Result<Prepared, Damage> {
    let range = file.first_block..file.first_block.saturating_add(file.num_blocks);
    let mut blocks = Vec::new();
    let mut all = Vec::new();
    for number in range.clone() {
        let block = reader.block(number)?;
        let of_block = trigrams.of(number);
        all.extend_from_slice(of_block);
        blocks.push(PreparedBlock {
            start: block.start,
            bytes: block.bytes,
            lines_before: block.lines_before,
            num_trigrams: of_block.len() as u32,
        });
    }
    let first = names.partition_point(|(block, _)| *block < range.start);
    let names = names.iter().skip(first).take_while(|(block, _)| *block < range.end);
    Ok(Prepared {
        facts: Facts {
            path: reader.path_bytes(file)?.to_vec(),
            size: file.size,
            mtime_ns: file.mtime_ns,
            content_hash: file.content_hash,
            language: reader.shard().language(file).as_ref().to_owned(),
            class: file.class,
        },
        blocks,
        trigrams: all,
        definitions: reader.definitions(file)?,
        names: names.map(|(block, name)| (name.clone(), block - range.start)).collect(),
    })
}

/// Returns the names that blocks define, in the order of the blocks.
fn read_names(shard: &Shard) -> Result<Vec<(u32, Vec<u8>)>, Damage> {
    let mut names = Vec::new();
    Reader::new(shard).each_name(|name, blocks| {
        names.extend(blocks.iter().map(|block| (*block, name.to_vec())));
    })?;
    names.sort_unstable();
    Ok(names)
}

/// The trigrams of each block.
struct BlockTrigrams {
    trigrams: Vec<Trigram>,
    /// Where those of each block end.
    ends: Vec<usize>,
}

impl BlockTrigrams {
    fn read(shard: &Shard) -> Result<Self, Damage> {
        let mut next = vec![0_usize; shard.num_blocks() as usize + 1];
        let mut reader = Reader::new(shard);
        reader.each_trigram(|_, blocks| {
            for block in blocks {
                if let Some(count) = next.get_mut(*block as usize + 1) {
                    *count += 1;
                }
            }
        })?;
        let mut sum = 0;
        for start in &mut next {
            sum += *start;
            *start = sum;
        }
        let mut trigrams = vec![0; sum];
        reader.each_trigram(|trigram, blocks| {
            for block in blocks {
                let Some(place) = next.get_mut(*block as usize) else {
                    continue;
                };
                if let Some(slot) = trigrams.get_mut(*place) {
                    *slot = trigram;
                }
                *place += 1;
            }
        })?;
        // Each start has moved on to the end of its block.
        next.pop();
        Ok(Self { trigrams, ends: next })
    }

    fn of(&self, block: u32) -> &[Trigram] {
        let block = block as usize;
        let start = block
            .checked_sub(1)
            .and_then(|before| self.ends.get(before))
            .copied()
            .unwrap_or_default();
        let end = self.ends.get(block).copied().unwrap_or_default();
        self.trigrams.get(start..end).unwrap_or_default()
    }
}
