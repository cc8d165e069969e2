//! The `borgos` program.

fn main() {}
