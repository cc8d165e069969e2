//! What is searched for.

use std::fs;

use anyhow::Result;
use rand::{SeedableRng, rngs::StdRng, seq::IndexedRandom};

use crate::corpus::Corpus;

/// Picks words from random lines of random files, the same ones in every run.
pub(super) fn pick(corpus: &Corpus, number: usize) -> Result<Vec<String>> {
    let mut random = StdRng::seed_from_u64(7);
    let mut words = Vec::new();
    while words.len() < number {
        let Some(path) = corpus.files.choose(&mut random) else {
            break;
        };
        let Ok(content) = fs::read_to_string(corpus.root.join(path)) else {
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
