//! Text for terminals: lines, colours where they are wanted, and durations as people write them.

use std::{
    env,
    io::{self, IsTerminal, Write},
};

/// How much of a text of the service is shown in one cell or line.
const MAX_TEXT_CHARS: usize = 80;

/// A colour of a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Color {
    Green,
    Yellow,
    Red,
}

/// Writes one line to standard output.
pub(super) fn line(text: &str) -> io::Result<()> {
    let mut output = io::stdout().lock();
    writeln!(output, "{text}")?;
    output.flush()
}

/// Colours a text if standard output is a terminal and NO_COLOR is not set.
pub(super) fn colored(text: &str, color: Color) -> String {
    if !has_colors() {
        return text.to_owned();
    }
    let code = match color {
        Color::Green => 32,
        Color::Yellow => 33,
        Color::Red => 31,
    };
    format!("\u{1b}[{code}m{text}\u{1b}[0m")
}

/// Says whether colours are wanted.
pub(super) fn has_colors() -> bool {
    io::stdout().is_terminal() && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Makes a text of the service fit for one line: its control characters could steer the terminal.
pub(super) fn plain(text: &str) -> String {
    let clean = |c: char| if c.is_control() { ' ' } else { c };
    let mut shown: String = text.chars().map(clean).take(MAX_TEXT_CHARS).collect();
    if text.chars().nth(MAX_TEXT_CHARS).is_some() {
        shown.push('…');
    }
    shown
}

/// Writes a duration with its two largest units, such as `3h 2m`.
pub(super) fn duration(seconds: u64) -> String {
    match (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60, seconds % 60) {
        (0, 0, 0, seconds) => format!("{seconds}s"),
        (0, 0, minutes, seconds) => format!("{minutes}m {seconds}s"),
        (0, hours, minutes, _) => format!("{hours}h {minutes}m"),
        (days, hours, ..) => format!("{days}d {hours}h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_at_most_two_units() {
        let texts = [0, 59, 61, 3600, 10_920, 90_000].map(duration);
        assert_eq!(texts, ["0s", "59s", "1m 1s", "1h 0m", "3h 2m", "1d 1h"]);
    }

    #[test]
    fn a_text_of_the_service_cannot_steer_the_terminal() {
        assert_eq!(plain("a\u{1b}[31m\nb"), "a [31m b");
        assert_eq!(plain(&"x".repeat(81)).chars().count(), 81);
    }
}
