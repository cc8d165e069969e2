//! Finds known words near one that is misspelled or not finished.

/// Known words, prepared for the look.
#[derive(Debug, Default)]
pub(super) struct Spelling {
    words: Vec<Known>,
}

#[derive(Debug)]
struct Known {
    word: String,
    length: usize,
    letters: u64,
    number: u32,
}

/// A known word that may be meant.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Suggestion {
    pub(super) number: u32,
    /// How sure it is, below 1.
    pub(super) likeness: f64,
}

/// More suggestions for one word make no search better.
const MAX_SUGGESTIONS: usize = 16;

/// Shorter beginnings begin too many words.
const MIN_BEGINNING: usize = 3;

impl Spelling {
    pub(super) fn add(&mut self, word: &str, number: u32) {
        self.words.push(Known {
            length: word.chars().count(),
            letters: letters(word),
            word: word.to_owned(),
            number,
        });
    }

    /// Returns the words that may be meant by one that is not known, the likeliest first.
    pub(super) fn suggest(&self, word: &str) -> Vec<Suggestion> {
        let length = word.chars().count();
        let letters = letters(word);
        let allowed = match length {
            0..4 => 0,
            4..8 => 1,
            _ => 2,
        };
        let mut near: Vec<(f64, &Known)> = self
            .words
            .iter()
            .filter_map(|known| {
                if length >= MIN_BEGINNING && known.word.starts_with(word) {
                    return Some((0.5 + 0.4 * length as f64 / known.length as f64, known));
                }
                // Each error changes at most one letter to another, which is two of them.
                let may_be_near = known.length.abs_diff(length) <= allowed
                    && (known.letters ^ letters).count_ones() as usize <= 2 * allowed;
                let errors = may_be_near.then(|| strsim::osa_distance(&known.word, word))?;
                (errors <= allowed).then_some((0.9 - 0.25 * errors as f64, known))
            })
            .collect();
        near.sort_by(|(a, first), (b, second)| b.total_cmp(a).then_with(|| first.word.cmp(&second.word)));
        near.truncate(MAX_SUGGESTIONS);
        near.into_iter()
            .map(|(likeness, known)| Suggestion {
                number: known.number,
                likeness,
            })
            .collect()
    }
}

/// Which letters a word has, a bit each; some share a bit.
fn letters(word: &str) -> u64 {
    word.chars()
        .fold(0, |letters, letter| letters | 1 << (u32::from(letter) % 64))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn suggested(word: &str) -> Vec<u32> {
        let mut spelling = Spelling::default();
        for (known, number) in ["django", "kubernetes", "react", "reactive", "go", "redis"]
            .iter()
            .zip(0..)
        {
            spelling.add(known, number);
        }
        spelling
            .suggest(word)
            .iter()
            .map(|suggestion| suggestion.number)
            .collect()
    }

    #[test]
    fn errors_are_forgiven_by_length_and_beginnings_are_enough() {
        assert_eq!(suggested("djagno"), [0]);
        assert_eq!(suggested("kuberentse"), [1]);
        assert_eq!(suggested("djnogo"), Vec::<u32>::new());
        assert_eq!(suggested("gp"), Vec::<u32>::new());
        assert_eq!(suggested("reac"), [2, 3]);
    }
}
