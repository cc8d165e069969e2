//! What is known of a release beside what it runs: how long each part of bringing it up took, what its build said, and how
//! it ended when it failed.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use sea_orm::{ActiveValue::Set, DatabaseTransaction, entity::prelude::*};
use serde::{Deserialize, Serialize};

use super::{Status, not_found, row};
use crate::{
    Error,
    id::ReleaseId,
    plan::Recipe,
    runtime::Exit,
    store::{
        Store,
        column::{from_json, storable, to_json},
    },
};

/// So much is kept of what a build or a program said last: what fits a page of releases many times.
const MAX_KEPT_BYTES: usize = 16 * 1024;
const MAX_LINE_CHARS: usize = 1000;

/// A part of bringing up a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Part {
    /// Making what it runs.
    Build,
    /// Creating and starting its instance.
    Start,
    /// From then until it was healthy, or given up.
    Health,
    /// Leading connections to it.
    Switch,
}

/// How long a part took.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Phase {
    /// Which part.
    pub phase: Part,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// How long it took; nothing if the clock was set back meanwhile.
    pub duration_ms: u64,
}

impl Phase {
    /// Makes the phase that began then and ends now.
    pub fn since(started_at: DateTime<Utc>, phase: Part) -> Self {
        let took = (Utc::now() - started_at).num_milliseconds();
        Self {
            phase,
            started_at,
            duration_ms: u64::try_from(took).unwrap_or(0),
        }
    }
}

/// What a release is built from, as far as a build has found that out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    /// The commit, where one was asked for.
    pub commit: Option<String>,
    /// The plan.
    pub recipe: Option<Recipe>,
}

/// How a release failed.
#[derive(Debug, Clone, Default)]
pub struct Ending {
    /// Why.
    pub reason: String,
    /// How its instance ended, if that is why.
    pub exit: Option<Exit>,
    /// What it, or its build, said last.
    pub last_lines: Vec<String>,
}

/// Notes how long a part took that was of the last attempt to bring the release up.
///
/// # Errors
/// Fails when there is no such release.
pub async fn note_phase(store: &Store, id: ReleaseId, phase: &Phase) -> Result<(), Error> {
    store
        .write(async |transaction| {
            let change = row::ActiveModel {
                phases: Set(Some(with_phase(transaction, id, phase).await?)),
                ..row_of(id)
            };
            row::Entity::update(change).exec(transaction).await?;
            Ok(())
        })
        .await
}

/// Notes how long the build took and what it said.
///
/// # Errors
/// Fails when there is no such release.
pub async fn note_build(store: &Store, id: ReleaseId, phase: &Phase, log: &[String]) -> Result<(), Error> {
    store
        .write(async |transaction| {
            let change = row::ActiveModel {
                phases: Set(Some(with_phase(transaction, id, phase).await?)),
                build_log: Set(Some(to_json("releases.build_log", &kept(log))?)),
                ..row_of(id)
            };
            row::Entity::update(change).exec(transaction).await?;
            Ok(())
        })
        .await
}

/// Notes what a release is built from, as soon as that is known.
///
/// # Errors
/// Fails when there is no such release.
pub async fn note_origin(store: &Store, id: ReleaseId, origin: &Origin) -> Result<(), Error> {
    store
        .write(async |transaction| {
            let change = row::ActiveModel {
                source_commit: Set(origin.commit.clone()),
                recipe: Set(origin.recipe.as_ref().map(row::recipe).transpose()?),
                ..row_of(id)
            };
            row::Entity::update(change).exec(transaction).await?;
            Ok(())
        })
        .await
}

/// Ends a release without success, in the transaction of what follows from that. One that has served before is as good as
/// it was then.
pub(in crate::store) async fn fail(
    transaction: &DatabaseTransaction,
    id: ReleaseId,
    ending: &Ending,
) -> Result<(), Error> {
    let exit = ending.exit.as_ref();
    let change = row::ActiveModel {
        status: Set(Status::Failed),
        reason: Set(Some(storable(ending.reason.clone()))),
        exit_code: Set(exit.map(|exit| exit.code)),
        is_oom: Set(exit.map(|exit| exit.is_oom)),
        last_lines: Set(Some(to_json("releases.last_lines", &kept(&ending.last_lines))?)),
        ..Default::default()
    };
    let update = row::Entity::update_many().set(change).filter(row::Column::Id.eq(id));
    update.filter(row::Column::ServedAt.is_null()).exec(transaction).await?;
    Ok(())
}

/// Ends a release that was called off. One that has served before is as good as it was then.
pub(in crate::store) async fn call_off(
    transaction: &DatabaseTransaction,
    id: ReleaseId,
    reason: &str,
) -> Result<(), Error> {
    let change = row::ActiveModel {
        status: Set(Status::Cancelled),
        reason: Set(Some(reason.to_owned())),
        ..Default::default()
    };
    let update = row::Entity::update_many().set(change).filter(row::Column::Id.eq(id));
    update.filter(row::Column::ServedAt.is_null()).exec(transaction).await?;
    Ok(())
}

fn row_of(id: ReleaseId) -> row::ActiveModel {
    row::ActiveModel {
        id: Set(id),
        ..Default::default()
    }
}

async fn with_phase(transaction: &DatabaseTransaction, id: ReleaseId, phase: &Phase) -> Result<Json, Error> {
    let row = row::Entity::find_by_id(id).one(transaction).await?;
    let before = row.ok_or_else(|| not_found(id))?.phases;
    let mut phases: Vec<Phase> = before.map_or(Ok(Vec::new()), |json| from_json("releases.phases", json))?;
    phases.retain(|earlier| earlier.phase != phase.phase);
    phases.push(phase.clone());
    to_json("releases.phases", &phases)
}

/// Takes the last lines that fit, each of them cut.
fn kept(lines: &[String]) -> Vec<String> {
    let mut num_bytes = 0;
    let cut = |line: &String| storable(line.chars().take(MAX_LINE_CHARS).collect());
    let fitting = lines.iter().rev().map(cut).take_while(|line: &String| {
        num_bytes += line.len();
        num_bytes <= MAX_KEPT_BYTES
    });
    let mut kept: Vec<String> = fitting.collect();
    kept.reverse();
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_what_was_said_is_kept() {
        let lines: Vec<String> = (0..50).map(|number| format!("{number:0>2000}")).collect();
        let kept = kept(&lines);
        assert_eq!(kept.len(), 16);
        assert!(kept.iter().all(|line| line.len() == MAX_LINE_CHARS));
        assert_eq!(super::kept(&["a\0b".to_owned()]), ["a\u{fffd}b"]);
    }
}
