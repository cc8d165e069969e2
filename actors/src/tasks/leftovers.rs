//! Ends the programs of attempts that are over, however those ended.
//!
//! Every program that works on an attempt carries the attempt's key in its environment, and so does whatever it starts. So
//! they are found whether or not they left their process group or their parents are gone, and whichever program has their
//! old pids now is left alone.

use std::{io, time::Duration};

use tokio::{task::spawn_blocking, time::sleep};

use crate::{id::TaskId, program, store::tasks::Owner};

/// The variable that carries the key.
pub(super) const VARIABLE: &str = "BORGOS_TASK_RUN";
/// Passes until one finds nothing: what is killed may have forked just before. More mean that something cannot be killed.
const MAX_PASSES: usize = 20;
const PAUSE: Duration = Duration::from_millis(5);

/// Returns a text that no other attempt has, and that begins with the worker's.
pub(super) fn key(owner: &Owner, task: TaskId, attempt: i32) -> String {
    format!("{}/{task}/{attempt}", owner.as_str())
}

/// Kills all programs of the attempt with this key.
pub(super) async fn end_all(key: String) {
    end(format!("{VARIABLE}={key}"), true).await;
}

/// Kills all programs of attempts whose keys begin like this.
pub(super) async fn end_all_of(prefix: &str) {
    end(format!("{VARIABLE}={prefix}"), false).await;
}

async fn end(mark: String, is_whole: bool) {
    for _ in 0..MAX_PASSES {
        let mark = mark.clone();
        let killed = spawn_blocking(move || kill_marked(mark.as_bytes(), is_whole)).await;
        match killed.unwrap_or_else(|panic| Err(io::Error::other(panic))) {
            Ok(0) => return,
            Ok(num_killed) => tracing::info!(num_killed, "ended {num_killed} programs that a task had left behind"),
            Err(error) => tracing::warn!(%error, "programs of a task could not be ended"),
        }
        sleep(PAUSE).await;
    }
    tracing::warn!("programs of a task are left over and cannot be killed");
}

fn kill_marked(mark: &[u8], is_whole: bool) -> io::Result<usize> {
    let is_marked = |entry: &[u8]| match is_whole {
        true => entry == mark,
        false => entry.starts_with(mark),
    };
    program::kill_all(|process, _| {
        // The environment of a stranger's program may not be readable; then it is none of ours.
        let environment = program::environment(process).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(is_marked)
    })
}
