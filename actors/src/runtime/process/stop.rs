//! Ends instances: the app, what it left behind, and if need be its keeper.

use std::{io, time::Duration};

use rustix::process::Signal;
use tokio::time::{Instant, sleep};

use super::{
    blocking, group,
    record::{Phase, Record},
    refused,
};
use crate::runtime::Error;

/// How often is looked whether something has ended.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// How long SIGKILL may take. Longer means that the process hangs in the kernel.
const KILL_DEADLINE: Duration = Duration::from_secs(5);
/// How long the keeper may take to clean up and write down the end, or to come from its start to the app's.
const KEEPER_DEADLINE: Duration = Duration::from_secs(8);

/// Ends an instance: SIGTERM to the app's group, SIGKILL after `grace`. Keeps its record.
pub(super) async fn stop(record: &Record, grace: Duration) -> Result<(), Error> {
    settle_start(record).await?;
    if !is_app_alive(record).await? {
        return end_keeper(record).await;
    }
    signal(record, Signal::TERM).await?;
    if !until(grace, record, app_is_gone).await? {
        kill_app(record).await?;
    }
    end_keeper(record).await
}

/// Kills an instance and deletes its record.
pub(super) async fn remove(record: &Record) -> Result<(), Error> {
    settle_start(record).await?;
    kill_app(record).await?;
    end_keeper(record).await?;
    let record = record.clone();
    blocking(move || {
        let lock = match record.try_lock() {
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => None,
            lock => lock?.map_or_else(
                || Err(io::Error::other("its keeper does not end")),
                |lock| Ok(Some(lock)),
            )?,
        };
        record.delete()?;
        drop(lock);
        Ok(())
    })
    .await
}

/// Waits for a keeper that is about to start its app, so that no app appears behind our back.
async fn settle_start(record: &Record) -> Result<(), Error> {
    let is_settled = |record: &Record| -> io::Result<bool> {
        let is_starting = !matches!(record.state()?, Some(state) if state.phase != Phase::Starting);
        Ok(!is_starting || !record.is_kept()?)
    };
    until(KEEPER_DEADLINE, record, is_settled).await.map(|_| ())
}

async fn kill_app(record: &Record) -> Result<(), Error> {
    signal(record, Signal::KILL).await?;
    match until(KILL_DEADLINE, record, app_is_gone).await? {
        true => Ok(()),
        false => Err(refused("the app hangs in the kernel and cannot be killed now")),
    }
}

/// Waits for the keeper to clean up and end; kills it and cleans up for it if it does not.
async fn end_keeper(record: &Record) -> Result<(), Error> {
    let is_kept_no_more = |record: &Record| record.is_kept().map(|is_kept| !is_kept);
    if !until(KEEPER_DEADLINE, record, is_kept_no_more).await? {
        with_record(record, |record| match record.state()? {
            Some(state) => group::kill_keeper(&state.keeper),
            None => Ok(()),
        })
        .await?;
        until(KILL_DEADLINE, record, is_kept_no_more).await?;
    }
    // Passes until one finds nothing: what is killed may have forked just before.
    let is_session_empty = |record: &Record| match record.state()? {
        Some(state) => group::kill_session(&state.keeper).map(|num_killed| num_killed == 0),
        None => Ok(true),
    };
    match until(KILL_DEADLINE, record, is_session_empty).await? {
        true => Ok(()),
        false => Err(refused("processes of the app cannot be killed")),
    }
}

async fn signal(record: &Record, signal: Signal) -> Result<(), Error> {
    with_record(record, move |record| match record.state()?.map(|state| state.phase) {
        Some(Phase::Running { app, .. }) => group::signal(&app, signal),
        _ => Ok(()),
    })
    .await
}

async fn is_app_alive(record: &Record) -> Result<bool, Error> {
    with_record(record, |record| app_is_gone(record).map(|is_gone| !is_gone)).await
}

fn app_is_gone(record: &Record) -> io::Result<bool> {
    match record.state()?.map(|state| state.phase) {
        Some(Phase::Running { app, .. }) => group::alive(&app).map(|is_alive| !is_alive),
        _ => Ok(true),
    }
}

/// Waits until the check says yes, and returns its last answer.
async fn until(
    deadline: Duration,
    record: &Record,
    check: impl Fn(&Record) -> io::Result<bool> + Copy + Send + 'static,
) -> Result<bool, Error> {
    let end = Instant::now() + deadline;
    loop {
        if with_record(record, check).await? {
            return Ok(true);
        }
        if Instant::now() >= end {
            return Ok(false);
        }
        sleep(LOOK_EVERY).await;
    }
}

async fn with_record<T: Send + 'static>(
    record: &Record,
    work: impl FnOnce(&Record) -> io::Result<T> + Send + 'static,
) -> Result<T, Error> {
    let record = record.clone();
    blocking(move || work(&record)).await
}
