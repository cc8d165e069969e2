//! Makes lines fit to be shown: without control sequences.

use std::sync::LazyLock;

use regex::Regex;

/// Colours and other sequences that steer a terminal.
static SEQUENCES: LazyLock<Regex> = LazyLock::new(|| {
    let pattern = r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\^_])";
    Regex::new(pattern).expect("the pattern is a constant")
});

/// Returns what a terminal would show of a line.
pub(super) fn clean(line: &str) -> String {
    let text = SEQUENCES.replace_all(line, "");
    // A carriage return overwrites what is before it, as progress bars do.
    let shown = text.trim_end_matches('\r').rsplit('\r').next().unwrap_or_default();
    shown.chars().filter(|c| !c.is_control() || *c == '\t').collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_shown_as_a_terminal_would() {
        for (line, shown) in [
            ("\x1b[1;38;2;0;1;2mUser mess\x1b[0mage\r", "User message"),
            ("", ""),
            ("10 %\r20 %", "20 %"),
            ("\x1b]0;title\x07x\ty\x08", "x\ty"),
        ] {
            assert_eq!(clean(line), shown);
        }
    }
}
