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
use rand::{SeedableRng, rngs::StdRng, seq::IndexedRandom};

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

    /// Reads all files and indexes them.
    pub(super) fn build(&self, index: &CodeIndex, project: ProjectId, threads: NonZeroUsize) -> Result<Built> {
        let builder = index.builder(project)?;
        let next = AtomicUsize::new(0);
        let work = || -> Result<()> {
            while let Some(path) = self.files.get(next.fetch_add(1, Ordering::Relaxed)) {
                let facts = fs::metadata(self.root.join(path))?;
                let content = fs::read(self.root.join(path))?;
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

    /// Words from random lines of random files, the same ones in every run.
    pub(super) fn words(&self, number: usize) -> Result<Vec<String>> {
        let mut random = StdRng::seed_from_u64(7);
        let mut words = Vec::new();
        while words.len() < number {
            let Some(path) = self.files.choose(&mut random) else {
                break;
            };
            let Ok(content) = fs::read_to_string(self.root.join(path)) else {
                continue;
            };
            let of_file: Vec<&str> = content
                .split(|letter: char| !letter.is_alphanumeric() && letter != '_')
                .filter(|word| word.len() >= 4 && !word.starts_with(|letter: char| letter.is_numeric()))
                .collect();
            words.extend(of_file.choose(&mut random).map(|word| (*word).to_owned()));
        }
        Ok(words)
    }
}

fn registry_cache() -> Result<PathBuf> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(std::env::home_dir()?.join(".cargo")));
    Ok(home.context("there is no home folder")?.join("registry/src"))
}

/// Returns the most memory that this process has held so far.
pub(super) fn peak_megabytes() -> Result<f64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .context("no peak is known")?;
    let kilobytes: f64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kilobytes / 1e3)
}
