//! The index as a whole: what it finds, and what it makes of change, crashes and damage.

mod changes;
mod damage;
mod definitions_first;
mod equality;
mod limits;
mod ranking;
mod real_code;
mod ripgrep;
mod world;
