//! Code search against warm ripgrep on the same files in the same run, what the index costs, and project search:
//!
//!     cargo bench --bench search -- [FOLDER]
//!
//! Without a folder, the sources in Cargo's registry cache are searched. Without ripgrep, only ours is measured.
#![expect(clippy::print_stdout, reason = "a table is what a bench is for")]

mod corpus;
mod processor;
mod projects;
mod ripgrep;
mod words;

use std::{
    fs,
    num::NonZeroUsize,
    sync::atomic::AtomicBool,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use borgos_actors::{
    id::ProjectId,
    search::code::{Answer, Budget, Case, CodeIndex, Mode, Query, Roots},
};

use corpus::Corpus;

const PROJECT: ProjectId = ProjectId(1);
const ROUNDS: usize = 15;
const RIPGREP_ROUNDS: usize = 5;
const LIMITED_SEARCHES: usize = 300;
const RARE_LITERALS: usize = 10;
const COMMON_WORDS: [&str; 4] = ["thread", "return", "Result", "impl"];
const REGEXES: [&str; 3] = [
    r"fn\s+poll_\w+",
    r"(get|set)_(user|value)\w*\(",
    r"\w+_from_(str|slice)\(",
];

/// What the server allows a search by default.
const MAX_LINES: usize = 2000;
const DEADLINE: Duration = Duration::from_millis(100);

/// An index of the corpus and all that a search needs.
struct Bench {
    index: CodeIndex,
    roots: Roots,
    threads: NonZeroUsize,
    cancelled: AtomicBool,
}

fn main() -> Result<()> {
    let corpus = Corpus::load()?;
    println!("{} files, {:.1} MB", corpus.files.len(), megabytes(corpus.bytes));
    let directory = tempfile::tempdir()?;
    let (index, _) = CodeIndex::open(directory.path())?;
    let threads = std::thread::available_parallelism()?;
    let bench = Bench {
        index,
        roots: Roots::from([(PROJECT, corpus.root.clone())]),
        threads,
        cancelled: AtomicBool::new(false),
    };
    bench.build(&corpus)?;
    let rare = bench.rare_literals(&corpus)?;
    for literal in &rare {
        bench.compare(&corpus, literal, Mode::Words)?;
    }
    for word in COMMON_WORDS {
        bench.compare(&corpus, word, Mode::Words)?;
    }
    for regex in REGEXES {
        bench.compare(&corpus, regex, Mode::Regex)?;
    }
    bench.limited(&corpus)?;
    projects::measure(&corpus)
}

impl Bench {
    fn build(&self, corpus: &Corpus) -> Result<()> {
        let (before, _) = processor::used()?;
        let started = Instant::now();
        let built = corpus.build(&self.index, PROJECT, self.threads, |_, _| {})?;
        let elapsed = started.elapsed();
        let (after, _) = processor::used()?;
        let stats = self.index.stats();
        println!(
            "build: {:.2} s = {:.0} MB/s on {} threads, {:.2} s of work; {} files, {} definitions, {} shards; index/text {:.3}; {} binary, {} too large; {:.0} MB resident at most",
            elapsed.as_secs_f64(),
            megabytes(corpus.bytes) / elapsed.as_secs_f64(),
            self.threads,
            (after - before) / 1e3,
            stats.files,
            stats.definitions,
            stats.shards,
            stats.index_bytes as f64 / stats.content_bytes as f64,
            built.num_binary,
            built.num_too_large,
            peak_megabytes()?,
        );
        Ok(())
    }

    /// Words of the corpus that few lines hold.
    fn rare_literals(&self, corpus: &Corpus) -> Result<Vec<String>> {
        let mut rare = Vec::new();
        for word in words::pick(corpus, 2000)? {
            let answer = self.search(&word, Mode::Words, 20, Some(50))?;
            if word.len() >= 8 && answer.truncated.is_none() && answer.total_matches <= 5 {
                rare.push(word);
            }
            if rare.len() == RARE_LITERALS {
                break;
            }
        }
        Ok(rare)
    }

    /// Finds all lines, with ours and with ripgrep.
    fn compare(&self, corpus: &Corpus, text: &str, mode: Mode) -> Result<()> {
        let mut lines = 0;
        let (before, children_before) = processor::used()?;
        let ours = median(ROUNDS, || {
            lines = self.search(text, mode, usize::MAX, None)?.total_matches;
            Ok(())
        })?;
        let (after, _) = processor::used()?;
        let our_work = (after - before) / ROUNDS as f64;
        print!(
            "{text:<28.28} {lines:>7} lines {:>7.2} ms ({our_work:>5.1} of work)",
            milliseconds(ours)
        );
        let Some((theirs, their_lines)) = ripgrep::measure(&corpus.root, text, mode, RIPGREP_ROUNDS)? else {
            println!();
            return Ok(());
        };
        let (_, children_after) = processor::used()?;
        let their_work = (children_after - children_before) / RIPGREP_ROUNDS as f64;
        println!(
            "  rg {their_lines:>7} lines {:>7.1} ms ({their_work:>6.1} of work)  1/{:.1}",
            milliseconds(theirs),
            theirs.as_secs_f64() / ours.as_secs_f64(),
        );
        Ok(())
    }

    /// Twenty hits each for words of all kinds, within the budget of the server.
    fn limited(&self, corpus: &Corpus) -> Result<()> {
        let mut times = Vec::new();
        let mut num_truncated = 0;
        let (before, _) = processor::used()?;
        let words = words::pick(corpus, LIMITED_SEARCHES)?;
        let common = COMMON_WORDS.iter().chain(&REGEXES).map(|text| (*text).to_owned());
        for text in words.into_iter().chain(common) {
            let mode = if REGEXES.contains(&text.as_str()) {
                Mode::Regex
            } else {
                Mode::Words
            };
            let started = Instant::now();
            let answer = self.search(&text, mode, 20, Some(MAX_LINES))?;
            times.push(started.elapsed());
            num_truncated += usize::from(answer.truncated.is_some());
        }
        let (after, _) = processor::used()?;
        times.sort_unstable();
        let at = |share: f64| {
            times
                .get((times.len() as f64 * share) as usize)
                .copied()
                .unwrap_or_default()
        };
        println!(
            "limit 20: {} searches, p50 {:.2} ms, p90 {:.2} ms, p99 {:.2} ms, {:.2} ms of work each; {num_truncated} cut short",
            times.len(),
            milliseconds(at(0.5)),
            milliseconds(at(0.9)),
            milliseconds(at(0.99)),
            (after - before) / times.len() as f64,
        );
        Ok(())
    }

    /// Searches for a phrase or a regex, capitals counting, within the server's budget or without one.
    fn search(&self, text: &str, mode: Mode, limit: usize, max_lines: Option<usize>) -> Result<Answer> {
        let phrase = format!("\"{}\"", text.replace('\\', r"\\").replace('"', "\\\""));
        let query = Query {
            text: if mode == Mode::Words { phrase } else { text.to_owned() },
            mode,
            case: Case::Sensitive,
            projects: None,
            language: None,
            path: None,
            symbol: None,
            limit,
        };
        let budget = Budget {
            max_lines: max_lines.unwrap_or(usize::MAX),
            deadline: max_lines.map(|_| Instant::now() + DEADLINE),
            cancelled: &self.cancelled,
            threads: self.threads,
        };
        let answer = self.index.search(&query, &self.roots, &budget);
        answer.with_context(|| format!("`{text}` cannot be searched"))
    }
}

fn median(rounds: usize, mut work: impl FnMut() -> Result<()>) -> Result<Duration> {
    let mut times = Vec::with_capacity(rounds);
    for _ in 0..rounds {
        let started = Instant::now();
        work()?;
        times.push(started.elapsed());
    }
    times.sort_unstable();
    Ok(times.get(rounds / 2).copied().unwrap_or_default())
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

/// Returns the most memory that this process has held so far.
fn peak_megabytes() -> Result<f64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .context("no peak is known")?;
    let kilobytes: f64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kilobytes / 1e3)
}
