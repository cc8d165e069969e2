//! One test per promise of the supervision layer, on paused time wherever no real thread is involved.

mod back_off;
mod handles;
mod hooks;
mod restarts;
mod spans;
mod stopping;
mod stuck;
mod support;
mod viewing;
