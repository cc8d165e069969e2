//! Start commands that somebody has said, in a request, a Procfile or a script.

use super::{
    Kind,
    procfile::{self, Unusable},
    tree::Tree,
};
use crate::{manifests::port_in, value::Command};

/// What only a shell understands.
const FOR_SHELLS: [char; 16] = [
    '$', '&', '|', ';', '<', '>', '`', '(', ')', '*', '?', '~', '[', ']', '{', '#',
];
/// What separates the commands of a line.
const BETWEEN_COMMANDS: [char; 3] = ['&', '|', ';'];
/// Programs that tell in which language a project is.
const OF_NODE: [&str; 7] = ["node", "npm", "npx", "yarn", "pnpm", "next", "tsx"];
const OF_PYTHON: [&str; 11] = [
    "python",
    "python3",
    "gunicorn",
    "uvicorn",
    "hypercorn",
    "daphne",
    "flask",
    "streamlit",
    "waitress-serve",
    "uv",
    "poetry",
];

/// A start command that need not be found.
pub(super) struct Said {
    pub(super) argv: Vec<String>,
    /// Who says it.
    pub(super) by: &'static str,
    /// Whether it is taken in the place of any other when the container is started.
    pub(super) is_requested: bool,
}

impl Said {
    /// Takes the command that was asked for, else the one of the Procfile, if there is one.
    pub(super) fn find(tree: &Tree, requested: Option<&Command>) -> Result<Option<Self>, String> {
        if let Some(command) = requested {
            return Ok(Some(Self {
                argv: command.as_argv().to_vec(),
                by: "the `command` that was asked for",
                is_requested: true,
            }));
        }
        match procfile::web_line(&tree.join("")) {
            Ok(line) => Ok(Some(Self {
                argv: in_container(&line)?,
                by: "the Procfile's `web:` line",
                is_requested: false,
            })),
            Err(Unusable::Absent) => Ok(None),
            Err(Unusable::Refused(reason)) => Err(reason),
        }
    }

    /// Returns the stack that the program tells of, if it tells of one.
    pub(super) fn stack(&self) -> Option<Kind> {
        let program = self.program()?;
        let is_one_of = |names: &[&str]| names.contains(&program);
        match program {
            _ if is_one_of(&OF_NODE) => Some(Kind::Node),
            _ if is_one_of(&OF_PYTHON) => Some(Kind::Python),
            _ => None,
        }
    }

    /// Returns the name of the first program, past variables that are set for it and past a shell around it.
    fn program(&self) -> Option<&str> {
        let line = match self.argv.as_slice() {
            [shell, option, line] if shell == "sh" && option == "-c" => line,
            [program, ..] => program,
            [] => return None,
        };
        let mut words = line.split_whitespace();
        let word = words.find(|word| !word.contains('=') && *word != "exec")?;
        word.rsplit('/').next()
    }

    /// Returns the port that it names, if it names exactly one.
    pub(super) fn port(&self) -> Option<u16> {
        port_in(&self.argv.join(" "))
    }
}

/// Makes an argument vector of a line that was written for a shell. What needs one is given to one, in the container.
pub(super) fn in_container(line: &str) -> Result<Vec<String>, String> {
    let line = line.trim();
    let is_variable_first = line.split_whitespace().next().is_some_and(|word| word.contains('='));
    if !is_variable_first && !line.contains(FOR_SHELLS) {
        let words = shlex::split(line).ok_or_else(|| format!("`{line}` has a quote that is not closed"))?;
        let command = Command::try_from(words).map_err(|invalid| format!("`{line}` {invalid}"))?;
        return Ok(command.into());
    }
    // The shell gives way to the only program of a line, so that this one is told when it is to end.
    let only = !is_variable_first && !line.contains(BETWEEN_COMMANDS);
    let text = if only { format!("exec {line}") } else { line.to_owned() };
    Ok(["sh", "-c", &text].map(str::to_owned).to_vec())
}

/// Makes an argument vector of words.
pub(super) fn words<const N: usize>(words: [&str; N]) -> Vec<String> {
    words.map(str::to_owned).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(line: &str) -> Said {
        Said {
            argv: in_container(line).unwrap(),
            by: "a test",
            is_requested: false,
        }
    }

    #[test]
    fn a_line_is_only_given_to_a_shell_when_it_needs_one() {
        for (line, argv) in [
            ("node 'my server.js' --fast", &["node", "my server.js", "--fast"][..]),
            ("gunicorn -b :$PORT app", &["sh", "-c", "exec gunicorn -b :$PORT app"]),
            ("./migrate && ./serve", &["sh", "-c", "./migrate && ./serve"]),
            ("A=1 node x", &["sh", "-c", "A=1 node x"]),
        ] {
            assert_eq!(in_container(line).unwrap(), argv, "{line}");
        }
        assert!(in_container("node 'x").unwrap_err().contains("not closed"));
        assert!(in_container("  ").is_err());
    }

    #[test]
    fn the_program_tells_the_stack() {
        for (line, stack) in [
            ("node x", Some(Kind::Node)),
            ("A=1 /usr/bin/python3 x.py", Some(Kind::Python)),
            ("gunicorn -b :$PORT app", Some(Kind::Python)),
            ("bin/app -p 3000", None),
        ] {
            assert_eq!(said(line).stack(), stack, "{line}");
        }
        assert_eq!(said("bin/app -p 3000").port(), Some(3000));
        assert_eq!(said("gunicorn -b :$PORT app").port(), None);
    }
}
