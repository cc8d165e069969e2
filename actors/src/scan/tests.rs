//! Scans of directories that the tests make, and of trees that are at hand.

mod changes;
mod counts;
mod odd_files;
mod projects;
mod real_trees;
mod support;
