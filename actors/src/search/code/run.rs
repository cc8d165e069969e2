//! Carries a search out: plans every shard, then looks at the files, the most promising of all shards first, until
//! nothing is left or the budget is spent.
//!
//! The outcome does not depend on the number of threads. Files are handed out in small portions in a fixed order; when
//! enough lines have been found, the portions before that point are complete, and what was found behind it is dropped.

use std::{
    collections::HashSet,
    ops::Range,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use grep_regex::RegexMatcher;

use super::{
    Answer, Budget, Damaged, Truncated,
    examine::{Examiner, Failure},
    index::{Projects, Roots},
    plan::{self, Plan},
    project::{LiveShard, Project},
    query::Compiled,
    score::Score,
    shard::Damage,
    top::{Ranked, Top},
};
use crate::id::ProjectId;

/// Small enough that a budget is not overdrawn by much, large enough that the threads do not wait for each other.
const FILES_PER_PORTION: usize = 8;

/// After so many portions, what was found so far tells which hits are still wanted.
const PORTIONS_PER_ROUND: usize = 512;

/// Starting a thread costs more than looking at fewer portions.
const MIN_PORTIONS_FOR_THREADS: usize = 3;

pub(super) fn run(query: &Compiled, projects: &Projects, roots: &Roots, budget: &Budget<'_>) -> Answer {
    let mut search = Search {
        query,
        budget,
        answer: Answer::default(),
        top: Top::new(query.limit, None),
        scanned: HashSet::new(),
    };
    let plans = search.plan(projects, roots);
    for tier in 0..plan::tiers(query) {
        // Files that lack a word are only worth it when there is not enough else.
        let is_enough = tier > 1 && search.top.is_full();
        if is_enough || search.answer.truncated.is_some() {
            break;
        }
        search.run_tier(&plans, tier);
    }
    search.finish()
}

struct Search<'a> {
    query: &'a Compiled,
    budget: &'a Budget<'a>,
    answer: Answer,
    top: Top,
    /// Shard and file of what was looked at.
    scanned: HashSet<(usize, u32)>,
}

/// A few files of one shard.
struct Portion {
    plan: usize,
    /// In the tier of the plan.
    files: Range<usize>,
}

/// What is still wanted when a portion is begun.
#[derive(Clone, Copy)]
struct Limits {
    max_lines: usize,
    /// Hits must be better.
    floor: Option<Score>,
}

/// What came of looking at a portion.
#[derive(Default)]
struct Outcome {
    ranked: Vec<Ranked>,
    lines: usize,
    scanned: Vec<u32>,
    unreadable: usize,
    damage: Option<Damage>,
    stopped: Option<Truncated>,
}

impl<'a> Search<'a> {
    /// Plans every shard that is to be searched.
    fn plan(&mut self, projects: &'a Projects, roots: &'a Roots) -> Vec<Plan<'a>> {
        let is_wanted = |id: &ProjectId| self.query.projects.as_ref().is_none_or(|wanted| wanted.contains(id));
        let wanted: Vec<(ProjectId, &std::path::Path, &Arc<Project>)> = projects
            .iter()
            .filter(|(id, _)| is_wanted(id))
            .filter_map(|(id, project)| Some((*id, roots.get(id)?.as_path(), project)))
            .collect();
        self.answer.is_incomplete = wanted.iter().any(|(_, _, project)| project.is_damaged);
        let shards: Vec<(ProjectId, &std::path::Path, &LiveShard)> = wanted
            .into_iter()
            .flat_map(|(id, root, project)| project.shards.iter().map(move |shard| (id, root, shard)))
            .collect();
        let outcomes = in_parallel(
            &shards,
            self.budget,
            || (),
            |(), (id, root, shard)| match self.budget.is_over() {
                Some(reason) => Err(Ok(reason)),
                None => Plan::make(self.query, *id, root, shard).map_err(Err),
            },
        );
        let mut plans = Vec::new();
        for (outcome, (id, _, shard)) in outcomes.into_iter().zip(&shards) {
            match outcome {
                Ok(plan) => plans.push(plan),
                Err(Ok(reason)) => self.answer.truncated = Some(reason),
                Err(Err(damage)) => self.report(*id, shard, damage),
            }
        }
        plans
    }

    fn run_tier(&mut self, plans: &[Plan<'_>], tier: usize) {
        let portions = portions(plans, tier);
        for round in portions.chunks(PORTIONS_PER_ROUND) {
            let left = self.budget.max_lines.saturating_sub(self.answer.total_matches);
            if left == 0 {
                self.answer.truncated = Some(Truncated::Lines);
            }
            if self.answer.truncated.is_some() {
                return;
            }
            let lines = AtomicUsize::new(0);
            let floor = self.top.floor();
            let outcomes = in_parallel(
                round,
                self.budget,
                || self.query.any.clone(),
                |matcher, portion| {
                    // Portions are begun in order, so all before the last one that is needed have been begun.
                    if lines.load(Ordering::Relaxed) >= left {
                        return None;
                    }
                    let outcome = self.look_at(plans, tier, portion, matcher, Limits { max_lines: left, floor });
                    lines.fetch_add(outcome.lines, Ordering::Relaxed);
                    Some(outcome)
                },
            );
            for (outcome, portion) in outcomes.into_iter().zip(round) {
                self.take(plans, portion, outcome);
            }
        }
    }

    fn look_at(
        &self,
        plans: &[Plan<'_>],
        tier: usize,
        portion: &Portion,
        matcher: &RegexMatcher,
        limits: Limits,
    ) -> Outcome {
        let mut outcome = Outcome::default();
        let Some(plan) = plans.get(portion.plan) else {
            return outcome;
        };
        let files = plan
            .tiers
            .get(tier)
            .and_then(|files| files.get(portion.files.clone()))
            .unwrap_or_default();
        let Ok(mut examiner) = Examiner::new(self.query, matcher, plan, Top::new(self.query.limit, limits.floor))
        else {
            // The project is gone, or no longer ours to read.
            outcome.unreadable = files.len();
            return outcome;
        };
        for work in files {
            outcome.stopped = self.budget.is_over();
            if outcome.stopped.is_some() || outcome.lines >= limits.max_lines {
                break;
            }
            match examiner.examine(work, limits.max_lines - outcome.lines) {
                Ok(lines) => outcome.lines += lines,
                Err(Failure::Unreadable(error)) => {
                    tracing::debug!(project.id = %plan.project, %error, "a file cannot be searched");
                    outcome.unreadable += 1;
                }
                Err(Failure::Damage(damage)) => {
                    outcome.damage = Some(damage);
                    break;
                }
            }
            outcome.scanned.push(work.file);
        }
        outcome.ranked = examiner.top.into_ranked();
        outcome
    }

    /// Takes over what was found in a portion, unless the budget was spent before it.
    fn take(&mut self, plans: &[Plan<'_>], portion: &Portion, outcome: Option<Outcome>) {
        let is_spent = self.answer.total_matches >= self.budget.max_lines;
        let (Some(outcome), false) = (outcome, is_spent) else {
            self.answer.truncated.get_or_insert(Truncated::Lines);
            return;
        };
        self.answer.total_matches += outcome.lines;
        self.answer.files_unreadable += outcome.unreadable;
        self.scanned
            .extend(outcome.scanned.into_iter().map(|file| (portion.plan, file)));
        for ranked in outcome.ranked {
            self.top.offer(ranked);
        }
        if let (Some(damage), Some(plan)) = (outcome.damage, plans.get(portion.plan)) {
            self.report(plan.project, plan.live, damage);
        }
        let is_spent = self.answer.total_matches >= self.budget.max_lines;
        let spent = is_spent.then_some(Truncated::Lines);
        self.answer.truncated = self.answer.truncated.or(outcome.stopped).or(spent);
    }

    fn report(&mut self, project: ProjectId, live: &LiveShard, damage: Damage) {
        let file = live.shard.path();
        if !self.answer.damaged.iter().any(|known| known.file == file) {
            self.answer.damaged.push(Damaged {
                project,
                file: file.to_owned(),
                damage,
            });
        }
    }

    fn finish(mut self) -> Answer {
        self.answer.files_scanned = self.scanned.len();
        self.answer.hits = self.top.into_hits();
        for hit in &mut self.answer.hits {
            hit.copies.sort();
        }
        self.answer
    }
}

/// Cuts a tier into portions, by turns from each shard, so that a budget is not spent on the first project alone.
fn portions(plans: &[Plan<'_>], tier: usize) -> Vec<Portion> {
    let lengths: Vec<usize> = plans
        .iter()
        .map(|plan| plan.tiers.get(tier).map_or(0, Vec::len))
        .collect();
    let longest = lengths.iter().copied().max().unwrap_or_default();
    let mut portions = Vec::new();
    for start in (0..longest).step_by(FILES_PER_PORTION) {
        for (length, plan) in lengths.iter().zip(0..).filter(|(length, _)| start < **length) {
            portions.push(Portion {
                plan,
                files: start..(start + FILES_PER_PORTION).min(*length),
            });
        }
    }
    portions
}

/// Does the work for each item on several threads, which begin the items in order, and returns what came of each. Every
/// thread has something of its own for the work.
fn in_parallel<T: Sync, S, R: Send>(
    items: &[T],
    budget: &Budget<'_>,
    own: impl Fn() -> S + Sync,
    work: impl Fn(&S, &T) -> R + Sync,
) -> Vec<R> {
    let threads = budget.threads.get().min(items.len());
    if threads < 2 || items.len() < MIN_PORTIONS_FOR_THREADS {
        let own = own();
        return items.iter().map(|item| work(&own, item)).collect();
    }
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::with_capacity(items.len()));
    let worker = || {
        let own = own();
        let mut outcomes = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(index) else {
                break;
            };
            outcomes.push((index, work(&own, item)));
        }
        done.lock().unwrap_or_else(PoisonError::into_inner).extend(outcomes);
    };
    thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(worker);
        }
        worker();
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_unstable_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, outcome)| outcome).collect()
}
