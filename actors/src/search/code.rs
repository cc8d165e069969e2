//! Finds lines of code: trigrams point at blocks of files, and the files themselves say what they hold.
//!
//! ```text
//! scanner ─▶ ShardBuilder ─▶ shards ─▶ CodeIndex::replace
//!                                         │  one folder per project: shards, manifest
//! query ─▶ words or regex ─▶ trigrams ─▶ blocks ─▶ lines of the files as they are now ─▶ best first
//! ```
//!
//! The index holds no text. Every line that is shown was read from its file during the search: a file that has changed
//! since it was indexed is searched as it is now, one that is gone is not shown, and damage to the index can hide a
//! line, which is reported, but never invent one.

mod answer;
mod blocks;
mod builder;
mod candidates;
mod class;
mod compact;
mod definitions;
mod disk;
mod error;
mod examine;
mod excerpt;
mod fold;
mod index;
mod manifest;
mod matching;
mod plan;
mod prepare;
mod project;
mod query;
mod run;
mod score;
mod shard;
mod top;
mod trigrams;

pub use answer::{Answer, Copy, Damaged, Hit, Truncated};
pub use builder::{Built, NewShard, ShardBuilder};
pub use class::Class;
pub use definitions::Kind;
pub use error::Error;
pub use index::{CodeIndex, Compacted, Removed, Roots, Stats, Update};
pub use prepare::{MAX_FILE_BYTES, SourceFile};
pub use query::{Budget, Case, Mode, Query};
pub use shard::Damage;

#[cfg(test)]
mod tests;
