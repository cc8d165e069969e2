//! The documented rate limit: so many requests a minute in the long run, with bursts, per credential or address.
//!
//! Memory is bounded: keys whose bucket is full again are dropped every so often, and when too many are left, addresses
//! share buckets by their hash until there are fewer.

use std::{
    hash::{BuildHasher, RandomState},
    net::{IpAddr, Ipv6Addr},
    num::NonZeroU32,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::{SystemTime, UNIX_EPOCH},
};

use borgos_actors::id::{TokenId, UserId};
use governor::{
    Quota, RateLimiter,
    clock::{Clock, DefaultClock},
    middleware::StateInformationMiddleware,
    state::keyed::DefaultKeyedStateStore,
};
use warp::http::{HeaderMap, HeaderName, HeaderValue};

const X_LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const X_REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const X_RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");
/// The pair of the IETF's draft, which says precisely what the older ones round.
const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const STATE: HeaderName = HeaderName::from_static("ratelimit");

/// Idle keys are dropped once in so many requests.
const SWEEP_EVERY: u64 = 1024;
/// With more keys than this after a sweep, addresses share buckets.
const MAX_KEYS: usize = 65_536;
/// How many buckets they share.
const NUM_SHARED: u64 = 4096;

type Buckets = RateLimiter<Key, DefaultKeyedStateStore<Key>, DefaultClock, StateInformationMiddleware>;

/// Whose bucket a request takes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Key {
    /// The owner of `BORGOS_TOKEN`.
    Bootstrap,
    /// A program with this token.
    Token(TokenId),
    /// A user.
    User(UserId),
    /// A name that somebody tries to log in with, by its hash.
    Name(u64),
    /// An address; of IPv6 the network, as a client has all addresses below it.
    Address(IpAddr),
    /// One of the buckets that addresses and names share when there are too many of them.
    Shared(u16),
}

impl From<IpAddr> for Key {
    fn from(address: IpAddr) -> Self {
        Self::Address(match address.to_canonical() {
            IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 64))),
            v4 => v4,
        })
    }
}

/// What a request found in its bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    limit: u32,
    burst: u32,
    remaining: u32,
    /// Seconds in which an empty bucket fills.
    window: u64,
    /// Seconds until this one is full again.
    refill: u64,
    /// Unix second at which the bucket is full again.
    reset: u64,
    /// How long to wait, if the bucket was empty.
    wait_seconds: Option<u64>,
}

impl Allowance {
    /// Returns how long the client must wait, if this request was one too many: at least a second.
    pub fn wait_seconds(&self) -> Option<u64> {
        self.wait_seconds
    }

    /// Writes the documented headers.
    pub fn write(&self, headers: &mut HeaderMap) {
        headers.insert(X_LIMIT, HeaderValue::from(self.limit));
        headers.insert(X_REMAINING, HeaderValue::from(self.remaining.min(self.limit)));
        headers.insert(X_RESET, HeaderValue::from(self.reset));
        let Self {
            limit, burst, window, ..
        } = self;
        let policy = format!("\"default\";q={limit};w=60, \"burst\";q={burst};w={window}");
        let state = format!("\"burst\";r={};t={}", self.remaining, self.refill);
        for (name, text) in [(POLICY, policy), (STATE, state)] {
            let value = HeaderValue::try_from(text).expect("numbers and words are fit for a header");
            headers.insert(name, value);
        }
    }
}

/// All buckets.
#[derive(Debug)]
pub struct Limiter {
    buckets: Buckets,
    per_minute: NonZeroU32,
    burst: NonZeroU32,
    num_requests: AtomicU64,
    is_crowded: AtomicBool,
    hasher: RandomState,
}

impl Limiter {
    /// Makes buckets that hold `burst` requests and gain `per_minute` of them a minute.
    pub fn new(per_minute: NonZeroU32, burst: NonZeroU32) -> Self {
        let quota = Quota::per_minute(per_minute).allow_burst(burst);
        Self {
            buckets: RateLimiter::keyed(quota).with_middleware(),
            per_minute,
            burst,
            num_requests: AtomicU64::new(0),
            is_crowded: AtomicBool::new(false),
            hasher: RandomState::new(),
        }
    }

    /// Takes one request out of a bucket.
    pub fn take(&self, key: Key) -> Allowance {
        if self.num_requests.fetch_add(1, Ordering::Relaxed) % SWEEP_EVERY == SWEEP_EVERY - 1 {
            self.sweep();
        }
        let (remaining, wait_seconds) = match self.buckets.check_key(&self.bucket(key)) {
            Ok(state) => (state.remaining_burst_capacity(), None),
            Err(refusal) => {
                let wait = refusal.wait_time_from(DefaultClock::default().now());
                (0, Some(wait.as_secs() + 1))
            }
        };
        let refill = self.refill_seconds(remaining);
        Allowance {
            limit: self.per_minute.get(),
            burst: self.burst.get(),
            remaining,
            window: self.refill_seconds(0),
            refill,
            reset: unix_seconds() + refill,
            wait_seconds,
        }
    }

    fn refill_seconds(&self, remaining: u32) -> u64 {
        let num_missing = u64::from(self.burst.get().saturating_sub(remaining));
        (num_missing * 60).div_ceil(u64::from(self.per_minute.get()))
    }

    fn bucket(&self, key: Key) -> Key {
        match key {
            Key::Address(_) | Key::Name(_) if self.is_crowded.load(Ordering::Relaxed) => {
                // Less than NUM_SHARED, so it fits.
                Key::Shared((self.hasher.hash_one(key) % NUM_SHARED) as u16)
            }
            _ => key,
        }
    }

    fn sweep(&self) {
        self.buckets.retain_recent();
        self.is_crowded.store(self.buckets.len() > MAX_KEYS, Ordering::Relaxed);
    }
}

fn unix_seconds() -> u64 {
    // A clock before 1970 is set wrong; the header is then as wrong as the clock.
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |elapsed| elapsed.as_secs())
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn limiter(per_minute: u32, burst: u32) -> Limiter {
        Limiter::new(NonZeroU32::new(per_minute).unwrap(), NonZeroU32::new(burst).unwrap())
    }

    #[test]
    fn a_bucket_holds_the_burst_and_then_waits() {
        let limiter = limiter(1, 3);
        let before = unix_seconds();
        let remaining: Vec<u32> = (0..3).map(|_| limiter.take(Key::Bootstrap).remaining).collect();
        assert_eq!(remaining, [2, 1, 0]);
        let refused = limiter.take(Key::Bootstrap);
        assert!((1..=60).contains(&refused.wait_seconds().unwrap()));
        assert!((before + 180..=unix_seconds() + 180).contains(&refused.reset));
        let other = Key::from(IpAddr::V4(Ipv4Addr::LOCALHOST));
        assert_eq!(limiter.take(other).wait_seconds(), None);
    }

    #[test]
    fn the_headers_never_say_more_than_the_limit() {
        let mut headers = HeaderMap::new();
        limiter(60, 100).take(Key::Bootstrap).write(&mut headers);
        assert_eq!(headers["x-ratelimit-limit"], "60");
        assert_eq!(headers["x-ratelimit-remaining"], "60");
        assert_eq!(
            headers["ratelimit-policy"],
            "\"default\";q=60;w=60, \"burst\";q=100;w=100"
        );
        assert_eq!(headers["ratelimit"], "\"burst\";r=99;t=1");
    }

    #[test]
    fn addresses_of_one_network_share_a_bucket() {
        let key = |text: &str| Key::from(text.parse::<IpAddr>().unwrap());
        assert_eq!(key("2001:db8::1"), key("2001:db8::ffff:1"));
        assert_ne!(key("2001:db8::1"), key("2001:db8:0:1::1"));
        assert_eq!(key("::ffff:10.0.0.1"), key("10.0.0.1"));
    }

    #[test]
    fn a_flood_of_addresses_does_not_grow_without_bound() {
        let limiter = limiter(1, 100);
        for number in 0..100_000_u32 {
            limiter.take(Key::Address(IpAddr::V4(Ipv4Addr::from_bits(number))));
        }
        let bound = MAX_KEYS + SWEEP_EVERY as usize + NUM_SHARED as usize;
        assert!(limiter.buckets.len() <= bound, "{}", limiter.buckets.len());
    }
}
