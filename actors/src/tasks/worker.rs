//! The job of the task queue: claims what is due, renews leases, rescues what others have lost, writes down what ended.
//!
//! Whatever the database refuses is tried again by a later round; so each step is safe to repeat, and none waits long.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{mpsc, watch},
    time::{Instant, MissedTickBehavior, interval, timeout},
};

use super::{
    Control, leftovers,
    line::{LineEnd, Order},
    queue::Args,
    runner::Runner,
    running::Running,
};
use crate::{
    Error, event_bus,
    store::tasks::{self, Details, Fence, MAX_BATCH, Owner, Progress},
};

/// How long a task belongs to a worker that says nothing.
pub(super) const LEASE: Duration = Duration::from_secs(30);
/// How often leases are renewed: twice may fail.
const HEARTBEAT_EVERY: Duration = Duration::from_secs(10);
/// By our own clock a lease counts for less: whatever works on the task must have ended before anybody else can have it,
/// which takes up to [`Control::LOST_GRACE`].
const TRUST: Duration = Duration::from_secs(24);
/// How often is looked for what is due. Most tasks come with a hint.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How often is looked for leases that have ended.
const RESCUE_EVERY: Duration = Duration::from_secs(4);
/// How often old tasks are removed.
const PRUNE_EVERY: Duration = Duration::from_secs(3600);
/// Tasks that were done are kept for a week, others for a month.
const COMPLETED_AGE: Duration = Duration::from_secs(7 * 24 * 3600);
const FAILED_AGE: Duration = Duration::from_secs(30 * 24 * 3600);
/// How long one step may wait for the database, while all others wait for it.
const PATIENCE: Duration = Duration::from_secs(5);
/// Removing a long backlog takes longer, and can be cut off anywhere.
const PRUNE_PATIENCE: Duration = Duration::from_secs(5);
/// How long it may take to end what an attempt that did not stop by itself has started.
const ABANDON: Duration = Duration::from_millis(300);
/// How long each of the last writes may take when BorgOS ends: the reports, the results, and what else is given back.
const LAST_PATIENCE: Duration = Duration::from_millis(200);
/// How long handing back may take in all.
pub(super) const LONGEST_END: Duration = Control::SHORT_GRACE
    .saturating_add(ABANDON)
    .saturating_add(LAST_PATIENCE.saturating_mul(3));
/// More attempts than this are not at work at a time, whatever the agents allow.
const MAX_RUNNING: usize = 1000;
/// As many reports may wait; then those who report wait.
const MAX_REPORTS: usize = 256;

/// The job.
pub(super) struct Worker {
    args: Arc<Args>,
    owner: Owner,
    running: Running,
    /// Handed to each attempt.
    reporter: mpsc::Sender<(Fence, Progress)>,
    reports: mpsc::Receiver<(Fence, Progress)>,
    /// Whether what earlier workers of this node had was taken back. Nothing is claimed before.
    is_settled_in: bool,
    /// Whether tasks may have been given to this worker that it does not know of: the answer to a claim was cut off.
    is_claim_doubtful: bool,
}

impl Worker {
    pub(super) fn new(args: Args) -> Self {
        let (reporter, reports) = mpsc::channel(MAX_REPORTS);
        Self {
            owner: Owner::new(args.node),
            args: Arc::new(args),
            running: Running::default(),
            reporter,
            reports,
            is_settled_in: false,
            is_claim_doubtful: false,
        }
    }

    /// Works until nobody can give orders any more, then hands back what it has.
    pub(super) async fn run(mut self, LineEnd { mut orders, mut end }: LineEnd) {
        tokio::select! {
            biased;
            // Nothing is ever sent, so this is the end of the line. Each step can be cut off there.
            _ = end.changed() => {}
            () = self.work(&mut orders) => {}
        }
        self.hand_back().await;
    }

    async fn work(&mut self, orders: &mut mpsc::Receiver<Order>) {
        leftovers::end_all_of(self.owner.node_prefix()).await;
        let [mut heartbeats, mut looks, mut rescues, mut prunes] =
            [HEARTBEAT_EVERY, LOOK_EVERY, RESCUE_EVERY, PRUNE_EVERY].map(ticks);
        let mut batch = Vec::new();
        loop {
            tokio::select! {
                order = orders.recv() => match order {
                    Some(Order::Wake) => self.claim().await,
                    Some(Order::Cancel(task)) => self.running.cancel(task),
                    None => return,
                },
                () = self.running.ended() => self.look().await,
                _ = self.reports.recv_many(&mut batch, MAX_REPORTS) => self.record(std::mem::take(&mut batch), PATIENCE).await,
                _ = heartbeats.tick() => self.heartbeat().await,
                _ = looks.tick() => self.look().await,
                _ = rescues.tick() => self.rescue().await,
                _ = prunes.tick() => self.prune().await,
            }
        }
    }

    /// Does what attempts that have ended, hints, and earlier rounds that failed, have left.
    async fn look(&mut self) {
        self.settle(PATIENCE).await;
        self.claim().await;
    }

    /// Takes back what earlier workers of this node had; true once that is done.
    async fn is_settled_in(&mut self) -> bool {
        if !self.is_settled_in {
            let released = in_time(PATIENCE, tasks::release(&self.args.store, &self.owner)).await;
            if let Some(num_tasks) = logged("the tasks of an earlier run could not be taken back", released) {
                self.is_settled_in = true;
                self.tell_taken(num_tasks);
            }
        }
        self.is_settled_in
    }

    /// Gives back what a claim has brought that nobody has seen the answer of; true once nothing is in doubt.
    async fn has_clear_claims(&mut self, patience: Duration) -> bool {
        if self.is_claim_doubtful {
            let busy = self.running.fences();
            let given = tasks::give_back(&self.args.store, &self.owner, &busy);
            let given = logged("unseen tasks could not be given back", in_time(patience, given).await);
            if let Some(num_tasks) = given {
                self.is_claim_doubtful = false;
                tracing::info!(
                    num_tasks,
                    "gave back {num_tasks} tasks of a claim whose answer was lost"
                );
            }
        }
        !self.is_claim_doubtful
    }

    async fn claim(&mut self) {
        if !self.is_settled_in().await || !self.has_clear_claims(PATIENCE).await {
            return;
        }
        loop {
            let limit = MAX_RUNNING.saturating_sub(self.running.fences().len());
            let rooms = self.running.rooms(&self.args.agents);
            if limit == 0 || rooms.is_empty() {
                return;
            }
            let asked_at = Instant::now();
            self.is_claim_doubtful = true;
            let claimed = tasks::claim(&self.args.store, &self.owner, &rooms, limit, LEASE);
            let claimed = logged("no task could be claimed", in_time(PATIENCE, claimed).await);
            let Some(claimed) = claimed else { return };
            self.is_claim_doubtful = false;
            if claimed.is_empty() {
                return;
            }
            self.nudge();
            for details in claimed {
                self.begin(details, asked_at + TRUST);
            }
        }
    }

    fn begin(&mut self, details: Details, trusted_until: Instant) {
        let (stop, _) = watch::channel(None);
        let (sender, trusted_until) = watch::channel(trusted_until);
        let runner = Runner {
            details,
            owner: self.owner.clone(),
            store: self.args.store.clone(),
            agents: self.args.agents.clone(),
            reports: self.reporter.clone(),
            stop,
            trusted_until,
        };
        self.running.begin(runner, sender);
    }

    /// Writes down how attempts ended. What cannot be written now is kept, with its lease.
    async fn settle(&mut self, patience: Duration) {
        let settlements = self.running.settlements(MAX_BATCH);
        if settlements.is_empty() {
            return;
        }
        // What they reported comes first: after its end nobody writes about an attempt any more.
        let reports: Vec<_> = std::iter::from_fn(|| self.reports.try_recv().ok())
            .take(MAX_REPORTS)
            .collect();
        if !reports.is_empty() {
            self.record(reports, patience).await;
        }
        let settled = in_time(patience, tasks::settle(&self.args.store, &self.owner, &settlements)).await;
        let Some(accepted) = logged("the ends of tasks could not be written", settled) else {
            return;
        };
        for fence in settlements.iter().map(|settlement| settlement.fence) {
            if !accepted.contains(&fence) {
                tracing::warn!(task.id = %fence.task, attempt = fence.attempt, "a late result of a task was refused");
            }
            self.running.forget(fence);
        }
        self.nudge();
    }

    async fn record(&mut self, reports: Vec<(Fence, Progress)>, patience: Duration) {
        let recorded = tasks::record_progress(&self.args.store, &self.owner, &reports);
        if logged(
            "reports of tasks could not be written",
            in_time(patience, recorded).await,
        )
        .is_some()
        {
            self.nudge();
        }
    }

    async fn heartbeat(&mut self) {
        for fences in self.running.fences().chunks(MAX_BATCH) {
            let asked_at = Instant::now();
            let beats = tasks::heartbeat(&self.args.store, &self.owner, fences, LEASE);
            if let Some(beats) = logged("leases could not be renewed", in_time(PATIENCE, beats).await) {
                self.running.renewed(fences, &beats, asked_at + TRUST);
            }
        }
    }

    async fn rescue(&mut self) {
        let rescued = in_time(PATIENCE, tasks::rescue(&self.args.store, &self.running.fences())).await;
        if let Some(num_tasks) = logged("no look for lost tasks was possible", rescued) {
            self.tell_taken(num_tasks);
        }
    }

    fn tell_taken(&self, num_tasks: u64) {
        if num_tasks > 0 {
            tracing::warn!(num_tasks, "took back {num_tasks} tasks whose worker was lost");
            self.nudge();
        }
    }

    async fn prune(&mut self) {
        let pruned = tasks::prune(&self.args.store, COMPLETED_AGE, FAILED_AGE);
        match logged("old tasks could not be removed", in_time(PRUNE_PATIENCE, pruned).await) {
            None | Some(0) => {}
            Some(num_rows) => tracing::info!(num_rows, "removed {num_rows} old tasks"),
        }
    }

    /// Ends all attempts and gives their tasks back. What does not make it is taken back at the next start.
    async fn hand_back(&mut self) {
        self.running.interrupt();
        let all_ended = async {
            while self.running.is_any_at_work() {
                self.running.ended().await;
            }
        };
        if timeout(Control::SHORT_GRACE + ABANDON, all_ended).await.is_err() {
            tracing::warn!("some tasks did not stop in time");
        }
        self.settle(LAST_PATIENCE).await;
        self.has_clear_claims(LAST_PATIENCE).await;
    }

    fn nudge(&self) {
        event_bus::nudge(&self.args.events);
    }
}

/// Rounds that were missed are not made up for.
fn ticks(every: Duration) -> tokio::time::Interval {
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

async fn in_time<T>(patience: Duration, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    timeout(patience, work).await.unwrap_or_else(|_| {
        Err(Error::Timeout {
            actor: "database".to_owned(),
            after: patience,
        })
    })
}

/// Logs a failure. A later round tries again.
fn logged<T>(what: &str, result: Result<T, Error>) -> Option<T> {
    match result {
        Ok(value) => Some(value),
        Err(error) => {
            tracing::warn!(error = &error as &dyn std::error::Error, "{what}");
            None
        }
    }
}
