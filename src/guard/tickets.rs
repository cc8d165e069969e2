//! Tickets: what a page of a browser shows to open a WebSocket, where it can set no header. Each is good once, for half a
//! minute, so one that ends up in a log is worth nothing.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use borgos_actors::{
    Error,
    credentials::{Caller, Method, Secret, digest},
};

/// How long a ticket is good.
pub const LIFETIME: Duration = Duration::from_secs(30);
/// As many may be open, of all callers and of one.
const MAX_OPEN: usize = 4096;
const MAX_OPEN_OF_ONE: usize = 64;

/// The tickets that were given out and not used yet.
#[derive(Debug, Default)]
pub struct Tickets {
    /// By their hashes.
    open: Mutex<HashMap<String, Ticket>>,
}

#[derive(Debug)]
struct Ticket {
    owner: Caller,
    made_at: Instant,
}

impl Tickets {
    /// Gives out a ticket.
    ///
    /// # Errors
    /// Fails as busy when as many are open as may be.
    pub fn issue(&self, owner: &Caller) -> Result<Secret, Error> {
        let secret = Secret::ticket()?;
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|_, ticket| ticket.is_good());
        let of_one = open.values().filter(|ticket| ticket.owner.identity == owner.identity);
        if open.len() >= MAX_OPEN || of_one.count() >= MAX_OPEN_OF_ONE {
            return Err(Error::Busy {
                actor: "tickets".to_owned(),
            });
        }
        let ticket = Ticket {
            owner: Caller {
                method: Method::Ticket,
                ..owner.clone()
            },
            made_at: Instant::now(),
        };
        open.insert(digest(secret.expose()), ticket);
        Ok(secret)
    }

    /// Takes a ticket back, and returns whose it was.
    pub(super) fn redeem(&self, secret: &str) -> Option<Caller> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let ticket = open.remove(&digest(secret))?;
        ticket.is_good().then_some(ticket.owner)
    }
}

impl Ticket {
    fn is_good(&self) -> bool {
        self.made_at.elapsed() < LIFETIME
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_is_good_once() {
        let tickets = Tickets::default();
        let secret = tickets.issue(&Caller::bootstrap()).unwrap();
        let owner = tickets.redeem(secret.expose()).unwrap();
        assert_eq!(
            (owner.method, owner.identity),
            (Method::Ticket, Caller::bootstrap().identity)
        );
        assert_eq!(tickets.redeem(secret.expose()), None);
        assert_eq!(tickets.redeem(""), None);
    }

    #[test]
    fn an_old_ticket_is_worth_nothing() {
        let tickets = Tickets::default();
        let secret = tickets.issue(&Caller::bootstrap()).unwrap();
        for ticket in tickets.open.lock().unwrap().values_mut() {
            ticket.made_at = Instant::now().checked_sub(LIFETIME).unwrap();
        }
        assert_eq!(tickets.redeem(secret.expose()), None);
    }

    #[test]
    fn one_caller_cannot_take_all() {
        let tickets = Tickets::default();
        let num_issued = (0..100).filter(|_| tickets.issue(&Caller::bootstrap()).is_ok()).count();
        assert_eq!(num_issued, MAX_OPEN_OF_ONE);
        assert!(tickets.issue(&Caller::local()).is_ok());
    }
}
