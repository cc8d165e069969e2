//! Who reads logs: so many at the same time, and not all of them the same.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::Error;

/// So many may read logs at the same time: each looks at the files several times a second.
const MAX_READERS: usize = 128;
/// So many of them may be at one address, so that nobody shuts the others out.
const MAX_READERS_AT_ADDRESS: usize = 32;

/// The readers. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(super) struct Readers(Arc<Mutex<HashMap<IpAddr, usize>>>);

/// A reader's place, which ends with it.
#[derive(Debug)]
pub(super) struct Place {
    readers: Readers,
    address: IpAddr,
}

impl Readers {
    /// Takes a place.
    pub(super) fn enter(&self, address: IpAddr) -> Result<Place, Error> {
        let mut readers = self.locked();
        let num_there = readers.get(&address).copied().unwrap_or(0);
        if num_there >= MAX_READERS_AT_ADDRESS || readers.values().sum::<usize>() >= MAX_READERS {
            return Err(Error::Busy {
                actor: "the log reader".to_owned(),
            });
        }
        readers.insert(address, num_there + 1);
        Ok(Place {
            readers: self.clone(),
            address,
        })
    }

    /// A count is whole whoever panicked beside it.
    fn locked(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut readers = self.readers.locked();
        match readers.get_mut(&self.address) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(readers.remove(&self.address)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_shuts_the_others_out() {
        let readers = Readers::default();
        let address = |number: u8| IpAddr::from([192, 0, 2, number]);
        let enter = |number| readers.enter(address(number));
        let mut places: Vec<Place> = (0..MAX_READERS_AT_ADDRESS).map(|_| enter(1).unwrap()).collect();
        assert_eq!(enter(1).unwrap_err().code(), "BUSY");
        for number in 2..=4 {
            places.extend((0..MAX_READERS_AT_ADDRESS).map(|_| enter(number).unwrap()));
        }
        assert!(enter(5).is_err());
        drop(places.pop());
        let last = enter(5).unwrap();
        drop((places, last));
        assert!(readers.locked().is_empty());
    }
}
