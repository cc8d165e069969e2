//! One suite for each trait with several implementations: what it promises, it promises everywhere.

mod runtime;
