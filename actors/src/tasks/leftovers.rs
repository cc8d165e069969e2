//! Ends the programs of attempts that are over, however those ended.
//!
//! Every program that works on an attempt carries the attempt's key in its environment, and so does whatever it starts. So
//! they are found whether or not they left their process group or their parents are gone, and whichever program has their
//! old pids now is left alone.

use crate::{
    id::TaskId,
    program::{self, Mark},
    store::tasks::Owner,
};

/// The variable that carries the key.
pub(super) const VARIABLE: &str = "BORGOS_TASK_RUN";

/// Returns a text that no other attempt has, and that begins with the worker's.
pub(super) fn key(owner: &Owner, task: TaskId, attempt: i32) -> String {
    format!("{}/{task}/{attempt}", owner.as_str())
}

/// Kills all programs of the attempt with this key.
pub(super) async fn end_all(key: String) {
    end(Mark::Entry(format!("{VARIABLE}={key}"))).await;
}

/// Kills all programs of attempts whose keys begin like this.
pub(super) async fn end_all_of(prefix: &str) {
    end(Mark::Prefix(format!("{VARIABLE}={prefix}"))).await;
}

async fn end(mark: Mark) {
    match program::end_marked(&mark).await {
        Ok(0) => {}
        Ok(num_killed) => tracing::info!(num_killed, "ended {num_killed} programs that a task had left behind"),
        Err(error) => tracing::warn!(%error, "programs of a task are left over"),
    }
}
