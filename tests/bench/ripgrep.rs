//! The other contestant.

use std::{
    io::ErrorKind,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use borgos_actors::search::code::Mode;

/// Returns the median time and the number of lines, or nothing where ripgrep is not installed.
pub(super) fn measure(root: &Path, text: &str, mode: Mode, rounds: usize) -> Result<Option<(Duration, usize)>> {
    let mut times = Vec::with_capacity(rounds);
    let mut lines = 0;
    for _ in 0..rounds {
        let mut command = Command::new("rg");
        command.args([
            "--no-config",
            "--no-ignore",
            "--hidden",
            "--glob=!.git",
            "--line-number",
            "--max-filesize=4M",
            "--no-heading",
        ]);
        command.args(if mode == Mode::Words {
            &["--fixed-strings"][..]
        } else {
            &[]
        });
        let started = Instant::now();
        let output = match command.arg("--regexp").arg(text).arg(root).output() {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            outcome => outcome?,
        };
        times.push(started.elapsed());
        ensure!(
            output.status.success(),
            "ripgrep failed: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        lines = output.stdout.iter().filter(|byte| **byte == b'\n').count();
    }
    times.sort_unstable();
    Ok(times.get(rounds / 2).map(|time| (*time, lines)))
}
