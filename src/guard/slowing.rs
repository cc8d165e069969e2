//! Slows down who sends wrong credentials, without locking out who has right ones.
//!
//! A token cannot be guessed, so a right one is always let in, and only wrong ones are counted. A password could be, so
//! checking one costs a turn of the address and a turn of the user; with none left the answer is 429 and nothing is
//! checked. Turns of a user are not taken from addresses at which that user logged in before: whoever tries one name from
//! a thousand addresses slows down strangers, not the owner.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    net::IpAddr,
    num::NonZeroU32,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use warp::http::StatusCode;

use super::rate::{Key, Limiter};
use crate::problem::Problem;

/// Wrong tokens, or passwords, that an address may send: a minute, and at once.
const PER_ADDRESS: (u32, u32) = (10, 20);
/// Passwords that strange addresses together may try for one name.
const PER_USER: (u32, u32) = (30, 60);
/// An address is familiar for this long after its last right password.
const FAMILIAR_FOR: Duration = Duration::from_secs(7 * 24 * 3600);
/// As many are remembered.
const MAX_FAMILIAR: usize = 10_000;

/// Counts wrong credentials.
#[derive(Debug)]
pub(super) struct Slowing {
    tokens: Limiter,
    passwords: Limiter,
    users: Limiter,
    /// Since when a name is known at an address.
    familiar: Mutex<HashMap<(u64, Key), Instant>>,
    hasher: RandomState,
}

impl Slowing {
    pub(super) fn new() -> Self {
        Self {
            tokens: limiter(PER_ADDRESS),
            passwords: limiter(PER_ADDRESS),
            users: limiter(PER_USER),
            familiar: Mutex::default(),
            hasher: RandomState::new(),
        }
    }

    /// Counts a wrong token.
    ///
    /// # Errors
    /// 429 when there were too many.
    pub(super) fn note_wrong(&self, peer: IpAddr) -> Result<(), Problem> {
        take(&self.tokens, Key::from(peer))
    }

    /// Takes the turns that checking a password costs.
    ///
    /// # Errors
    /// 429 when none are left.
    pub(super) fn admit(&self, name: &str, peer: IpAddr) -> Result<(), Problem> {
        take(&self.passwords, Key::from(peer))?;
        let name = self.hasher.hash_one(name);
        match self.is_familiar(name, peer) {
            true => Ok(()),
            false => take(&self.users, Key::Name(name)),
        }
    }

    /// Remembers where a user has logged in.
    pub(super) fn note_right(&self, name: &str, peer: IpAddr) {
        let now = Instant::now();
        let mut familiar = self.familiar.lock().unwrap_or_else(PoisonError::into_inner);
        if familiar.len() >= MAX_FAMILIAR {
            familiar.retain(|_, at| now.duration_since(*at) < FAMILIAR_FOR);
        }
        if familiar.len() < MAX_FAMILIAR {
            familiar.insert((self.hasher.hash_one(name), Key::from(peer)), now);
        }
    }

    fn is_familiar(&self, name: u64, peer: IpAddr) -> bool {
        let familiar = self.familiar.lock().unwrap_or_else(PoisonError::into_inner);
        let at = familiar.get(&(name, Key::from(peer)));
        at.is_some_and(|at| at.elapsed() < FAMILIAR_FOR)
    }
}

fn limiter((per_minute, burst): (u32, u32)) -> Limiter {
    let positive = |number| NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN);
    Limiter::new(positive(per_minute), positive(burst))
}

fn take(limiter: &Limiter, key: Key) -> Result<(), Problem> {
    match limiter.take(key).wait_seconds() {
        None => Ok(()),
        Some(seconds) => {
            let message = format!("too many wrong credentials, try again in {seconds} s");
            let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "LOGIN_SLOWED", message);
            Err(problem.with_retry_after(seconds))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(number: u32) -> IpAddr {
        IpAddr::V4(number.into())
    }

    #[test]
    fn an_address_is_slowed_and_no_other() {
        let slowing = Slowing::new();
        let num_admitted = (0..100).filter(|_| slowing.admit("ada", address(1)).is_ok()).count();
        assert_eq!(num_admitted, 20);
        let refused = slowing.admit("ada", address(1)).unwrap_err();
        assert_eq!((refused.status().as_u16(), refused.code()), (429, "LOGIN_SLOWED"));
        assert!(slowing.admit("ada", address(2)).is_ok(), "the user is not locked out");
        assert!(slowing.note_wrong(address(1)).is_ok(), "tokens are counted apart");
    }

    #[test]
    fn a_name_tried_from_everywhere_is_slowed_for_strangers_only() {
        let slowing = Slowing::new();
        slowing.note_right("ada", address(1));
        let num_admitted = (100..300)
            .filter(|number| slowing.admit("ada", address(*number)).is_ok())
            .count();
        assert_eq!(num_admitted, 60);
        assert!(slowing.admit("ada", address(1)).is_ok(), "the owner gets in");
        assert!(slowing.admit("eve", address(2)).is_ok());
    }

    #[test]
    fn a_flood_of_logins_does_not_grow_without_bound() {
        let slowing = Slowing::new();
        for number in 0..20_000 {
            slowing.note_right("ada", address(number));
        }
        assert_eq!(slowing.familiar.lock().unwrap().len(), MAX_FAMILIAR);
    }
}
