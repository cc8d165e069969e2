//! Which scans are waited for, and what came of them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::cli::Failure;

/// The event of a scan that came to its end.
pub(super) const SCANNED: &str = "project_scanned";
/// The event of a scan that could not be made.
pub(super) const FAILED: &str = "project_scan_failed";
/// The event of a project that is gone, and with it its scan.
pub(super) const DELETED: &str = "project_deleted";
const PROGRESS: &str = "project_scan_progress";
/// Something was sent too fast to be read.
const LAGGED: &str = "lagged";

/// What to wait for: the ends of so many scans of these projects.
#[derive(Debug, Default)]
pub(super) struct Expected {
    num_scans: usize,
    candidates: BTreeSet<i64>,
}

/// A scan that has ended.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Ended {
    pub(super) id: i64,
    /// The event that told.
    pub(super) frame: Value,
}

/// How far the scan of one project is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Progress {
    pub(super) name: String,
    pub(super) num_files: u64,
    pub(super) num_done: u64,
}

/// What is known of the scans.
#[derive(Debug, Default)]
pub(super) struct Board {
    expected: Expected,
    /// Those that have ended, of all projects, as nobody knows at first which are expected.
    ended: BTreeMap<i64, Value>,
    /// Those that were shown.
    shown: BTreeSet<i64>,
    num_failed: usize,
    progress: Option<Progress>,
}

impl Expected {
    /// The scans of all these projects.
    pub(super) fn all(ids: &[i64]) -> Self {
        let candidates = BTreeSet::from_iter(ids.iter().copied());
        Self {
            num_scans: candidates.len(),
            candidates,
        }
    }

    /// So many scans, each of another one of these projects.
    pub(super) fn some(num_scans: usize, ids: impl Iterator<Item = i64>) -> Self {
        let candidates = BTreeSet::from_iter(ids);
        Self {
            num_scans: num_scans.min(candidates.len()),
            candidates,
        }
    }
}

impl Ended {
    /// Says which event told.
    pub(super) fn kind(&self) -> &str {
        self.frame["type"].as_str().unwrap_or_default()
    }
}

impl Board {
    /// Says what is waited for.
    pub(super) fn expect(&mut self, expected: Expected) {
        self.expected = expected;
    }

    /// Takes an event. One that was missed is a failure: it may have been the last that was waited for.
    pub(super) fn take(&mut self, frame: Value) -> Result<(), Failure> {
        let id = frame["data"]["id"].as_i64();
        match (frame["type"].as_str().unwrap_or_default(), id) {
            (PROGRESS, Some(_)) => self.progress = Some(Progress::of(&frame["data"])),
            (SCANNED | FAILED | DELETED, Some(id)) => {
                self.ended.insert(id, frame);
                self.progress = None;
            }
            (LAGGED, _) => {
                return Err(Failure::General(
                    "events came faster than they could be read; the scans go on".to_owned(),
                ));
            }
            _ => {}
        }
        Ok(())
    }

    /// Returns what has ended of what is expected, and was not returned before.
    pub(super) fn news(&mut self) -> Vec<Ended> {
        let is_news = |id: &i64| self.expected.candidates.contains(id) && !self.shown.contains(id);
        let ended = self.ended.iter().filter(|(id, _)| is_news(id));
        let news: Vec<Ended> = ended
            .map(|(id, frame)| Ended {
                id: *id,
                frame: frame.clone(),
            })
            .collect();
        self.shown.extend(news.iter().map(|ended| ended.id));
        self.num_failed += news.iter().filter(|ended| ended.kind() != SCANNED).count();
        news
    }

    /// Says whether everything that was expected has ended and was returned.
    pub(super) fn is_complete(&self) -> bool {
        self.num_shown() >= self.num_expected()
    }

    pub(super) fn num_expected(&self) -> usize {
        self.expected.num_scans
    }

    pub(super) fn num_shown(&self) -> usize {
        self.shown.len()
    }

    pub(super) fn num_failed(&self) -> usize {
        self.num_failed
    }

    pub(super) fn num_scanned(&self) -> usize {
        self.num_shown() - self.num_failed
    }

    /// Returns how far the scan is that is under way, once it has told; there is one at a time.
    pub(super) fn progress(&self) -> Option<&Progress> {
        self.progress.as_ref()
    }
}

impl Progress {
    fn of(data: &Value) -> Self {
        let number = |key: &str| data[key].as_u64().unwrap_or(0);
        Self {
            name: data["name"].as_str().unwrap_or("?").to_owned(),
            num_files: number("num_files"),
            num_done: number("num_done"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn board(expected: Expected, events: &[(&str, i64)]) -> Board {
        let mut board = Board::default();
        for (kind, id) in events {
            board.take(json!({"type": kind, "data": {"id": id}})).unwrap();
        }
        assert!(board.news().is_empty(), "nothing is expected yet");
        board.expect(expected);
        board
    }

    fn ids(news: &[Ended]) -> Vec<i64> {
        news.iter().map(|ended| ended.id).collect()
    }

    #[test]
    fn what_ended_before_it_was_expected_counts_and_what_others_scan_does_not() {
        let mut board = board(
            Expected::all(&[1, 2, 2]),
            &[(SCANNED, 2), (FAILED, 9), ("project_updated", 1)],
        );
        assert_eq!(ids(&board.news()), [2]);
        assert!(!board.is_complete());
        board.take(json!({"type": FAILED, "data": {"id": 1}})).unwrap();
        assert_eq!(ids(&board.news()), [1]);
        assert!(board.is_complete());
        assert_eq!((board.num_scanned(), board.num_failed()), (1, 1));
    }

    #[test]
    fn of_a_sync_only_as_many_scans_are_awaited_as_it_asked_for() {
        let mut board = board(Expected::some(1, [1, 2].into_iter()), &[(DELETED, 2)]);
        assert_eq!(ids(&board.news()), [2]);
        assert!(board.is_complete());
    }

    #[test]
    fn events_that_were_missed_are_a_failure() {
        let mut board = Board::default();
        assert!(board.take(json!({"type": LAGGED, "channel": "projects"})).is_err());
    }

    #[test]
    fn progress_is_that_of_the_scan_that_is_under_way() {
        let mut board = Board::default();
        let data = json!({"id": 1, "name": "shop", "num_files": 9, "num_done": 3, "num_read": 2});
        board.take(json!({"type": PROGRESS, "data": data})).unwrap();
        let progress = board.progress().unwrap();
        assert_eq!(
            (progress.name.as_str(), progress.num_done, progress.num_files),
            ("shop", 3, 9)
        );
        board.take(json!({"type": SCANNED, "data": {"id": 1}})).unwrap();
        assert_eq!(board.progress(), None);
    }
}
