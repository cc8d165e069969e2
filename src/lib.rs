//! The front of BorgOS.

pub mod ws;
