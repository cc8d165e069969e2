//! How many requests each caller may send.

use std::{
    collections::HashMap,
    net::IpAddr,
    num::NonZeroU32,
    sync::{Arc, Mutex, PoisonError},
};

use borgos_actors::{credentials::Identity, value::Rate};

use super::{
    auth::Caller,
    rate::{Allowance, Key, Limiter},
};

/// New WebSockets a minute, and at once: a client that reconnects after a restart is far below that.
const UPGRADES_PER_MINUTE: NonZeroU32 = NonZeroU32::new(60).expect("60 is not zero");
const UPGRADES_AT_ONCE: NonZeroU32 = NonZeroU32::new(300).expect("300 is not zero");
/// As many different limits of single tokens are kept; with more, their buckets begin anew.
const MAX_SPECIAL: usize = 256;

/// All limits.
#[derive(Debug)]
pub struct Limits {
    usual: Option<Limiter>,
    upgrades: Option<Limiter>,
    /// Those of tokens that have a limit of their own.
    special: Mutex<HashMap<Rate, Arc<Limiter>>>,
}

impl Limits {
    /// Limits everybody by `usual`, if there is one.
    pub fn new(usual: Option<Limiter>) -> Self {
        let upgrades = usual.is_some();
        Self {
            usual,
            upgrades: upgrades.then(|| Limiter::new(UPGRADES_PER_MINUTE, UPGRADES_AT_ONCE)),
            special: Mutex::default(),
        }
    }

    /// Takes a request out of the caller's bucket.
    pub(super) fn take(&self, caller: Option<&Caller>, peer: IpAddr) -> Option<Allowance> {
        let key = key(caller, peer);
        match caller.and_then(|caller| caller.rate_limit) {
            Some(rate) => Some(self.special(rate).take(key)),
            None => self.usual.as_ref().map(|limiter| limiter.take(key)),
        }
    }

    /// Takes the opening of a WebSocket out of a bucket of its own; returns how long to wait if that was empty.
    pub(super) fn take_upgrade(&self, caller: Option<&Caller>, peer: IpAddr) -> Option<u64> {
        self.upgrades.as_ref()?.take(key(caller, peer)).wait_seconds()
    }

    fn special(&self, rate: Rate) -> Arc<Limiter> {
        let mut special = self.special.lock().unwrap_or_else(PoisonError::into_inner);
        if special.len() >= MAX_SPECIAL && !special.contains_key(&rate) {
            special.clear();
        }
        let limiter = special
            .entry(rate)
            .or_insert_with(|| Arc::new(Limiter::new(rate.per_minute.get(), rate.burst.get())));
        limiter.clone()
    }
}

fn key(caller: Option<&Caller>, peer: IpAddr) -> Key {
    match caller.map(|caller| caller.identity) {
        Some(Identity::Bootstrap) => Key::Bootstrap,
        Some(Identity::Token(id)) => Key::Token(id),
        Some(Identity::User { id, .. }) => Key::User(id),
        Some(Identity::Local) | None => Key::from(peer),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    fn one_at_once() -> Option<Limiter> {
        Some(Limiter::new(NonZeroU32::MIN, NonZeroU32::MIN))
    }

    fn is_refused(limits: &Limits, caller: &Caller) -> bool {
        let allowance = limits.take(Some(caller), HERE);
        allowance.is_some_and(|allowance| allowance.wait_seconds().is_some())
    }

    #[test]
    fn a_limit_of_its_own_counts_instead_of_the_usual_one() {
        let count = |number: i64| number.try_into().unwrap();
        let special = Caller {
            rate_limit: Some(Rate {
                per_minute: count(1),
                burst: count(3),
            }),
            ..Caller::bootstrap()
        };
        for usual in [one_at_once(), None] {
            let limits = Limits::new(usual);
            let refused: Vec<bool> = (0..4).map(|_| is_refused(&limits, &special)).collect();
            assert_eq!(refused, [false, false, false, true]);
        }
        let limits = Limits::new(one_at_once());
        assert!(!is_refused(&limits, &Caller::local()) && is_refused(&limits, &Caller::local()));
    }

    #[test]
    fn opening_sockets_is_limited_where_anything_is() {
        let limits = Limits::new(one_at_once());
        let num_opened = (0..1000).filter(|_| limits.take_upgrade(None, HERE).is_none()).count();
        assert_eq!(num_opened, 300);
        assert_eq!(Limits::new(None).take_upgrade(None, HERE), None);
    }
}
