//! Finds errors among the lines. A traceback goes on for many lines and is one error.

use std::mem;

use crate::store::error_log::Severity;

const TRACEBACK: &str = "Traceback (most recent call last):";
/// How Agent Zero begins the lines that it means for people.
const PREFIXES: [(&str, Severity); 2] = [("Error: ", Severity::Error), ("Warning: ", Severity::Warning)];
/// A longer traceback loses its middle, which is a recursion.
const MAX_TRACE_LINES: usize = 200;

/// An error that was printed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Report {
    pub(super) severity: Severity,
    pub(super) message: String,
    pub(super) trace: Option<String>,
}

/// Collects a traceback until its last line.
#[derive(Debug, Default)]
pub(super) struct Reports {
    trace: Vec<String>,
}

impl Reports {
    /// Takes a line and returns the error that it completes.
    pub(super) fn push(&mut self, line: &str) -> Option<Report> {
        if self.trace.is_empty() {
            return self.begin(line);
        }
        if line.starts_with([' ', '\t']) || line.is_empty() {
            self.keep(line);
            return None;
        }
        self.keep(line);
        Some(Report {
            severity: Severity::Error,
            message: line.to_owned(),
            trace: Some(mem::take(&mut self.trace).join("\n")),
        })
    }

    /// Returns the traceback that is not complete, since nothing more comes.
    pub(super) fn finish(&mut self) -> Option<Report> {
        let message = self.trace.last()?.trim().to_owned();
        Some(Report {
            severity: Severity::Error,
            message,
            trace: Some(mem::take(&mut self.trace).join("\n")),
        })
    }

    fn begin(&mut self, line: &str) -> Option<Report> {
        if line.trim_start() == TRACEBACK {
            self.trace.push(line.to_owned());
            return None;
        }
        let (message, severity) = PREFIXES
            .iter()
            .find_map(|(prefix, severity)| Some((line.strip_prefix(prefix)?, *severity)))?;
        Some(Report {
            severity,
            message: message.to_owned(),
            trace: None,
        })
    }

    fn keep(&mut self, line: &str) {
        if self.trace.len() >= MAX_TRACE_LINES {
            self.trace.remove(MAX_TRACE_LINES / 2);
        }
        self.trace.push(line.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reports(text: &str) -> Vec<Report> {
        let mut reports = Reports::default();
        let mut found: Vec<_> = text.lines().filter_map(|line| reports.push(line)).collect();
        found.extend(reports.finish());
        found
    }

    #[test]
    fn a_traceback_is_one_error() {
        let text = "start\nTraceback (most recent call last):\n  File \"a.py\", line 1\n    f()\n\nValueError: no\nError: bad\nDebug: x\nWarning: w";
        let found = reports(text);
        assert_eq!(found.len(), 3, "{found:?}");
        assert_eq!(found[0].message, "ValueError: no");
        assert_eq!(found[0].trace.as_ref().unwrap().lines().count(), 5);
        assert_eq!((found[1].message.as_str(), found[1].severity), ("bad", Severity::Error));
        assert_eq!((found[2].message.as_str(), found[2].severity), ("w", Severity::Warning));
    }

    #[test]
    fn a_traceback_that_ends_with_the_process_or_never_is_kept_within_bounds() {
        let found = reports("Traceback (most recent call last):\n  File \"a.py\"");
        assert_eq!(found[0].message, "File \"a.py\"");
        let endless = format!("{TRACEBACK}\n{}", "  deeper\n".repeat(10_000));
        assert_eq!(
            reports(&endless)[0].trace.as_ref().unwrap().lines().count(),
            MAX_TRACE_LINES
        );
    }
}
