//! Builds the shards of a project from files that come in any order, from several threads.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use super::{
    prepare::{self, SourceFile, Unfit},
    shard::{self, Pending, Prepared},
    trigrams::Collector,
};

/// Where new shards are written before they belong to a project.
#[derive(Debug, Clone)]
pub(super) struct Staging {
    pub(super) folder: PathBuf,
    /// Shared by all, so that no two write the same file.
    pub(super) next: Arc<AtomicU64>,
}

impl Staging {
    /// Ends the names of files that nobody relies on yet.
    pub(super) const EXTENSION: &'static str = "tmp";

    pub(super) fn new_path(&self) -> PathBuf {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.folder.join(format!("{number}.{}", Self::EXTENSION))
    }
}

/// A shard on the disk that belongs to no project yet. Dropping it deletes it.
#[derive(Debug)]
pub struct NewShard {
    path: PathBuf,
}

impl NewShard {
    pub(super) fn write(pending: Pending, staging: &Staging) -> io::Result<Self> {
        // From here on the file is deleted if anything fails.
        let shard = Self {
            path: staging.new_path(),
        };
        let file = fs::File::create_new(&shard.path)?;
        shard::write(pending, &file)?;
        file.sync_all()?;
        Ok(shard)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Moves the shard to where it stays.
    pub(super) fn keep(mut self, path: &Path) -> io::Result<()> {
        fs::rename(&self.path, path)?;
        self.path = PathBuf::new();
        Ok(())
    }
}

impl Drop for NewShard {
    fn drop(&mut self) {
        if self.path.as_os_str().is_empty() {
            return;
        }
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::warn!(path = %self.path.display(), %error, "a shard that nobody wants cannot be deleted");
            }
            _ => {}
        }
    }
}

/// What a [`ShardBuilder`] made.
#[derive(Debug)]
pub struct Built {
    /// The shards, for [`CodeIndex::replace`](super::CodeIndex::replace).
    pub shards: Vec<NewShard>,
    /// Files that were taken in.
    pub num_indexed: u64,
    /// Files that are no text.
    pub num_binary: u64,
    /// Files that are too large.
    pub num_too_large: u64,
}

/// Builds shards. Files are taken apart by the threads that bring them; at most 64 MB of them and what is known of them
/// wait in memory, apart from what is being written.
#[derive(Debug)]
pub struct ShardBuilder {
    staging: Staging,
    pending: Mutex<Pending>,
    shards: Mutex<Vec<NewShard>>,
    /// Those that no thread uses just now.
    collectors: Mutex<Vec<Collector>>,
    num_indexed: AtomicU64,
    num_binary: AtomicU64,
    num_too_large: AtomicU64,
}

impl ShardBuilder {
    pub(super) fn new(staging: Staging) -> Self {
        Self {
            staging,
            pending: Mutex::default(),
            shards: Mutex::default(),
            collectors: Mutex::default(),
            num_indexed: AtomicU64::new(0),
            num_binary: AtomicU64::new(0),
            num_too_large: AtomicU64::new(0),
        }
    }

    /// Takes a file in, unless it is unfit; then it is only counted. Each path may come once.
    ///
    /// # Errors
    ///
    /// When a shard cannot be written. What was built is of no use then.
    pub fn add(&self, file: &SourceFile<'_>) -> io::Result<()> {
        let mut collector = lock(&self.collectors).pop().unwrap_or_else(Collector::new);
        let prepared = prepare::prepare(file, &mut collector);
        lock(&self.collectors).push(collector);
        let counter = match prepared {
            Ok(_) => &self.num_indexed,
            Err(Unfit::Binary) => &self.num_binary,
            Err(Unfit::TooLarge) => &self.num_too_large,
        };
        counter.fetch_add(1, Ordering::Relaxed);
        prepared.map_or(Ok(()), |prepared| self.push(prepared))
    }

    pub(super) fn push(&self, file: Prepared) -> io::Result<()> {
        let full = {
            let mut pending = lock(&self.pending);
            let has_room = pending.has_room_for(&file);
            let full = if has_room {
                None
            } else {
                Some(std::mem::take(&mut *pending))
            };
            pending.push(file);
            full
        };
        full.map_or(Ok(()), |full| self.write(full))
    }

    /// Writes what is left.
    ///
    /// # Errors
    ///
    /// When a shard cannot be written.
    pub fn finish(self) -> io::Result<Built> {
        let pending = std::mem::take(&mut *lock(&self.pending));
        if !pending.is_empty() {
            self.write(pending)?;
        }
        Ok(Built {
            shards: std::mem::take(&mut *lock(&self.shards)),
            num_indexed: self.num_indexed.into_inner(),
            num_binary: self.num_binary.into_inner(),
            num_too_large: self.num_too_large.into_inner(),
        })
    }

    fn write(&self, pending: Pending) -> io::Result<()> {
        let shard = NewShard::write(pending, &self.staging)?;
        lock(&self.shards).push(shard);
        Ok(())
    }
}

/// A thread that panicked left nothing half done in what these guard.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
