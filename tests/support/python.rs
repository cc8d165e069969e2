//! Independent programs of Python.

use std::path::Path;

use tokio::process::Command;

use super::variable;

/// A command of the Python environment that `tests/run` has prepared.
pub(crate) fn python_program(name: &str) -> Command {
    let mut command = Command::new(Path::new(&variable("BORGOS_TEST_PYTHON_DIR")).join("bin").join(name));
    command.kill_on_drop(true);
    command
}
