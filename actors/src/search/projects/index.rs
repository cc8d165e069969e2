//! The index of projects: built whole, never changed.

use std::collections::HashMap;

use super::{
    Document, Field, ProjectHit, kinship,
    spelling::{Spelling, Suggestion},
    words::{self, Splitter},
};
use crate::id::ProjectId;

/// How soon more of the same word stops counting.
const SATURATION: f64 = 1.2;

/// What is said further down in a README is about details.
const README_BYTES: usize = 2000;

/// A word that a technology implies counts less than the technology.
const IMPLIED_COUNT: f64 = 0.5;

/// Whoever types the whole name means that project.
const SCORE_OF_NAME: f64 = 0.95;

/// Finds projects. Rebuilding it is quick, so it is never changed.
#[derive(Debug, Default)]
pub struct ProjectIndex {
    projects: Vec<Project>,
    /// The number of each known word.
    numbers: HashMap<String, u32>,
    /// Where each known word is.
    postings: Vec<Vec<Posting>>,
    spelling: Spelling,
    mean_lengths: [f64; Field::ALL.len()],
}

#[derive(Debug)]
struct Project {
    id: ProjectId,
    name: Vec<String>,
    lengths: [f64; Field::ALL.len()],
}

/// How often a word is in a field of a project.
#[derive(Debug, Clone, Copy)]
struct Posting {
    project: u32,
    field: Field,
    count: f64,
}

/// What all words of a query add up to for a project.
#[derive(Debug, Clone, Copy, Default)]
struct Found {
    score: f64,
    words: usize,
    /// Which fields hold one of them, a bit each.
    fields: u8,
}

/// What one word of a query adds to a project.
#[derive(Debug, Clone, Copy, Default)]
struct Match {
    /// Between 0 and 1.
    strength: f64,
    /// Which fields hold it, a bit each.
    fields: u8,
}

impl ProjectIndex {
    /// Builds the index.
    pub fn new(documents: impl IntoIterator<Item = (ProjectId, Document)>) -> Self {
        let mut index = Self::default();
        let mut splitter = Splitter::default();
        for (id, document) in documents {
            index.add(id, &document, &mut splitter);
        }
        for (word, number) in &index.numbers {
            index.spelling.add(word, *number);
        }
        let count = index.projects.len().max(1) as f64;
        for project in &index.projects {
            for (mean, length) in index.mean_lengths.iter_mut().zip(project.lengths) {
                *mean += length / count;
            }
        }
        index
    }

    /// Finds at most `limit` projects, the best first; of equally good ones the older first.
    pub fn search(&self, query: &str, limit: usize) -> Vec<ProjectHit> {
        let name = words::all(query);
        let wanted = telling(&name);
        let mut total_weight = 0.0;
        let mut found: HashMap<u32, Found> = HashMap::new();
        for word in &wanted {
            let (weight, matches) = self.matches(word);
            total_weight += weight;
            for (project, matched) in matches {
                let found = found.entry(project).or_default();
                found.score += weight * matched.strength;
                found.words += 1;
                found.fields |= matched.fields;
            }
        }
        let mut hits: Vec<ProjectHit> = found
            .into_iter()
            .filter_map(|(number, found)| {
                let project = self.projects.get(number as usize)?;
                let share_of_words = found.words as f64 / wanted.len() as f64;
                let score = found.score / total_weight * (0.6 + 0.4 * share_of_words);
                Some(ProjectHit {
                    project: project.id,
                    relevance_score: match project.name == name {
                        true => SCORE_OF_NAME + (1.0 - SCORE_OF_NAME) * score,
                        false => SCORE_OF_NAME * score,
                    },
                    matched: fields_of(found.fields),
                })
            })
            .collect();
        hits.sort_by(|a, b| {
            let by_score = b.relevance_score.total_cmp(&a.relevance_score);
            by_score.then(a.project.cmp(&b.project))
        });
        hits.truncate(limit);
        hits
    }

    fn add(&mut self, id: ProjectId, document: &Document, splitter: &mut Splitter) {
        let number = self.projects.len() as u32;
        let mut project = Project {
            id,
            name: words::all(&document.name),
            lengths: [0.0; Field::ALL.len()],
        };
        let readme = document
            .readme
            .get(..document.readme.floor_char_boundary(README_BYTES))
            .unwrap_or_default();
        let mut add = |field: Field, text: &str| {
            splitter.each(text, |word| {
                self.add_word(number, field, word, 1.0);
                if let Some(length) = project.lengths.get_mut(field as usize) {
                    *length += 1.0;
                }
            });
        };
        add(Field::Name, &document.name);
        add(Field::Path, &document.path);
        add(Field::Description, &document.description);
        add(Field::Readme, readme);
        add(Field::ProjectType, &document.project_type);
        document
            .languages
            .iter()
            .for_each(|language| add(Field::Languages, language));
        document
            .tech_stack
            .iter()
            .for_each(|technology| add(Field::TechStack, technology));
        document
            .dependencies
            .iter()
            .for_each(|dependency| add(Field::Dependencies, dependency));
        let mut implied = Vec::new();
        for technology in document.tech_stack.iter().chain(&document.dependencies) {
            splitter.each(technology, |word| implied.extend(kinship::implied(word)));
        }
        for word in implied {
            self.add_word(number, Field::TechStack, word, IMPLIED_COUNT);
        }
        self.projects.push(project);
    }

    fn add_word(&mut self, project: u32, field: Field, word: &str, count: f64) {
        let number = match self.numbers.get(word) {
            Some(number) => *number,
            None => {
                let number = self.postings.len() as u32;
                self.numbers.insert(word.to_owned(), number);
                self.postings.push(Vec::new());
                number
            }
        };
        let Some(postings) = self.postings.get_mut(number as usize) else {
            return;
        };
        // The postings of the project that is being added are the last ones, a few of them.
        let mut latest = postings
            .iter_mut()
            .rev()
            .take_while(|posting| posting.project == project);
        match latest.find(|posting| posting.field == field) {
            Some(posting) => posting.count += count,
            None => postings.push(Posting { project, field, count }),
        }
    }

    /// Returns the weight of a word and how strongly each project matches it.
    fn matches(&self, word: &str) -> (f64, HashMap<u32, Match>) {
        let exact = self.numbers.get(word).map(|number| Suggestion {
            number: *number,
            likeness: 1.0,
        });
        let meant = exact.map_or_else(|| self.spelling.suggest(word), |exact| vec![exact]);
        let mut matches: HashMap<u32, Match> = HashMap::new();
        for suggestion in meant {
            let postings = self
                .postings
                .get(suggestion.number as usize)
                .map_or(&[][..], Vec::as_slice);
            for of_project in postings.chunk_by(|a, b| a.project == b.project) {
                let Some(first) = of_project.first() else {
                    continue;
                };
                let strength = self.strength(of_project) * suggestion.likeness;
                let matched = matches.entry(first.project).or_default();
                matched.strength = matched.strength.max(strength);
                matched.fields |= of_project
                    .iter()
                    .fold(0, |fields, posting| fields | 1 << posting.field as u8);
            }
        }
        (self.weight(matches.len()), matches)
    }

    /// Rare words weigh more.
    fn weight(&self, num_projects: usize) -> f64 {
        let (all, with) = (self.projects.len() as f64, num_projects as f64);
        (1.0 + (all - with + 0.5) / (with + 0.5)).ln()
    }

    /// BM25F: the fields are added up before the saturation, so that a word in many fields counts once, but surely.
    fn strength(&self, postings: &[Posting]) -> f64 {
        let count: f64 = postings
            .iter()
            .map(|posting| {
                let field = posting.field as usize;
                let project = self.projects.get(posting.project as usize);
                let length = project
                    .and_then(|project| project.lengths.get(field))
                    .copied()
                    .unwrap_or_default();
                let mean = self
                    .mean_lengths
                    .get(field)
                    .copied()
                    .unwrap_or_default()
                    .max(f64::MIN_POSITIVE);
                let penalty = posting.field.penalty_of_length();
                posting.field.weight() * posting.count / (1.0 - penalty + penalty * length / mean)
            })
            .sum();
        count / (SATURATION + count)
    }
}

/// Returns the words that say something, each once; all of them if none does.
fn telling(words: &[String]) -> Vec<&str> {
    let says_something = |word: &&str| !words::is_empty(word);
    let all = || words.iter().map(String::as_str);
    let is_any = all().any(|word| says_something(&word));
    let mut telling: Vec<&str> = Vec::new();
    for word in all().filter(|word| !is_any || says_something(word)) {
        if !telling.contains(&word) {
            telling.push(word);
        }
    }
    telling
}

fn fields_of(bits: u8) -> Vec<Field> {
    Field::ALL
        .into_iter()
        .filter(|field| bits & (1 << *field as u8) != 0)
        .collect()
}
