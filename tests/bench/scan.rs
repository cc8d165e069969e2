//! A scan with all that it gathers against tokei, which only counts lines; a scan of what has not changed against a mere look
//! at the tree; all on the same files in the same run:
//!
//!     cargo bench --bench scan -- [FOLDER]
//!
//! Without a folder, the sources in Cargo's registry cache are scanned.
#![expect(clippy::print_stdout, reason = "a table is what a bench is for")]

mod corpus;
mod pass;
mod processor;

use std::{
    num::NonZeroUsize,
    path::Path,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use borgos_actors::{id::ProjectId, search::code::CodeIndex};
use ignore::{WalkBuilder, WalkState};
use tokei::{Config, Languages};

use corpus::Corpus;

const PROJECT: ProjectId = ProjectId(1);
const ROUNDS: usize = 3;
/// What changed nothing is quickly scanned again.
const QUICK_ROUNDS: usize = 9;

/// Nobody cancels a bench.
static NEVER: AtomicBool = AtomicBool::new(false);

/// How long something took.
#[derive(Clone, Copy)]
struct Cost {
    wall: Duration,
    /// Processor time, in milliseconds.
    work: f64,
}

fn main() -> Result<()> {
    let corpus = Corpus::load()?;
    println!(
        "{} files, {:.1} MB of text",
        corpus.files.len(),
        corpus.bytes as f64 / 1e6
    );
    let root = corpus.root.as_path();
    let directory = tempfile::tempdir()?;
    let (index, _) = CodeIndex::open(&directory.path().join("index"))?;
    let snapshot = directory.path().join("snapshot");
    let config = Config {
        hidden: Some(true),
        ..Config::default()
    };

    let tokei = median(ROUNDS, || {
        let mut languages = Languages::new();
        languages.get_statistics(&[root], &[], &config);
        Ok(())
    })?;
    let scan = median(ROUNDS, || pass::scan_all(root, &index, &snapshot))?;
    let again = median(QUICK_ROUNDS, || pass::scan_again(root, &snapshot))?;
    let look = median(QUICK_ROUNDS, || look(root))?;
    let lines_and_index = median(ROUNDS, || count_and_index(&corpus, &index, &config))?;

    show("tokei", tokei, tokei);
    show("scan: all that is gathered", scan, tokei);
    show("one pass: lines, index, definitions", lines_and_index, tokei);
    show("walk and stat", look, look);
    show("scan again without change", again, look);
    Ok(())
}

/// Shows a cost and how many times that of another it is.
fn show(name: &str, cost: Cost, other: Cost) {
    println!(
        "{name:<36} {:>9.1} ms {:>5.2}x   {:>9.0} ms of work {:>5.2}x",
        cost.wall.as_secs_f64() * 1e3,
        cost.wall.as_secs_f64() / other.wall.as_secs_f64(),
        cost.work,
        cost.work / other.work,
    );
}

/// Returns the cost of the round that took the middle of the times.
fn median(rounds: usize, mut work: impl FnMut() -> Result<()>) -> Result<Cost> {
    let mut costs = Vec::with_capacity(rounds);
    for _ in 0..rounds {
        let (before, _) = processor::used()?;
        let started = Instant::now();
        work()?;
        let wall = started.elapsed();
        let (after, _) = processor::used()?;
        costs.push(Cost {
            wall,
            work: after - before,
        });
    }
    costs.sort_unstable_by_key(|cost| cost.wall);
    costs.get(rounds / 2).copied().context("there was no round")
}

/// Walks the tree and asks for the size of each file, with as many threads as a scan.
fn look(root: &Path) -> Result<()> {
    let num_threads = std::thread::available_parallelism()?.get().saturating_sub(1).max(1);
    let num_bytes = AtomicUsize::new(0);
    let mut builder = WalkBuilder::new(root);
    builder.hidden(false).require_git(false).threads(num_threads);
    builder.build_parallel().run(|| {
        Box::new(|entry| {
            let metadata = entry.ok().and_then(|entry| entry.metadata().ok());
            let size = metadata.map_or(0, |metadata| metadata.len() as usize);
            num_bytes.fetch_add(size, Ordering::Relaxed);
            WalkState::Continue
        })
    });
    anyhow::ensure!(num_bytes.into_inner() > 0, "nothing was seen");
    Ok(())
}

/// Reads each file once, counts its lines as tokei does, and indexes it with its definitions.
fn count_and_index(corpus: &Corpus, index: &CodeIndex, config: &Config) -> Result<()> {
    let threads = NonZeroUsize::MIN;
    let num_lines = AtomicUsize::new(0);
    corpus.build(index, PROJECT, threads, |path, content| {
        if let Some(language) = tokei::LanguageType::from_path(path, config) {
            let lines = language.parse_from_slice(content, config).lines();
            num_lines.fetch_add(lines, Ordering::Relaxed);
        }
    })?;
    anyhow::ensure!(num_lines.into_inner() > 0, "nothing was counted");
    Ok(())
}
