//! Writes Dockerfiles, and reads the port of one.

use std::fmt::{Display, Write as _};

use serde_json::json;

/// Who programs run as: nobody that the base image knows, so that it needs no user of its own.
pub(super) const USER: &str = "10001:10001";

/// A Dockerfile that is being written.
pub(super) struct Text(String);

impl Text {
    /// Begins one for this kind of project.
    pub(super) fn for_project(of: &str) -> Self {
        let first = format!("# Written by BorgOS for {of}. A Dockerfile in the project takes its place.\n");
        Self(first)
    }

    /// Adds an instruction.
    pub(super) fn add(&mut self, instruction: impl Display) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.0, "{instruction}");
    }

    /// Adds what comes last: who runs what, and where it listens.
    pub(super) fn finish(mut self, command: &[String], port: u16) -> String {
        self.add(format_args!("ENV HOME=/tmp PORT={port}"));
        self.add(format_args!("EXPOSE {port}"));
        self.add(format_args!("USER {USER}"));
        self.add(format_args!("CMD {}", json!(command)));
        self.0
    }
}

/// Whether a name can stand in an instruction as it is.
pub(super) fn is_plain(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with('-')
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))
}

/// Returns the lowest port that the last stage exposes by number.
pub(super) fn exposed_port(dockerfile: &str) -> Option<u16> {
    crate::manifests::exposed_ports(dockerfile).into_iter().min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_mean_something_to_a_shell_are_not_plain() {
        for (name, expected) in [
            ("app", true),
            ("my-app_2.x", true),
            ("a b", false),
            ("$(id)", false),
            ("-x", false),
        ] {
            assert_eq!(is_plain(name), expected, "{name}");
        }
    }

    #[test]
    fn a_command_stays_in_its_line() {
        let mut text = Text::for_project("a test");
        text.add("FROM scratch");
        let text = text.finish(&["a\nRUN b".to_owned(), "\"".to_owned()], 80);
        assert!(text.ends_with("CMD [\"a\\nRUN b\",\"\\\"\"]\n"), "{text}");
        assert_eq!(exposed_port(&text), Some(80));
    }
}
