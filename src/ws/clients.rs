//! Who is connected, for those who operate the service.

use std::{
    collections::BTreeMap,
    net::IpAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use borgos_actors::event_bus::Channel;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;

/// Who asked for a connection.
#[derive(Debug, Clone)]
pub(super) struct Visitor {
    /// The client's address.
    pub(super) address: IpAddr,
    /// The name of the client's credential.
    pub(super) caller: Arc<str>,
}

/// All who are connected. Cheap to clone; all clones are the same.
#[derive(Debug, Clone, Default)]
pub(super) struct Clients(Arc<Book>);

#[derive(Debug, Default)]
struct Book {
    last_id: AtomicU64,
    /// Locked for the moment of a look, and never while something is waited for.
    entries: Mutex<BTreeMap<u64, Arc<Entry>>>,
}

#[derive(Debug)]
struct Entry {
    visitor: Visitor,
    connected_at: DateTime<Utc>,
    channels: Mutex<Vec<Channel>>,
    num_sent: AtomicU64,
    bytes_sent: AtomicU64,
    num_received: AtomicU64,
}

/// A connection as those see it who operate the service.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "Client")]
pub struct ClientView {
    /// Its number, which `hello` tells the client.
    pub id: u64,
    address: IpAddr,
    caller: String,
    connected_at: DateTime<Utc>,
    #[schemars(with = "Vec<String>")]
    channels: Vec<Channel>,
    /// How many messages it was sent, and how long they were together.
    num_sent: u64,
    bytes_sent: u64,
    /// How many messages it sent.
    num_received: u64,
}

/// The entry of one connection, which ends with this value.
#[derive(Debug)]
pub(super) struct Presence {
    id: u64,
    entry: Arc<Entry>,
    clients: Clients,
}

impl Clients {
    /// Notes that somebody has come.
    pub(super) fn enter(&self, visitor: Visitor) -> Presence {
        let id = self.0.last_id.fetch_add(1, Ordering::Relaxed) + 1;
        let entry = Arc::new(Entry {
            visitor,
            connected_at: Utc::now(),
            channels: Mutex::default(),
            num_sent: AtomicU64::new(0),
            bytes_sent: AtomicU64::new(0),
            num_received: AtomicU64::new(0),
        });
        locked(&self.0.entries).insert(id, entry.clone());
        Presence {
            id,
            entry,
            clients: self.clone(),
        }
    }

    /// Lists who is there, in the order in which they came.
    pub(super) fn list(&self) -> Vec<ClientView> {
        let entries = locked(&self.0.entries).clone();
        entries.into_iter().map(|(id, entry)| entry.view(id)).collect()
    }
}

impl Entry {
    fn view(&self, id: u64) -> ClientView {
        ClientView {
            id,
            address: self.visitor.address,
            caller: self.visitor.caller.to_string(),
            connected_at: self.connected_at,
            channels: locked(&self.channels).clone(),
            num_sent: self.num_sent.load(Ordering::Relaxed),
            bytes_sent: self.bytes_sent.load(Ordering::Relaxed),
            num_received: self.num_received.load(Ordering::Relaxed),
        }
    }
}

impl Presence {
    /// Returns the connection's number.
    pub(super) fn id(&self) -> u64 {
        self.id
    }

    /// Notes what the client reads.
    pub(super) fn set_channels(&self, channels: impl IntoIterator<Item = Channel>) {
        let mut channels: Vec<Channel> = channels.into_iter().collect();
        channels.sort_unstable();
        *locked(&self.entry.channels) = channels;
    }

    /// Counts a message to the client.
    pub(super) fn count_sent(&self, num_bytes: usize) {
        self.entry.num_sent.fetch_add(1, Ordering::Relaxed);
        self.entry.bytes_sent.fetch_add(num_bytes as u64, Ordering::Relaxed);
    }

    /// Counts a message from the client.
    pub(super) fn count_received(&self) {
        self.entry.num_received.fetch_add(1, Ordering::Relaxed);
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        locked(&self.clients.0.entries).remove(&self.id);
    }
}

/// What is behind these locks is whole after every step, so one that panicked has left nothing half done.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_who_are_there_are_listed_with_what_they_read() {
        let clients = Clients::default();
        let visitor = Visitor {
            address: IpAddr::from([127, 0, 0, 1]),
            caller: "local".into(),
        };
        let first = clients.enter(visitor.clone());
        let second = clients.enter(visitor);
        second.set_channels(["tasks".parse().unwrap(), "errors".parse().unwrap()]);
        second.count_sent(7);
        second.count_sent(5);
        second.count_received();
        drop(first);
        let listed = clients.list();
        assert_eq!(listed.len(), 1);
        let view = serde_json::to_value(&listed[0]).unwrap();
        assert_eq!((&view["id"], &view["caller"]), (&2.into(), &"local".into()));
        assert_eq!(
            (&view["num_sent"], &view["bytes_sent"], &view["num_received"]),
            (&2.into(), &12.into(), &1.into())
        );
        assert_eq!(view["channels"], serde_json::json!(["errors", "tasks"]));
        drop(second);
        assert!(clients.list().is_empty());
    }
}
