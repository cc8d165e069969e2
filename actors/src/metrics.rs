//! Samples the machine, so that a status request is answered from memory.
//!
//! A worker under `app`. It owns nothing that matters: after a crash it samples anew, and meanwhile readers see the last
//! sample. Readers hold the receiving end of a watch channel and never ask the actor.

use std::{path::PathBuf, time::Duration};

use ractor::{Actor, ActorProcessingErr, ActorRef};
use schemars::JsonSchema;
use serde::Serialize;
use sysinfo::System;
use tokio::sync::watch;
use tracing::debug;

use crate::supervision;

/// How often the machine is sampled. CPU use is the mean over this time; below a second it would be noise.
const SAMPLE_EVERY: Duration = Duration::from_secs(2);

/// With less space than that left, neither the database nor logs can be relied on.
const MIN_FREE_BYTES: u64 = 16 * 1024 * 1024;

/// What was last seen of the machine.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, JsonSchema)]
pub struct Sample {
    /// CPU use over all cores in the last two seconds, 0 to 100.
    pub cpu_percent: f64,
    /// Memory in use, 0 to 100.
    pub memory_percent: f64,
    /// Space in use on the data directory's file system, 0 to 100.
    pub disk_percent: f64,
    /// Space left there for us; nothing if it could not be measured.
    pub disk_free_bytes: Option<u64>,
    /// Seconds since the machine started.
    pub uptime_seconds: u64,
}

/// What the actor can be asked.
#[derive(Debug)]
pub enum Message {
    /// Take a sample now.
    Sample,
}

impl supervision::Message for Message {
    fn kind(&self) -> &'static str {
        match self {
            Self::Sample => "sample",
        }
    }
}

/// What the actor is given.
#[derive(Clone)]
pub struct Args {
    /// Whose file system is measured.
    pub data_dir: PathBuf,
    /// Where samples go.
    pub samples: watch::Sender<Sample>,
}

/// The actor.
pub struct Metrics;

/// What the actor holds.
pub struct State {
    /// Keeps the CPU counters of the last sample, which the next is the difference to.
    system: System,
    args: Args,
}

impl Actor for Metrics {
    type Msg = Message;
    type State = State;
    type Arguments = Args;

    async fn pre_start(&self, myself: ActorRef<Message>, args: Args) -> Result<State, ActorProcessingErr> {
        let mut state = State {
            system: System::new()?,
            args,
        };
        state.sample();
        myself.send_interval(SAMPLE_EVERY, || Message::Sample);
        Ok(state)
    }

    async fn handle(
        &self,
        _myself: ActorRef<Message>,
        message: Message,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            Message::Sample => state.sample(),
        }
        Ok(())
    }
}

impl State {
    /// What cannot be measured keeps its last value: a gauge is no reason to fail.
    fn sample(&mut self) {
        self.system.refresh_cpu_usage();
        self.system.refresh_memory();
        let last = *self.args.samples.borrow();
        let disk = self.disk().unwrap_or_else(|error| {
            debug!(%error, "the data directory's file system could not be measured");
            (last.disk_percent, None)
        });
        self.args.samples.send_replace(Sample {
            cpu_percent: rounded(f64::from(self.system.global_cpu_usage())),
            memory_percent: percent(self.system.used_memory(), self.system.total_memory()),
            disk_percent: disk.0,
            disk_free_bytes: disk.1,
            uptime_seconds: System::uptime().unwrap_or(last.uptime_seconds),
        });
    }

    /// As `df` has it: used space over what an unprivileged user could use, and what is left of that.
    fn disk(&self) -> rustix::io::Result<(f64, Option<u64>)> {
        let disk = rustix::fs::statvfs(&self.args.data_dir)?;
        let used = disk.f_blocks.saturating_sub(disk.f_bfree);
        let free = disk.f_bavail.saturating_mul(disk.f_frsize);
        Ok((percent(used, used + disk.f_bavail), Some(free)))
    }
}

impl Sample {
    /// Returns what is wrong with the disk, if anything is.
    pub fn complaint(&self) -> Option<String> {
        let free = self.disk_free_bytes.filter(|free| *free < MIN_FREE_BYTES)?;
        Some(format!(
            "the data directory's disk is full: {} KiB are free",
            free / 1024
        ))
    }
}

fn percent(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        0.0
    } else {
        rounded(part as f64 * 100.0 / whole as f64)
    }
}

/// One decimal: more would claim a precision that a sample does not have.
fn rounded(percent: f64) -> f64 {
    (percent.clamp(0.0, 100.0) * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_first_sample_is_there_at_once_and_is_plausible() {
        let (samples, latest) = watch::channel(Sample::default());
        let args = Args {
            data_dir: PathBuf::from("/"),
            samples,
        };
        let (actor, task) = Actor::spawn(None, Metrics, args).await.unwrap();
        let sample = *latest.borrow();
        assert!((1.0..=100.0).contains(&sample.memory_percent), "{sample:?}");
        assert!((0.1..=100.0).contains(&sample.disk_percent), "{sample:?}");
        assert!(sample.disk_free_bytes.is_some(), "{sample:?}");
        assert!(
            (0.0..=100.0).contains(&sample.cpu_percent) && sample.uptime_seconds > 0,
            "{sample:?}"
        );
        actor.stop(None);
        task.await.unwrap();
    }

    #[test]
    fn a_full_disk_is_complained_about_and_an_unknown_one_is_not() {
        let sample = |disk_free_bytes| Sample {
            disk_free_bytes,
            ..Sample::default()
        };
        assert_eq!(sample(None).complaint(), None);
        assert_eq!(sample(Some(MIN_FREE_BYTES)).complaint(), None);
        assert!(sample(Some(4096)).complaint().unwrap().contains("full: 4 KiB"));
    }
}
