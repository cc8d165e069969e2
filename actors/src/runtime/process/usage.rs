//! What the processes of an instance use at this moment.

use std::{io, time::Duration};

use tokio::time::{Instant, sleep};

use super::{
    blocking, group,
    record::{Phase, Record},
};
use crate::runtime::{Error, Usage};

/// How long CPU time is counted for.
const SPAN: Duration = Duration::from_millis(500);

/// A look at the processes of one session.
#[derive(Debug, Clone, Copy)]
struct Look {
    cpu_ticks: u64,
    memory_bytes: u64,
    num_processes: u64,
}

/// Measures an instance; nothing if it does not run.
pub(super) async fn usage(record: Record) -> Result<Option<Usage>, Error> {
    let Some(before) = look(record.clone()).await? else {
        return Ok(None);
    };
    let begun = Instant::now();
    sleep(SPAN).await;
    let now = look(record).await?;
    let seconds = begun.elapsed().as_secs_f64();
    Ok(now.map(|now| {
        // A process that has ended meanwhile takes its time with it.
        let ticks = now.cpu_ticks.saturating_sub(before.cpu_ticks);
        Usage {
            cpu_percent: Some(ticks as f64 / procfs::ticks_per_second() as f64 / seconds * 100.0),
            memory_bytes: now.memory_bytes,
            network_rx_bytes: None,
            network_tx_bytes: None,
            num_processes: Some(now.num_processes),
        }
    }))
}

async fn look(record: Record) -> Result<Option<Look>, Error> {
    blocking(move || {
        let Some(state) = record.state()? else { return Ok(None) };
        match state.phase {
            Phase::Running { .. } => session(state.keeper.pid).map(Some),
            Phase::Starting | Phase::Failed { .. } | Phase::Exited { .. } => Ok(None),
        }
    })
    .await
}

/// Sums up all processes of a keeper's session but the keeper.
fn session(keeper: i32) -> io::Result<Look> {
    let mut sum = Look {
        cpu_ticks: 0,
        memory_bytes: 0,
        num_processes: 0,
    };
    for process in procfs::process::all_processes().map_err(group::into_io)?.flatten() {
        // One that cannot be read has ended meanwhile.
        let Ok(stat) = process.stat() else { continue };
        if stat.session == keeper && stat.pid != keeper {
            sum.cpu_ticks += stat.utime + stat.stime;
            sum.memory_bytes += stat.rss * procfs::page_size();
            sum.num_processes += 1;
        }
    }
    Ok(sum)
}
