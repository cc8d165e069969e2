//! Project search among as many projects as one machine may hold.

use std::time::Instant;

use anyhow::{Result, ensure};
use borgos_actors::{
    id::ProjectId,
    search::projects::{Document, ProjectIndex},
};

use super::{corpus::Corpus, words};

const PROJECTS: usize = 10_000;
const WORDS_PER_README: usize = 250;
const SEARCHES: usize = 200;

/// Builds an index of projects that are made of words of the corpus, and searches it with and without typing errors.
pub(super) fn measure(corpus: &Corpus) -> Result<()> {
    let words = words::pick(corpus, 20_000)?;
    let documents: Vec<(ProjectId, Document)> = (0..PROJECTS)
        .zip(1..)
        .map(|(seed, id)| (ProjectId(id), document(&words, seed)))
        .collect();
    let started = Instant::now();
    let index = ProjectIndex::new(documents);
    let built = started.elapsed();
    let started = Instant::now();
    let mut num_hits = 0;
    for word in words.iter().take(SEARCHES) {
        let misspelled: String = word
            .chars()
            .rev()
            .skip(1)
            .collect::<Vec<_>>()
            .into_iter()
            .rev()
            .chain(['q'])
            .collect();
        num_hits += index.search(word, 10).len() + index.search(&misspelled, 10).len();
    }
    ensure!(num_hits > 0, "no project is found");
    println!(
        "projects: {PROJECTS} indexed in {:.0} ms; {:.2} ms for a search",
        super::milliseconds(built),
        super::milliseconds(started.elapsed()) / (2 * SEARCHES) as f64,
    );
    Ok(())
}

fn document(words: &[String], seed: usize) -> Document {
    let word = |number: usize| {
        words
            .get((seed * 7919 + number * 104_729) % words.len())
            .cloned()
            .unwrap_or_default()
    };
    let text = |from: usize, count: usize| (from..from + count).map(word).collect::<Vec<_>>().join(" ");
    Document {
        name: word(0),
        path: format!("/projects/{}", word(0)),
        description: text(1, 12),
        readme: text(13, WORDS_PER_README),
        project_type: "library".to_owned(),
        tech_stack: vec![word(300), word(301)],
        languages: vec!["Rust".to_owned()],
        dependencies: (310..340).map(word).collect(),
    }
}
