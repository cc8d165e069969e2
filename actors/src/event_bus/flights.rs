//! One read for all who want the same at the same time: thousands of readers that come back at once all stand at about the
//! same place, and would otherwise each read it from the store.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde_json::Value;
use tokio::sync::OnceCell;

use super::{Channel, Frame};
use crate::Error;

/// What is read: the events of a channel with offsets above the first number and up to the second.
pub(super) type Wanted = (Channel, i64, i64);
type Flight = Arc<OnceCell<Arc<Past>>>;

/// Events of a channel as they are in the store, before any filter.
#[derive(Debug, Default)]
pub(super) struct Past {
    /// Each with the data that filters look at.
    pub(super) events: Vec<(Arc<Frame>, Value)>,
    /// The last offset that was read.
    pub(super) last: i64,
    pub(super) is_full: bool,
    pub(super) has_gap: bool,
}

/// The reads that are under way. Cheap to clone; all clones are the same.
#[derive(Debug, Clone, Default)]
pub(super) struct Flights(Arc<Mutex<HashMap<Wanted, Flight>>>);

/// One who waits for a read. The last to leave takes the read off the list, however it leaves.
struct Seat<'a> {
    flights: &'a Flights,
    wanted: Wanted,
    flight: Flight,
}

impl Flights {
    /// Returns what is read, by this caller or by one who has begun to read the same. A read that fails is begun anew by the
    /// next who waits for it.
    ///
    /// # Errors
    /// Those of `read`.
    pub(super) async fn share(
        &self,
        wanted: Wanted,
        read: impl AsyncFnOnce() -> Result<Past, Error>,
    ) -> Result<Arc<Past>, Error> {
        let seat = self.board(wanted);
        let past = seat.flight.get_or_try_init(async || read().await.map(Arc::new)).await;
        past.cloned()
    }

    fn board(&self, wanted: Wanted) -> Seat<'_> {
        let flight = self.lock().entry(wanted).or_default().clone();
        Seat {
            flights: self,
            wanted,
            flight,
        }
    }

    /// Locked for the moment of a look. Every step leaves the list whole.
    fn lock(&self) -> MutexGuard<'_, HashMap<Wanted, Flight>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        let mut flights = self.flights.lock();
        // The list holds one, and this seat another.
        if Arc::strong_count(&self.flight) <= 2 {
            flights.remove(&self.wanted);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::task::JoinSet;

    use super::*;

    fn wanted(after: i64) -> Wanted {
        ("errors".parse().unwrap(), after, i64::MAX)
    }

    async fn read(num_reads: &AtomicUsize) -> Result<Past, Error> {
        num_reads.fetch_add(1, Ordering::Relaxed);
        tokio::task::yield_now().await;
        Ok(Past::default())
    }

    #[tokio::test]
    async fn those_who_want_the_same_at_once_share_one_read() {
        let (flights, num_reads) = (Flights::default(), Arc::new(AtomicUsize::new(0)));
        let mut readers = JoinSet::new();
        for number in 0..5000 {
            let (flights, num_reads) = (flights.clone(), num_reads.clone());
            readers.spawn(async move {
                flights
                    .share(wanted(number % 2), async || read(&num_reads).await)
                    .await
                    .is_ok()
            });
        }
        assert!(readers.join_all().await.into_iter().all(|is_read| is_read));
        assert_eq!(num_reads.load(Ordering::Relaxed), 2);
        assert!(flights.lock().is_empty());
    }

    #[tokio::test]
    async fn a_later_reader_reads_anew() {
        let (flights, num_reads) = (Flights::default(), AtomicUsize::new(0));
        for _ in 0..3 {
            flights.share(wanted(0), async || read(&num_reads).await).await.unwrap();
        }
        assert_eq!(num_reads.load(Ordering::Relaxed), 3);
    }

    #[tokio::test]
    async fn a_reader_that_leaves_does_not_take_the_others_along() {
        let (flights, num_reads) = (Flights::default(), AtomicUsize::new(0));
        let mut first = Box::pin(flights.share(wanted(0), async || read(&num_reads).await));
        assert!(futures_util::poll!(&mut first).is_pending());
        let mut second = Box::pin(flights.share(wanted(0), async || read(&num_reads).await));
        assert!(futures_util::poll!(&mut second).is_pending());
        drop(first);
        second.await.unwrap();
        assert_eq!(num_reads.load(Ordering::Relaxed), 2);
        assert!(flights.lock().is_empty());
    }

    #[tokio::test]
    async fn a_read_that_fails_is_told_and_tried_again() {
        let (flights, num_reads) = (Flights::default(), AtomicUsize::new(0));
        let failed = flights
            .share(wanted(0), async || Err(Error::Internal("canary".to_owned())))
            .await;
        assert!(failed.is_err());
        flights.share(wanted(0), async || read(&num_reads).await).await.unwrap();
        assert!(flights.lock().is_empty());
    }
}
