//! The files that are searched.

use std::{
    fs,
    num::NonZeroUsize,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use anyhow::{Context, Result};
use borgos_actors::{
    id::ProjectId,
    search::code::{Built, Class, CodeIndex, MAX_FILE_BYTES, Removed, SourceFile, Update},
};

/// A folder and its text files, read once, so that all of it is in the page cache.
pub(super) struct Corpus {
    pub(super) root: PathBuf,
    /// Inside the root.
    pub(super) files: Vec<PathBuf>,
    pub(super) bytes: u64,
}

impl Corpus {
    pub(super) fn load() -> Result<Self> {
        // Cargo adds options of its own.
        let argument = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
        let root = argument.map_or_else(registry_cache, |folder| Ok(PathBuf::from(folder)))?;
        let mut corpus = Self {
            root: root
                .canonicalize()
                .with_context(|| format!("there is no `{}`", root.display()))?,
            files: Vec::new(),
            bytes: 0,
        };
        corpus.walk(Path::new(""))?;
        corpus.files.sort();
        Ok(corpus)
    }

    fn walk(&mut self, folder: &Path) -> Result<()> {
        for entry in fs::read_dir(self.root.join(folder))? {
            let entry = entry?;
            let path = folder.join(entry.file_name());
            let kind = entry.file_type()?;
            if kind.is_dir() && entry.file_name() != ".git" {
                self.walk(&path)?;
            } else if kind.is_file() {
                let content = fs::read(self.root.join(&path))?;
                if content.len() <= MAX_FILE_BYTES && !content.contains(&0) {
                    self.bytes += content.len() as u64;
                }
                self.files.push(path);
            }
        }
        Ok(())
    }

    /// Reads all files and indexes them; what else is to be done with each is done meanwhile.
    pub(super) fn build(
        &self,
        index: &CodeIndex,
        project: ProjectId,
        threads: NonZeroUsize,
        also: impl Fn(&Path, &[u8]) + Sync,
    ) -> Result<Built> {
        let builder = index.builder(project)?;
        let next = AtomicUsize::new(0);
        let work = || -> Result<()> {
            while let Some(path) = self.files.get(next.fetch_add(1, Ordering::Relaxed)) {
                let facts = fs::metadata(self.root.join(path))?;
                let content = fs::read(self.root.join(path))?;
                also(path, &content);
                builder.add(&SourceFile {
                    path,
                    size: facts.size(),
                    mtime_ns: facts.mtime() * 1_000_000_000 + facts.mtime_nsec(),
                    language: "",
                    class: Class::of_path(path),
                    content: &content,
                })?;
            }
            Ok(())
        };
        thread::scope(|scope| -> Result<()> {
            let workers: Vec<_> = (0..threads.get()).map(|_| scope.spawn(work)).collect();
            for worker in workers {
                worker.join().map_err(|_| anyhow::anyhow!("a worker panicked"))??;
            }
            Ok(())
        })?;
        let mut built = builder.finish()?;
        let shards = std::mem::take(&mut built.shards);
        index.replace(
            project,
            Update {
                shards,
                removed: Removed::Everything,
            },
        )?;
        Ok(built)
    }
}

fn registry_cache() -> Result<PathBuf> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(std::env::home_dir()?.join(".cargo")));
    Ok(home.context("there is no home folder")?.join("registry/src"))
}
