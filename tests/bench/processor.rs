//! How much processor time was used: what a busy machine does not change much.

use std::fs;

use anyhow::{Context, Result};

/// Linux counts in hundredths of a second wherever it runs.
const MILLISECONDS_PER_TICK: f64 = 10.0;

/// Returns how many milliseconds of it this process has used so far, and the programs that it started and that have ended.
pub(super) fn used() -> Result<(f64, f64)> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    // The name before the bracket may hold spaces.
    let (_, fields) = stat.rsplit_once(')').context("there is no name")?;
    let fields = fields.split_whitespace().skip(11).take(4);
    let ticks: Vec<f64> = fields.filter_map(|field| field.parse().ok()).collect();
    let [user, system, user_of_children, system_of_children] = ticks.as_slice() else {
        anyhow::bail!("there are no times");
    };
    Ok((
        (user + system) * MILLISECONDS_PER_TICK,
        (user_of_children + system_of_children) * MILLISECONDS_PER_TICK,
    ))
}
