//! Reads the start command out of a Procfile.

use std::path::Path;

use super::tree::Tree;
use crate::value::Command;

/// Why a Procfile gives no command.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unusable {
    /// There is no Procfile, or it has no `web:` line.
    Absent,
    /// The line is there and cannot be run.
    Refused(String),
}

/// Reads the `web:` line of the project's Procfile as an argument vector, for a program that is started without a shell.
pub(crate) fn web_command(project: &Path) -> Result<Command, Unusable> {
    split(&web_line(project)?)
}

/// Reads the `web:` line of the project's Procfile.
pub(super) fn web_line(project: &Path) -> Result<String, Unusable> {
    let text = Tree::new(project).text("Procfile").map_err(Unusable::Refused)?;
    let text = text.ok_or(Unusable::Absent)?;
    let line = text.lines().find_map(|line| line.strip_prefix("web:"));
    line.map(str::to_owned).ok_or(Unusable::Absent)
}

/// Splits a line as a POSIX shell quotes, and refuses what only a shell could do: it would reach the program as text.
fn split(line: &str) -> Result<Command, Unusable> {
    let refused = |reason: &str| Err(Unusable::Refused(format!("the Procfile's `web:` line {reason}")));
    let Some(words) = shlex::split(line) else {
        return refused("has a quote that is not closed");
    };
    if words
        .iter()
        .any(|word| word.contains("$PORT") || word.contains("${PORT}"))
    {
        return refused(
            "uses `$PORT`, and no shell is there to replace it: let the program read PORT from its environment",
        );
    }
    if words
        .iter()
        .any(|word| matches!(word.as_str(), "&&" | "||" | "|" | ";" | "&" | ">" | ">>" | "<"))
    {
        return refused("needs a shell, and it is run without one: put it into a script and name that");
    }
    Command::try_from(words).or_else(|invalid| refused(&invalid.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_are_undone_and_nothing_is_expanded() {
        let command = split(" python3 -m 'my app' --glob *.txt \"a b\" ~/x $(id) `id`").unwrap();
        assert_eq!(
            command.as_argv(),
            [
                "python3", "-m", "my app", "--glob", "*.txt", "a b", "~/x", "$(id)", "`id`"
            ]
        );
    }

    #[test]
    fn what_needs_a_shell_is_refused_with_advice() {
        for (line, advice) in [
            ("gunicorn --bind 0.0.0.0:$PORT app", "read PORT"),
            ("npm install && npm start", "without one"),
            ("python3 'app", "not closed"),
            ("", "begin with a program"),
        ] {
            let Err(Unusable::Refused(reason)) = split(line) else {
                panic!("{line} was accepted")
            };
            assert!(reason.contains(advice), "{reason}");
        }
    }

    #[test]
    fn only_the_web_line_counts() {
        let project = tempfile::tempdir().unwrap();
        assert_eq!(web_command(project.path()), Err(Unusable::Absent));
        std::fs::write(
            project.path().join("Procfile"),
            "worker: run jobs\nweb: ./server --all\n",
        )
        .unwrap();
        assert_eq!(web_command(project.path()).unwrap().as_argv(), ["./server", "--all"]);
    }
}
