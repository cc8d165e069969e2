//! Reads what Agent Zero prints: keeps the last lines for people and writes its errors into the error log.
//!
//! The output itself is in two files that the process's keeper fills, so a flood holds nobody up and nothing here has to
//! keep pace: what was written over before it could be read is not seen.

mod allowance;
mod lines;
mod reports;
mod source;

use std::{collections::VecDeque, time::Duration};

use ractor::RpcReplyPort;
use serde_json::json;
use tokio::{
    sync::mpsc,
    time::{MissedTickBehavior, interval},
};

use self::{
    allowance::Allowance,
    lines::clean,
    reports::{Report, Reports},
    source::Source,
};
use super::{class::Class, publish::Publisher};
use crate::{Error, redact::Redactor, runtime::process::Follower, store::error_log::NewEntry, value::Secrets};

/// How many lines are kept.
pub(super) const MAX_LINES: usize = 200;
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// How long the file system may take for one look.
const READ_DEADLINE: Duration = Duration::from_secs(10);
/// How many looks are made to come to the end of what a process has printed.
const MAX_DRAIN_LOOKS: u32 = 64;

/// What the reader can be told.
pub(super) enum Order {
    /// Read this from now on.
    Follow {
        /// Where the output is.
        follower: Follower,
        /// Lines that were printed before; their errors are known.
        earlier: Vec<String>,
        /// What must not be shown.
        secrets: Secrets,
    },
    /// Read to the end of what was printed: the process is gone.
    Drain {
        /// Receives the last lines of that process.
        reply: RpcReplyPort<Vec<String>>,
    },
    /// Show the last lines.
    Tail {
        /// At most so many.
        num_lines: usize,
        /// Receives them, oldest first.
        reply: RpcReplyPort<Result<Vec<String>, Error>>,
    },
}

/// The reader.
pub(super) struct Output {
    publisher: Publisher,
    source: Source,
    reports: Reports,
    redactor: Redactor,
    recent: VecDeque<String>,
    /// How many of them are of the process that is followed now.
    num_current: usize,
    allowance: Allowance,
}

impl Output {
    pub(super) fn new(publisher: Publisher) -> Self {
        Self {
            publisher,
            source: Source::Nothing,
            reports: Reports::default(),
            redactor: Redactor::default(),
            recent: VecDeque::with_capacity(MAX_LINES),
            num_current: 0,
            allowance: Allowance::default(),
        }
    }

    /// Reads and answers until nobody can ask any more.
    pub(super) async fn run(mut self, mut orders: mpsc::Receiver<Order>) {
        let mut clock = interval(LOOK_EVERY);
        clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                order = orders.recv() => match order {
                    Some(order) => self.obey(order).await,
                    None => return,
                },
                _ = clock.tick(), if !matches!(self.source, Source::Nothing) => {
                    self.look().await;
                }
            }
        }
    }

    async fn obey(&mut self, order: Order) {
        // For each reply an error means that nobody waits any more.
        match order {
            Order::Follow {
                follower,
                earlier,
                secrets,
            } => {
                self.redactor = Redactor::new(secrets);
                self.num_current = 0;
                for line in earlier {
                    self.keep(&clean(&line));
                }
                self.source = Source::Idle(follower);
            }
            Order::Drain { reply } => {
                self.drain().await;
                drop(reply.send(self.tail(self.num_current)));
            }
            Order::Tail { num_lines, reply } => {
                self.look().await;
                drop(reply.send(Ok(self.tail(num_lines))));
            }
        }
    }

    async fn drain(&mut self) {
        for _ in 0..MAX_DRAIN_LOOKS {
            if !self.look().await {
                break;
            }
        }
        self.source = Source::Nothing;
        if let Some(report) = self.reports.finish() {
            self.report(report).await;
        }
    }

    /// Reads what is new, and returns whether there was anything.
    async fn look(&mut self) -> bool {
        match self.source.read(READ_DEADLINE).await {
            Ok(lines) => {
                let lines: Vec<String> = lines.iter().map(|line| clean(line)).collect();
                self.take(&lines).await;
                !lines.is_empty()
            }
            Err(cause) => {
                tracing::warn!(error = %cause, "the output of Agent Zero cannot be read: {cause}");
                false
            }
        }
    }

    async fn take(&mut self, lines: &[String]) {
        for line in lines {
            if let Some(report) = self.reports.push(line) {
                self.report(report).await;
            }
        }
        // To look for secrets takes longer than everything else, and of a flood most is not kept anyway.
        for line in &lines[lines.len().saturating_sub(MAX_LINES)..] {
            self.keep(line);
        }
    }

    fn keep(&mut self, line: &str) {
        if self.recent.len() >= MAX_LINES {
            self.recent.pop_front();
        }
        self.recent.push_back(self.redactor.redact(line));
        self.num_current = MAX_LINES.min(self.num_current + 1);
    }

    async fn report(&mut self, report: Report) {
        let Some(num_left_out) = self.allowance.spend() else {
            return;
        };
        let class = Class::of(report.trace.as_deref().unwrap_or(&report.message));
        let entry = NewEntry {
            project_id: None,
            deployment_id: None,
            error_type: class.as_str().to_owned(),
            severity: report.severity,
            message: self.redactor.redact(&report.message),
            stack_trace: report.trace.map(|trace| self.redactor.redact(&trace)),
            context: json!({"source": "agent-zero", "left_out_before": num_left_out}),
        };
        self.publisher.log(entry).await;
    }

    fn tail(&self, num_lines: usize) -> Vec<String> {
        let num_left_out = self.recent.len().saturating_sub(num_lines);
        self.recent.iter().skip(num_left_out).cloned().collect()
    }
}
