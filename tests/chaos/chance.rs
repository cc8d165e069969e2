//! Random moments that can be had again.

use std::time::Duration;

use rand::{RngExt, SeedableRng, rngs::StdRng};

/// Names the seed to take instead of a new one.
const SEED_VARIABLE: &str = "BORGOS_TEST_SEED";

/// A source of random moments. A test that fails shows its seed.
pub(super) struct Chance {
    random: StdRng,
}

impl Chance {
    /// Takes the seed from the environment, or a new one.
    pub(super) fn new() -> Self {
        let seed = match std::env::var(SEED_VARIABLE) {
            Ok(seed) => seed.parse().expect("the seed is a number"),
            Err(_) => rand::random(),
        };
        eprintln!("{SEED_VARIABLE}={seed}");
        Self {
            random: StdRng::seed_from_u64(seed),
        }
    }

    /// Returns a moment before `end`.
    pub(super) fn moment(&mut self, end: Duration) -> Duration {
        end.mul_f64(self.random.random())
    }
}
