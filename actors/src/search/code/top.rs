//! Keeps the best hits of those that come by, with the copies of one file as one.

use std::cmp::Reverse;

use super::{Copy, Hit, score::Score};

/// The same line of files with the same content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct CopyKey {
    pub(super) content_hash: u64,
    pub(super) size: u64,
    pub(super) line: u32,
}

/// A hit with what it is sorted by.
#[derive(Debug, Clone)]
pub(super) struct Ranked {
    pub(super) score: Score,
    /// `None` for a file that has changed since it was indexed.
    pub(super) copy_key: Option<CopyKey>,
    /// Boxed, so that sorting moves little.
    pub(super) hit: Box<Hit>,
}

impl Ranked {
    /// Best first, and always in the same order.
    fn order(&self) -> impl Ord + use<'_> {
        // Comparing paths part by part would take most of the time of a large answer.
        let file = self.hit.file.as_os_str();
        (Reverse(self.score), self.hit.project, file, self.hit.line)
    }
}

/// The best hits so far. Of hits with the same score, the ones that came first stay.
#[derive(Debug)]
pub(super) struct Top {
    limit: usize,
    ranked: Vec<Ranked>,
    /// Hits that are no better cannot get in any more.
    floor: Option<Score>,
}

impl Top {
    /// Keeps `limit` hits, and none that is not better than `floor`.
    pub(super) fn new(limit: usize, floor: Option<Score>) -> Self {
        Self {
            limit,
            ranked: Vec::new(),
            floor,
        }
    }

    pub(super) fn floor(&self) -> Option<Score> {
        self.floor
    }

    /// Says whether there are as many hits as are wanted.
    pub(super) fn is_full(&mut self) -> bool {
        self.fold();
        self.ranked.len() >= self.limit
    }

    pub(super) fn wants(&self, score: Score) -> bool {
        self.limit > 0 && self.floor.is_none_or(|floor| score > floor)
    }

    pub(super) fn offer(&mut self, ranked: Ranked) {
        if !self.wants(ranked.score) {
            return;
        }
        self.ranked.push(ranked);
        if self.ranked.len() >= self.limit.saturating_mul(2).saturating_add(32) {
            self.prune();
        }
    }

    /// Returns what is kept, in any order, copies not yet joined where nothing had to go.
    pub(super) fn into_ranked(mut self) -> Vec<Ranked> {
        if self.ranked.len() > self.limit {
            self.prune();
        }
        self.ranked
    }

    /// Returns the hits, the best first.
    pub(super) fn into_hits(mut self) -> Vec<Hit> {
        self.prune();
        self.ranked.into_iter().map(|ranked| *ranked.hit).collect()
    }

    fn prune(&mut self) {
        self.fold();
        self.ranked.sort_unstable_by(|a, b| a.order().cmp(&b.order()));
        self.ranked.truncate(self.limit);
        if self.ranked.len() == self.limit {
            self.floor = self.ranked.last().map(|worst| worst.score).max(self.floor);
        }
    }

    /// Makes one of hits with the same content; the best of them is shown.
    fn fold(&mut self) {
        self.ranked
            .sort_unstable_by(|a, b| a.copy_key.cmp(&b.copy_key).then_with(|| a.order().cmp(&b.order())));
        self.ranked.dedup_by(|next, kept| {
            let is_copy = next.copy_key.is_some() && next.copy_key == kept.copy_key;
            if is_copy {
                let (project, file) = (next.hit.project, next.hit.file.clone());
                kept.hit.copies.push(Copy { project, file });
                kept.hit.copies.append(&mut next.hit.copies);
            }
            is_copy
        });
    }
}
