//! Hints about changes, by looking at the records a few times a second: what is to be seen there is in the page cache.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use futures_util::stream::{self, BoxStream, StreamExt};
use tokio::time::{Interval, MissedTickBehavior, interval};
use tracing::warn;

use super::{blocking, observe::observe_all};
use crate::{
    id::DeploymentId,
    runtime::{Change, InstanceRef, InstanceState, Observation},
};

const LOOK_EVERY: Duration = Duration::from_millis(400);

type Snapshot = HashMap<InstanceRef, (DeploymentId, InstanceState)>;

struct Watch {
    root: Arc<PathBuf>,
    clock: Interval,
    /// What was seen last; nothing before the first look and after one that failed.
    seen: Option<Snapshot>,
    pending: VecDeque<Change>,
    has_failed: bool,
}

/// Streams a hint for each deployment whose instances look different than before.
pub(super) fn changes(root: Arc<PathBuf>) -> BoxStream<'static, Change> {
    let mut clock = interval(LOOK_EVERY);
    clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let watch = Watch {
        root,
        clock,
        seen: None,
        pending: VecDeque::new(),
        has_failed: false,
    };
    stream::unfold(watch, |mut watch| async {
        loop {
            if let Some(change) = watch.pending.pop_front() {
                return Some((change, watch));
            }
            watch.clock.tick().await;
            watch.look().await;
        }
    })
    .boxed()
}

impl Watch {
    async fn look(&mut self) {
        let root = Arc::clone(&self.root);
        match blocking(move || observe_all(&root, None)).await {
            Ok(observations) => {
                let now = snapshot(observations);
                match &self.seen {
                    None => self.pending.push_back(Change::Everything),
                    Some(before) => self.pending.extend(differences(before, &now).map(Change::Deployment)),
                }
                self.seen = Some(now);
                self.has_failed = false;
            }
            Err(cause) => {
                if !self.has_failed {
                    warn!(error = %cause, "the process records cannot be read: {cause}");
                }
                self.has_failed = true;
                self.seen = None;
            }
        }
    }
}

fn snapshot(observations: Vec<Observation>) -> Snapshot {
    let entries = observations
        .into_iter()
        .map(|seen| (seen.instance, (seen.deployment, seen.state)));
    entries.collect()
}

fn differences<'a>(before: &'a Snapshot, now: &'a Snapshot) -> impl Iterator<Item = DeploymentId> {
    let changed = now
        .iter()
        .filter(|(instance, seen)| before.get(*instance) != Some(*seen));
    let gone = before.iter().filter(|(instance, _)| !now.contains_key(*instance));
    let deployments: HashSet<DeploymentId> = changed.chain(gone).map(|(_, (deployment, _))| *deployment).collect();
    deployments.into_iter()
}
