//! The index of one project as it stands: its shards and which files in them are gone. Never changed, only replaced.

use std::{collections::HashSet, path::Path, sync::Arc};

use super::{
    Damage,
    manifest::{Entry, Manifest},
    shard::{Reader, Shard},
};

/// Files of a shard that are gone.
#[derive(Debug, Clone, Default)]
pub(super) struct Dead {
    files: HashSet<u32>,
    bytes: u64,
}

impl Dead {
    pub(super) fn contains(&self, file: u32) -> bool {
        self.files.contains(&file)
    }

    pub(super) fn num_files(&self) -> u32 {
        self.files.len() as u32
    }
}

/// A shard in use.
#[derive(Debug, Clone)]
pub(super) struct LiveShard {
    pub(super) number: u64,
    pub(super) shard: Arc<Shard>,
    pub(super) dead: Arc<Dead>,
}

/// Smaller shards are worth putting together.
const SMALL_BYTES: u64 = 16 << 20;

/// Each shard costs every search some microseconds and holds a file open.
const MAX_SMALL_SHARDS: usize = 4;

impl LiveShard {
    pub(super) fn open(folder: &Path, entry: &Entry) -> Result<Self, Damage> {
        let shard = Arc::new(Shard::open(&folder.join(entry.file_name()))?);
        let mut reader = Reader::new(&shard);
        let mut dead = Dead::default();
        for file in &entry.dead {
            dead.bytes += reader.file(*file)?.size;
            dead.files.insert(*file);
        }
        Ok(Self {
            number: entry.number,
            shard,
            dead: Arc::new(dead),
        })
    }

    /// Returns this shard without the files whose paths are in `gone`.
    pub(super) fn without(&self, gone: &HashSet<Vec<u8>>) -> Result<Self, Damage> {
        let mut reader = Reader::new(&self.shard);
        let mut dead = None;
        for file in (0..self.shard.num_files()).filter(|file| !self.dead.contains(*file)) {
            let record = reader.file(file)?;
            if gone.contains(reader.path_bytes(&record)?) {
                let dead = dead.get_or_insert_with(|| Dead::clone(&self.dead));
                dead.files.insert(file);
                dead.bytes += record.size;
            }
        }
        Ok(Self {
            dead: dead.map_or_else(|| self.dead.clone(), Arc::new),
            ..self.clone()
        })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.dead.num_files() >= self.shard.num_files()
    }

    pub(super) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shard, &other.shard) && Arc::ptr_eq(&self.dead, &other.dead)
    }

    fn live_bytes(&self) -> u64 {
        self.shard.content_bytes().saturating_sub(self.dead.bytes)
    }

    fn is_quarter_dead(&self) -> bool {
        self.dead.bytes > self.shard.content_bytes() / 4 || self.dead.num_files() > self.shard.num_files() / 4
    }

    fn entry(&self) -> Entry {
        let mut dead: Vec<u32> = self.dead.files.iter().copied().collect();
        dead.sort_unstable();
        Entry {
            number: self.number,
            dead,
        }
    }
}

/// The index of a project.
#[derive(Debug, Clone, Default)]
pub(super) struct Project {
    pub(super) shards: Vec<LiveShard>,
    /// The number of the next shard.
    pub(super) next: u64,
    /// A part of it cannot be used, so it must be built again.
    pub(super) is_damaged: bool,
}

impl Project {
    pub(super) fn manifest(&self) -> Manifest {
        Manifest {
            next: self.next,
            shards: self.shards.iter().map(LiveShard::entry).collect(),
        }
    }

    /// Returns the shards that had better be written again as fewer.
    pub(super) fn worth_compacting(&self) -> Vec<LiveShard> {
        let is_small = |shard: &&LiveShard| shard.live_bytes() < SMALL_BYTES;
        let has_many_small = self.shards.iter().filter(is_small).count() > MAX_SMALL_SHARDS;
        self.shards
            .iter()
            .filter(|shard| shard.is_quarter_dead() || has_many_small && is_small(shard))
            .cloned()
            .collect()
    }
}
