//! How well a project is, in three scores from 0 to 100, each with the parts that made it.
//!
//! A score is the mean of its parts, weighted, over the parts that are known. What is unknown counts neither as bad nor as
//! good: it lowers [`Score::confidence`], which is the weight of the known parts over the weight of all. The parts depend on
//! nothing but their arguments; the clock is one of these.

mod eco;
mod health;
mod vibe;

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::Report;

/// What the scores are made from.
#[derive(Debug, Clone, Copy)]
pub struct Inputs<'a> {
    /// What the scan found.
    pub report: &'a Report,
    /// What the manifests say.
    pub manifests: &'a ManifestFacts,
    /// What is known of the project while it runs.
    pub running: &'a RunningFacts,
    /// The time, against which the project's age is measured.
    pub now: DateTime<Utc>,
}

/// What the scores want to know of a project's manifests. None is unknown.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ManifestFacts {
    /// Dependencies, where there is a manifest.
    pub num_dependencies: Option<usize>,
    /// How many of them may become any version.
    pub num_unpinned: Option<usize>,
    /// Whether a lock file says which versions are meant.
    pub has_lockfile: Option<bool>,
    /// The share of lines that tests reach, from 0 to 100, as the newest report says.
    pub coverage_percent: Option<f64>,
    /// Manifests that cannot be understood.
    pub num_invalid: usize,
    /// The images that the project's last build stages start from.
    pub base_images: Vec<String>,
}

/// What the scores want to know of a project's deployments. None is unknown.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RunningFacts {
    /// Whether memory or CPU are limited.
    pub has_limits: Option<bool>,
    /// The memory that it holds while nobody asks anything of it.
    pub idle_memory_bytes: Option<u64>,
}

/// The three scores.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Scores {
    /// Is it in order: errors, tests, coverage, docs, CI, dependencies, freshness.
    pub health: Score,
    /// Is it a joy to work in: README, layout, file and function size, naming, comments, activity.
    pub vibe: Score,
    /// Is it sparing: dependencies, image, limits, idle cost, build artefacts.
    pub eco: Score,
}

/// A score, and why it is what it is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Score {
    /// From 0 to 100; none when no part is known.
    pub value: Option<u8>,
    /// The weight of the known parts over the weight of all, from 0 to 1.
    pub confidence: f64,
    /// What it is made of.
    pub parts: Vec<Part>,
}

/// A part of a score.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Part {
    /// Its name, for programs.
    pub name: &'static str,
    /// How much it counts beside the others.
    pub weight: f64,
    /// From 0 to 1; none when it is unknown.
    pub score: Option<f64>,
    /// What it was judged by, or why it is unknown.
    pub reason: String,
    /// What would raise it; none when nothing would.
    pub advice: Option<String>,
}

impl Part {
    fn known(name: &'static str, weight: f64, score: f64, reason: String, advice: &str) -> Self {
        let score = rounded(score.clamp(0.0, 1.0));
        Self {
            name,
            weight,
            score: Some(score),
            reason,
            advice: (score < 1.0).then(|| advice.to_owned()),
        }
    }

    fn unknown(name: &'static str, weight: f64, reason: &str) -> Self {
        Self {
            name,
            weight,
            score: None,
            reason: reason.to_owned(),
            advice: None,
        }
    }
}

impl Score {
    fn of(parts: Vec<Part>) -> Self {
        let all: f64 = parts.iter().map(|part| part.weight).sum();
        let known: f64 = parts
            .iter()
            .filter(|part| part.score.is_some())
            .map(|part| part.weight)
            .sum();
        let earned: f64 = parts
            .iter()
            .filter_map(|part| part.score.map(|score| score * part.weight))
            .sum();
        Self {
            value: (known > 0.0).then(|| percent(earned / known)),
            confidence: rounded(known / all),
            parts,
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the value is clamped to 0..=100"
)]
fn percent(share: f64) -> u8 {
    (share * 100.0).round().clamp(0.0, 100.0) as u8
}

/// Three digits tell as much as anyone sees in a share.
fn rounded(share: f64) -> f64 {
    (share * 1000.0).round() / 1000.0
}

/// Makes the three scores.
pub fn score(inputs: Inputs<'_>) -> Scores {
    Scores {
        health: Score::of(health::parts(inputs)),
        vibe: Score::of(vibe::parts(inputs)),
        eco: Score::of(eco::parts(inputs)),
    }
}

/// Returns part / whole, or nothing when there is no whole.
#[expect(clippy::cast_precision_loss, reason = "counts of files and lines are far below 2^52")]
fn share(part: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// Falls from 1 at `best` to 0 at `worst`, evenly.
fn falling(value: f64, best: f64, worst: f64) -> f64 {
    (1.0 - (value - best) / (worst - best)).clamp(0.0, 1.0)
}

/// Falls from 1 at `best` to 0 at `worst`, by the same for each doubling.
fn falling_by_doubling(value: f64, best: f64, worst: f64) -> f64 {
    falling(value.max(best).ln(), best.ln(), worst.ln())
}

#[cfg(test)]
mod tests;
