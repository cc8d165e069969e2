//! Which tools a text could be about.

use std::collections::BTreeSet;

use crate::mcp::tools;

/// As many are offered.
const NUM_OFFERED: usize = 3;
/// A word of the name says more than one of the description.
const NAME_WEIGHT: usize = 5;
/// Shorter words say nothing.
const MIN_CHARS: usize = 4;

/// Returns the tools that have most words in common with a text.
pub(super) fn to(text: &str) -> Vec<&'static str> {
    let asked = stems(text);
    let common = |text: &str| stems(text).intersection(&asked).count();
    let mut scored: Vec<(usize, &'static str)> = tools::all()
        .map(|tool| {
            let score = NAME_WEIGHT * common(tool.name) + common(tool.description);
            (score, tool.name)
        })
        .collect();
    // Stable, so that tools which fit equally well stay in the order of the table.
    scored.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    scored.into_iter().take(NUM_OFFERED).map(|(_, name)| name).collect()
}

/// Returns the words of a text, without what plurals add.
fn stems(text: &str) -> BTreeSet<String> {
    let lower = text.to_lowercase();
    let words = lower.split(|c: char| !c.is_alphanumeric());
    let words = words.filter(|word| word.chars().count() >= MIN_CHARS);
    words
        .map(|word| word.strip_suffix('s').unwrap_or(word).to_owned())
        .collect()
}
