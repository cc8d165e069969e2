//! Takes text apart into the words that are compared.

use std::collections::HashMap;

use super::kinship;

/// Words that say nothing about a project.
const EMPTY: [&str; 18] = [
    "a", "an", "and", "are", "as", "at", "by", "for", "from", "in", "is", "it", "of", "on", "or", "the", "to", "with",
];

/// Longer ones are no words.
const MAX_BYTES: usize = 64;

/// Says whether the word says nothing about a project.
pub(super) fn is_empty(word: &str) -> bool {
    EMPTY.contains(&word)
}

/// Returns the words of the text, as they are compared.
pub(super) fn all(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    Splitter::default().each(text, |word| words.push(word.to_owned()));
    words
}

/// Stand between the parts of a compound.
const SIGNS: [char; 4] = ['.', '-', '_', '@'];

/// Takes texts apart, and remembers what it found out about each word.
#[derive(Debug, Default)]
pub(super) struct Splitter {
    /// The words in small letters as they were found, and as they are compared.
    usual: HashMap<String, String>,
    whole: String,
    part: String,
}

impl Splitter {
    /// Calls `visit` with each word of the text: in small letters, in the singular, under its usual name. Of a compound
    /// such as `node.js` or `MyApp`, the parts and the whole are words.
    pub(super) fn each(&mut self, text: &str, mut visit: impl FnMut(&str)) {
        let is_part =
            |letter: char| letter.is_alphanumeric() || letter == '+' || letter == '#' || SIGNS.contains(&letter);
        for compound in text.split(|letter: char| !is_part(letter)) {
            let compound = compound.trim_start_matches(|letter: char| !letter.is_alphanumeric());
            let compound = compound.trim_end_matches(SIGNS);
            if !compound.is_empty() && compound.len() <= MAX_BYTES {
                self.each_of(compound, &mut visit);
            }
        }
    }

    /// Splits at signs and where a small letter is followed by a capital.
    fn each_of(&mut self, compound: &str, visit: &mut impl FnMut(&str)) {
        self.whole.clear();
        self.part.clear();
        let mut num_parts = 0;
        let mut was_small = false;
        for letter in compound.chars() {
            let is_sign = SIGNS.contains(&letter);
            if (is_sign || was_small && letter.is_uppercase()) && !self.part.is_empty() {
                visit_usual(&mut self.usual, &self.part, visit);
                self.part.clear();
                num_parts += 1;
            }
            was_small = letter.is_lowercase();
            if !is_sign {
                push_small(letter, &mut self.part);
                push_small(letter, &mut self.whole);
            }
        }
        if !self.part.is_empty() {
            visit_usual(&mut self.usual, &self.part, visit);
            num_parts += 1;
        }
        if num_parts > 1 {
            visit_usual(&mut self.usual, &self.whole, visit);
        }
    }
}

fn push_small(letter: char, into: &mut String) {
    match letter.is_ascii() {
        true => into.push(letter.to_ascii_lowercase()),
        false => into.extend(letter.to_lowercase()),
    }
}

fn visit_usual(known: &mut HashMap<String, String>, word: &str, visit: &mut impl FnMut(&str)) {
    if let Some(usual) = known.get(word) {
        return visit(usual);
    }
    let name = kinship::usual_name(word);
    let is_technology = !kinship::implied(name).is_empty();
    let usual = if is_technology {
        name
    } else {
        kinship::usual_name(singular(name))
    };
    visit(usual);
    known.insert(word.to_owned(), usual.to_owned());
}

/// `services` and `service` are the same, `redis` and `class` stay as they are.
fn singular(word: &str) -> &str {
    const NO_PLURALS: [&str; 6] = ["ss", "us", "is", "js", "os", "ns"];
    let is_plural = word.len() > 3 && word.ends_with('s') && !NO_PLURALS.iter().any(|end| word.ends_with(end));
    match word.strip_suffix('s') {
        Some(stem) if is_plural => stem,
        _ => word,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compounds_are_found_by_their_parts_and_as_a_whole() {
        assert_eq!(all("MyWebApp"), ["my", "web", "application", "mywebapp"]);
        assert_eq!(
            all("Node.js, C++ and C#."),
            ["nodejs", "javascript", "nodejs", "c++", "and", "c#"]
        );
        assert_eq!(all("@scope/user-services"), ["scope", "user", "service", "userservice"]);
        assert_eq!(
            all("redis class postgres K8s"),
            ["redis", "class", "postgresql", "kubernetes"]
        );
    }
}
