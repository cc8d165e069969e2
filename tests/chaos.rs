//! What happens when things go wrong from outside: BorgOS killed, stopped and frozen, programs and containers killed, the
//! engine and the database away. Status stays true, nothing is lost or doubled, and what is deployed goes on.

mod adoption;
mod agent_zero;
mod chance;
mod containers;
mod crash_loop;
mod database;
mod edge;
mod endings;
mod engine;
mod events;
mod health;
mod kills;
mod load;
mod odd_tree;
mod operator;
mod proxy;
mod releases;
mod scene;
mod strangers;
mod tasks;
mod webhooks;
