//! How many connections there may be: in all, and from one address.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::guard::{client::Proxies, rate::Key};

/// How many connections may be open at once, WebSockets included. More wait in the kernel's queue.
const MAX_CONNECTIONS: usize = 20_000;
/// How many of them one address may have. Programs on this machine and proxies that stand for many clients may have all.
const MAX_OF_ADDRESS: usize = 256;

/// How many each address has; none that has none.
type Taken = Arc<Mutex<HashMap<Key, usize>>>;

/// All places.
#[derive(Clone)]
pub(super) struct Places {
    free: Arc<Semaphore>,
    taken: Taken,
    proxies: Proxies,
}

/// The place of one connection, given back when it is dropped.
pub(super) struct Place {
    _permit: OwnedSemaphorePermit,
    of_address: Option<(Key, Taken)>,
}

impl Places {
    pub(super) fn new(proxies: Proxies) -> Self {
        Self {
            free: Arc::new(Semaphore::new(MAX_CONNECTIONS)),
            taken: Arc::default(),
            proxies,
        }
    }

    /// Waits until there is a place for anybody. `None` would say that there never is one again.
    pub(super) async fn free(&self) -> Option<OwnedSemaphorePermit> {
        self.free.clone().acquire_owned().await.ok()
    }

    /// Gives a place to an address, unless that has as many as it may.
    pub(super) fn give(&self, permit: OwnedSemaphorePermit, peer: IpAddr) -> Option<Place> {
        let peer = peer.to_canonical();
        if peer.is_loopback() || self.proxies.trusts(peer) {
            return Some(Place {
                _permit: permit,
                of_address: None,
            });
        }
        let key = Key::from(peer);
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let count = taken.entry(key).or_default();
        if *count >= MAX_OF_ADDRESS {
            return None;
        }
        *count += 1;
        Some(Place {
            _permit: permit,
            of_address: Some((key, self.taken.clone())),
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some((key, taken)) = &self.of_address else {
            return;
        };
        let mut taken = taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = taken.get_mut(key) {
            *count -= 1;
            if *count == 0 {
                taken.remove(key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn take(places: &Places, peer: IpAddr, num_places: usize) -> Vec<Place> {
        let mut given = Vec::new();
        for _ in 0..num_places {
            let permit = places.free().await.unwrap();
            given.extend(places.give(permit, peer));
        }
        given
    }

    #[tokio::test]
    async fn one_address_cannot_take_all_places() {
        let places = Places::new(Proxies::new(vec!["10.0.0.0/8".parse().unwrap()]));
        let stranger = [192, 0, 2, 1].into();
        let given = take(&places, stranger, 300).await;
        assert_eq!(given.len(), MAX_OF_ADDRESS);
        assert_eq!(take(&places, [192, 0, 2, 2].into(), 1).await.len(), 1);
        for unlimited in [[127, 0, 0, 1], [10, 0, 0, 1]] {
            assert_eq!(take(&places, unlimited.into(), 300).await.len(), 300, "{unlimited:?}");
        }
        drop(given);
        assert!(
            places.taken.lock().unwrap().is_empty(),
            "nothing is remembered of who has gone"
        );
        assert_eq!(take(&places, stranger, 1).await.len(), 1);
    }
}
