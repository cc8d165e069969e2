//! What a scan remembers, so that the next one reads only what changed.
//!
//! The file is a cache: written beside its place and renamed into it, with a checksum. One that is damaged, cut off or of
//! another version is no snapshot, and the next scan reads everything.

use std::{
    collections::HashMap,
    fs::File,
    io::{self, Write},
    path::Path,
};

use serde::{Deserialize, Serialize};

use super::record::{Content, Record, SeenFile};

/// Ends with the version of all that is written: also of the rules that find what is in the records.
const MAGIC: &[u8; 12] = b"borgscan0001";
const MAX_FILE_BYTES: u64 = 2 * 1024 * 1024 * 1024;

/// How a file looked from outside.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stamp {
    pub(super) size: u64,
    pub(super) mtime_ns: i64,
    pub(super) ctime_ns: i64,
    pub(super) inode: u64,
}

/// Tells the snapshots of a project apart: when the scan began, in nanoseconds since 1970.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SnapshotId(i64);

/// What a scan found in each file.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// When the scan began: a file that changed in the same tick may have changed again since.
    taken_ns: i64,
    records: HashMap<String, Record>,
}

impl Snapshot {
    pub(super) fn new(taken_ns: i64, records: HashMap<String, Record>) -> Self {
        Self { taken_ns, records }
    }

    /// Takes out the record of a file that cannot have changed since.
    pub(super) fn take_unchanged(&mut self, path: &str, stamp: &Stamp) -> Option<Record> {
        let is_settled = stamp.mtime_ns < self.taken_ns && stamp.ctime_ns < self.taken_ns;
        let is_same = self.records.get(path).is_some_and(|record| record.stamp == *stamp);
        (is_settled && is_same).then(|| self.records.remove(path)).flatten()
    }

    /// Takes out the record of a file that changed, and tells what was there.
    pub(super) fn forget(&mut self, path: &str) -> Option<Content> {
        self.records.remove(path).map(|record| record.content)
    }

    /// Lists the texts that were not taken out.
    pub(super) fn into_remaining(self) -> Vec<String> {
        let texts = self
            .records
            .into_iter()
            .filter(|(_, record)| record.content == Content::Text);
        texts.map(|(path, _)| path).collect()
    }

    /// Returns which one it is.
    pub fn id(&self) -> SnapshotId {
        SnapshotId(self.taken_ns)
    }

    /// Lists the wanted files by path.
    pub fn files(&self, is_wanted: impl Fn(&SeenFile) -> bool) -> Vec<SeenFile> {
        let seen = self.records.iter().map(|(path, record)| record.seen(path));
        let mut files: Vec<SeenFile> = seen.filter(is_wanted).collect();
        files.sort_unstable_by(|left, right| left.path.cmp(&right.path));
        files
    }

    /// Counts the files.
    pub fn num_files(&self) -> usize {
        self.records.len()
    }

    /// Tells whether the scan saw a file at that path.
    pub fn has(&self, path: &str) -> bool {
        self.records.contains_key(path)
    }

    /// Reads a snapshot; one that is absent, damaged or of another version is `None`.
    pub fn load(path: &Path) -> Option<Self> {
        let size = path.metadata().ok()?.len();
        if size > MAX_FILE_BYTES {
            return None;
        }
        let content = std::fs::read(path).ok()?;
        let body = content.strip_prefix(MAGIC)?;
        let (checksum, body) = body.split_first_chunk::<4>()?;
        if crc32fast::hash(body) != u32::from_le_bytes(*checksum) {
            return None;
        }
        postcard::from_bytes(body).ok()
    }

    /// Writes the snapshot, so that the file is either the old or the new one, whatever happens.
    ///
    /// # Errors
    /// Fails when the directory cannot be written to.
    pub fn save(&self, path: &Path) -> io::Result<()> {
        let body = postcard::to_allocvec(self).map_err(io::Error::other)?;
        let written = path.with_extension("new");
        let mut file = File::create(&written)?;
        file.write_all(MAGIC)?;
        file.write_all(&crc32fast::hash(&body).to_le_bytes())?;
        file.write_all(&body)?;
        file.sync_data()?;
        std::fs::rename(&written, path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Snapshot {
        let record = Record {
            stamp: Stamp {
                size: 1,
                mtime_ns: 2,
                ctime_ns: 3,
                inode: 4,
            },
            ..Record::default()
        };
        Snapshot::new(100, HashMap::from([("a.rs".to_owned(), record)]))
    }

    #[test]
    fn what_is_saved_is_loaded() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("snapshot");
        sample().save(&path).unwrap();
        assert_eq!(Snapshot::load(&path), Some(sample()));
    }

    #[test]
    fn a_damaged_cut_off_or_older_file_is_no_snapshot() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("snapshot");
        assert_eq!(Snapshot::load(&path), None);
        sample().save(&path).unwrap();
        let content = std::fs::read(&path).unwrap();
        for position in 0..content.len() {
            let mut damaged = content.clone();
            damaged[position] ^= 1;
            std::fs::write(&path, &damaged).unwrap();
            assert_eq!(Snapshot::load(&path), None, "byte {position}");
            std::fs::write(&path, &content[..position]).unwrap();
            assert_eq!(Snapshot::load(&path), None, "cut at {position}");
        }
    }

    #[test]
    fn a_file_of_the_same_tick_counts_as_changed() {
        let stamp = |mtime_ns| Stamp {
            mtime_ns,
            ..Stamp::default()
        };
        let with = |stamp| {
            Snapshot::new(
                100,
                HashMap::from([(
                    "a".to_owned(),
                    Record {
                        stamp,
                        ..Record::default()
                    },
                )]),
            )
        };
        assert!(with(stamp(99)).take_unchanged("a", &stamp(99)).is_some());
        assert!(with(stamp(100)).take_unchanged("a", &stamp(100)).is_none());
        assert!(with(stamp(98)).take_unchanged("a", &stamp(99)).is_none());
    }
}
