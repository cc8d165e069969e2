//! Finds code and projects. Blocking code without a clock, a database or an actor of its own: whoever calls it decides
//! on which thread, within what deadline, and where the files are.
//!
//! - [`code`]: every line of every indexed file, by substring, words or regex, through trigrams.
//! - [`projects`]: projects by what is known about them, best first.

pub mod code;
mod glob;
pub mod projects;

pub use glob::PathGlob;
