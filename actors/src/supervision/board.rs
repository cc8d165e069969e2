//! All records of a tree, by path. Shared by its supervisors, which write, and by its readers; every lock is short.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use chrono::Utc;
use ractor::ActorCell;

use super::{
    handle::Away,
    lock,
    meter::Ticks,
    observer::{Happening, Lifecycle, Observer},
    record::{Place, Record},
    spec::ChildSpec,
    view::{ActorState, ActorView},
};
use crate::Error;

pub(super) struct Board {
    records: Mutex<HashMap<String, Arc<Record>>>,
    observer: Observer,
    ticks: Arc<Ticks>,
    /// What the sentinel thread found wrong.
    complaint: Mutex<Option<String>>,
    /// The path of an actor that is stuck, as the last sweep found it: health is asked far too often to search.
    stuck: Mutex<Option<String>>,
    /// When the sweep last ran.
    last_beat: AtomicU64,
}

impl Board {
    pub(super) fn new(observer: Observer) -> Arc<Self> {
        let ticks = Ticks::new();
        let last_beat = AtomicU64::new(ticks.now());
        Arc::new(Self {
            records: Mutex::default(),
            observer,
            ticks,
            complaint: Mutex::new(None),
            stuck: Mutex::new(None),
            last_beat,
        })
    }

    /// The sweep has run, so the runtime does.
    pub(super) fn beat(&self) {
        self.last_beat.store(self.ticks.now(), Ordering::Relaxed);
    }

    /// Returns the tick at which the sweep last ran.
    pub(super) fn last_beat(&self) -> u64 {
        self.last_beat.load(Ordering::Relaxed)
    }

    pub(super) fn ticks(&self) -> &Arc<Ticks> {
        &self.ticks
    }

    pub(super) fn find(&self, path: &str) -> Option<Arc<Record>> {
        lock(&self.records).get(path).cloned()
    }

    /// Returns the record of a child, made now or by an earlier incarnation of its supervisor.
    ///
    /// # Errors
    /// [`Error::Conflict`] when the path belongs to another actor.
    pub(super) fn enrol(&self, spec: &ChildSpec, place: Place<'_>) -> Result<Arc<Record>, Error> {
        let mut records = lock(&self.records);
        if let Some(record) = records.get(&spec.path) {
            return match record.parent() == place.parent && record.rank() == place.rank {
                true => Ok(record.clone()),
                false => Err(exists(&spec.path)),
            };
        }
        if spec.launch.door().path() != spec.path {
            return Err(Error::Internal(format!(
                "the handle of `{}` has another path",
                spec.path
            )));
        }
        let record = Arc::new(Record::new(spec, place, self.ticks.clone()));
        records.insert(spec.path.clone(), record.clone());
        Ok(record)
    }

    /// Forgets an actor and everything below it.
    pub(super) fn remove(&self, path: &str) {
        let below = self.below(path);
        let mut records = lock(&self.records);
        records.remove(path);
        for record in below {
            records.remove(record.path());
        }
    }

    /// Kills every actor, supervisors too; returns those that were alive.
    pub(super) fn kill_all(&self) -> Vec<ActorCell> {
        let cells: Vec<ActorCell> = self.all().iter().filter_map(|record| record.cell()).collect();
        cells.iter().for_each(|cell| cell.kill());
        cells
    }

    pub(super) fn all(&self) -> Vec<Arc<Record>> {
        lock(&self.records).values().cloned().collect()
    }

    /// Notes that everything below a supervisor that ended has ended with it, and makes sure of it: ractor spares
    /// children that were draining. Their messages are parked until it is decided whether they come back.
    pub(super) fn bury_below(&self, path: &str) {
        for record in self.below(path) {
            if let Some(cell) = record.cell() {
                cell.kill();
                record.mark_exited(&format!("killed with `{path}`"), true);
            }
            record.door().park();
            record.mark_stopped();
        }
    }

    /// Refuses the messages for everything below a supervisor that is not started again soon.
    pub(super) fn close_below(&self, path: &str) {
        for record in self.below(path) {
            record.door().close(Away::Restarting);
        }
    }

    pub(super) fn tell(&self, record: &Record, what: Happening) {
        self.observer.tell(Lifecycle {
            path: record.path().to_owned(),
            kind: record.kind(),
            what,
            generation: record.generation(),
            at: Utc::now(),
        });
    }

    pub(super) fn complain(&self, complaint: Option<String>) {
        *lock(&self.complaint) = complaint;
    }

    pub(super) fn complaint(&self) -> Option<String> {
        lock(&self.complaint).clone()
    }

    /// Looks for a stuck actor: the kill that it was sent has not ended it yet.
    pub(super) fn note_stuck(&self) {
        let records = lock(&self.records);
        let found = records.values().find(|record| record.state() == ActorState::Stuck);
        *lock(&self.stuck) = found.map(|record| record.path().to_owned());
    }

    /// Returns the path of the stuck actor that was noted, if there is one.
    pub(super) fn stuck(&self) -> Option<String> {
        lock(&self.stuck).clone()
    }

    /// Returns the whole tree, depth first, siblings in the order of their start.
    pub(super) fn view(&self) -> Vec<ActorView> {
        let mut children = self.by_parent();
        let mut ahead: Vec<Arc<Record>> = children.remove(&None).unwrap_or_default();
        let mut views = Vec::new();
        while let Some(record) = ahead.pop() {
            ahead.extend(children.remove(&Some(record.path().to_owned())).unwrap_or_default());
            views.push(record.view());
        }
        views
    }

    fn below(&self, path: &str) -> Vec<Arc<Record>> {
        let mut children = self.by_parent();
        let mut ahead = vec![path.to_owned()];
        let mut found = Vec::new();
        while let Some(parent) = ahead.pop() {
            let below = children.remove(&Some(parent)).unwrap_or_default();
            ahead.extend(below.iter().map(|record| record.path().to_owned()));
            found.extend(below);
        }
        found
    }

    /// Groups the records by their parent's path, each group last started first.
    fn by_parent(&self) -> HashMap<Option<String>, Vec<Arc<Record>>> {
        let mut children: HashMap<Option<String>, Vec<Arc<Record>>> = HashMap::new();
        for record in self.all() {
            children
                .entry(record.parent().map(str::to_owned))
                .or_default()
                .push(record);
        }
        for siblings in children.values_mut() {
            siblings.sort_by_key(|record| std::cmp::Reverse(record.rank()));
        }
        children
    }
}

fn exists(path: &str) -> Error {
    Error::Conflict {
        code: "ACTOR_EXISTS",
        reason: format!("an actor with the path `{path}` exists"),
    }
}
