//! What is promised whoever keeps the promise and whatever it meets: one suite for each trait with several
//! implementations, one project for each package world, and trees of other people's code.

mod ecosystems;
mod runtime;
