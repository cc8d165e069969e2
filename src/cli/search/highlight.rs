//! Marks what was found in a line.

/// Marks the matches, which are in characters and in order, and takes out what could steer the terminal.
pub(super) fn matches(content: &str, matches: &[(usize, usize)], mark: impl Fn(&str) -> String) -> String {
    let characters: Vec<char> = content.chars().map(harmless).collect();
    let part = |from: usize, to: usize| characters.get(from..to).unwrap_or_default().iter().collect::<String>();
    let mut shown = String::new();
    let mut done = 0;
    for (from, to) in matches {
        let to = (*to).min(characters.len());
        // A match that reaches into the one before is marked from there on.
        let from = (*from).max(done);
        if from < to {
            shown.push_str(&part(done, from));
            shown.push_str(&mark(&part(from, to)));
            done = to;
        }
    }
    shown + &part(done, characters.len())
}

/// A tab moves no further than people expect.
fn harmless(character: char) -> char {
    match character {
        '\t' => '\t',
        other if other.is_control() => ' ',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_are_marked_whatever_the_service_says_of_them() {
        for (content, spans, expected) in [
            ("let é = é;", &[(4, 5), (8, 9)][..], "let [é] = [é];"),
            ("abc", &[], "abc"),
            ("abc", &[(0, 2), (1, 3)], "[ab][c]"),
            ("abc", &[(2, 9), (7, 8), (1, 1)], "ab[c]"),
            ("\ta\u{1b}[2J\r", &[(1, 2)], "\t[a] [2J "),
        ] {
            assert_eq!(
                matches(content, spans, |text| format!("[{text}]")),
                expected,
                "{content:?}"
            );
        }
    }
}
