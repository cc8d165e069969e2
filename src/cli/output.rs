//! Text for terminals: lines, colours where they are wanted, and durations as people write them.

use std::{
    env,
    io::{self, IsTerminal, Write},
};

use comfy_table::{ContentArrangement, Table, presets};
use serde_json::Value;

/// How much of a text of the service is shown in one cell or column.
const MAX_CELL_CHARS: usize = 80;
/// How much of a sentence of the service is shown: ample for those that list what is allowed.
const MAX_SENTENCE_CHARS: usize = 2000;

/// A colour of a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Color {
    Green,
    Yellow,
    Red,
    Magenta,
}

/// Writes one line to standard output.
pub(super) fn line(text: &str) -> io::Result<()> {
    let mut output = io::stdout().lock();
    writeln!(output, "{text}")?;
    output.flush()
}

/// Writes one line to standard error, about what stands on standard output.
pub(super) fn note(text: &str) {
    // Nothing depends on it.
    let _ = writeln!(io::stderr(), "{text}");
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
        Color::Magenta => 35,
    };
    format!("\u{1b}[{code}m{text}\u{1b}[0m")
}

/// Says whether colours are wanted.
fn has_colors() -> bool {
    io::stdout().is_terminal() && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Returns a table without borders.
pub(super) fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(header);
    if !has_colors() {
        table.force_no_tty();
    }
    table
}

/// Writes a table, one line for each row.
pub(super) fn rows(mut table: Table) -> Vec<String> {
    table.discover_columns();
    if let Some(first) = table.column_mut(0) {
        // Without a border the first column begins at the edge.
        first.set_padding((0, 1));
    }
    table.trim_fmt().lines().map(str::to_owned).collect()
}

/// Makes a text of the service fit for a cell: its control characters could steer the terminal.
pub(super) fn plain(text: &str) -> String {
    cleaned(text, MAX_CELL_CHARS)
}

/// Makes a line of an app fit for a terminal and leaves its length alone.
pub(super) fn unsteered(text: &str) -> String {
    text.replace(|c: char| c.is_control() && c != '\t', " ")
}

/// Makes a sentence of the service, such as why it refused, fit for one line.
pub(super) fn sentence(text: &str) -> String {
    cleaned(text, MAX_SENTENCE_CHARS)
}

fn cleaned(text: &str, max_chars: usize) -> String {
    let clean = |c: char| if c.is_control() { ' ' } else { c };
    let mut shown: String = text.chars().map(clean).take(max_chars).collect();
    if text.chars().nth(max_chars).is_some() {
        shown.push('…');
    }
    shown
}

/// Writes JSON with every control character escaped. JSON itself allows some of them, which could steer the terminal.
pub(super) fn json(value: &Value) -> String {
    let mut shown = String::new();
    for c in value.to_string().chars() {
        match c.is_control() {
            true => shown.push_str(&format!("\\u{:04x}", u32::from(c))),
            false => shown.push(c),
        }
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
    use serde_json::json;

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
        assert_eq!(sentence("a\u{9b}2Jb"), "a 2Jb");
        let value = json!({"a": "\u{1b}\u{7f}\u{9b}2J"});
        let shown = json(&value);
        assert_eq!(shown, r#"{"a":"\u001b\u007f\u009b2J"}"#);
        assert_eq!(serde_json::from_str::<Value>(&shown).unwrap(), value);
    }
}
