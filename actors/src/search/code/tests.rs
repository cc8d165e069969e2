//! The index as a whole: what it finds, and what it makes of change, crashes and damage.

mod changes;
mod damage;
mod equality;
mod limits;
mod ranking;
mod world;
