//! The bar below the lines. Where standard error is no terminal, there is none.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::board::{Board, Progress};
use crate::cli::output::plain;

const TEMPLATE: &str = "{spinner} [{bar:32}] {msg}";
/// How often the spinner turns, which shows that the program waits and does not hang.
const TURN_EVERY: Duration = Duration::from_millis(100);
/// So many parts of the bar are one project, so that a large one does not stand still.
const PARTS: u64 = 1000;

/// A bar; gone when it is dropped.
pub(super) struct Bar {
    bar: ProgressBar,
}

impl Bar {
    /// Draws a bar.
    pub(super) fn start(board: &Board) -> Self {
        let bar = ProgressBar::new(0);
        let style = ProgressStyle::with_template(TEMPLATE).expect("the template is a constant");
        bar.set_style(style.progress_chars("=> "));
        let bar = Self { bar };
        bar.show(board);
        bar.bar.enable_steady_tick(TURN_EVERY);
        bar
    }

    /// Writes something else meanwhile.
    pub(super) fn above<T>(&self, write: impl FnOnce() -> T) -> T {
        self.bar.suspend(write)
    }

    /// Shows how far the scans are.
    pub(super) fn show(&self, board: &Board) {
        self.bar.set_length(board.num_expected() as u64 * PARTS);
        self.bar
            .set_position(board.num_shown() as u64 * PARTS + board.progress().map_or(0, part));
        self.bar.set_message(message(board));
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// Says how much of one project is done.
fn part(progress: &Progress) -> u64 {
    progress.num_done.min(progress.num_files) * PARTS / progress.num_files.max(1)
}

fn message(board: &Board) -> String {
    let projects = format!("{} of {} projects", board.num_shown(), board.num_expected());
    match board.progress() {
        Some(progress) => format!(
            "{projects}, {}: {} of {} files",
            plain(&progress.name),
            progress.num_done,
            progress.num_files
        ),
        None => projects,
    }
}
