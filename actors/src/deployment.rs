//! One actor per deployment, which makes what runs agree with what is wanted.
pub mod machine;
mod status;

pub use status::{Desired, Status};
