//! Procfiles, and the port that a command line names.

use std::sync::LazyLock;

use regex::Regex;

use super::{
    findings::{EntryKind, EntryPoint},
    syntax::pattern,
};

/// `--port 3000`, `--port=3000`, `-p 3000`, `PORT=3000`, `0.0.0.0:8000`, `localhost:5000`.
static PORT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"(?:--port[ =]|(?:^|\s)-p[ =]?|\bPORT=|(?:\d+\.\d+\.\d+\.\d+|localhost|\[::\]):)(\d{2,5})\b")
});

pub(super) fn read(path: &str, source: &str) -> Vec<EntryPoint> {
    let lines = source.lines().filter_map(|line| line.split_once(':'));
    let is_name = |name: &str| {
        !name.is_empty()
            && name
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
    };
    lines
        .filter(|(name, _)| is_name(name))
        .map(|(name, command)| EntryPoint {
            name: name.to_owned(),
            target: Some(command.trim().to_owned()),
            kind: EntryKind::Process,
            manifest: path.to_owned(),
        })
        .collect()
}

/// Returns the port of an entry point that serves, when its command names exactly one.
pub(super) fn served_port(entry: &EntryPoint) -> Option<u16> {
    let is_serving = match entry.kind {
        EntryKind::Process => entry.name == "web",
        EntryKind::Script => matches!(entry.name.as_str(), "start" | "serve"),
        EntryKind::Program => false,
    };
    port_in(entry.target.as_ref().filter(|_| is_serving)?)
}

/// Returns the port that a command names, when it names exactly one.
pub(crate) fn port_in(command: &str) -> Option<u16> {
    let mut named = PORT
        .captures_iter(command)
        .filter_map(|parts| number(command, parts.get(1)?));
    let first = named.next()?;
    named.all(|other| other == first).then_some(first)
}

/// Reads a number that ends a word: `mkdir -p 2024/05` names no port.
fn number(command: &str, found: regex::Match<'_>) -> Option<u16> {
    let rest = &command[found.end()..];
    let is_end =
        rest.is_empty() || rest.starts_with(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ';' | '&'));
    found.as_str().parse().ok().filter(|_| is_end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_counts_only_when_it_is_the_only_one() {
        let port_of = |line: &str| read("Procfile", line).first().and_then(served_port);
        assert_eq!(port_of("web: gunicorn --bind 0.0.0.0:8000 site.wsgi"), Some(8000));
        assert_eq!(port_of("web: next start -p 3000"), Some(3000));
        assert_eq!(port_of("web: PORT=5000 node server.js --port 5000"), Some(5000));
        assert_eq!(port_of("web: proxy --port 80 -p 8080"), None);
        assert_eq!(port_of("web: gunicorn --bind 0.0.0.0:$PORT site"), None);
        assert_eq!(port_of("worker: celery -p 3000"), None);
        assert_eq!(port_of("web: mkdir -p 2024/05 && run"), None);
    }
}
