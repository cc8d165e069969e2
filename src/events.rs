//! The events over plain HTTP: as Server-Sent Events that go on, and as pages.
//!
//! It is the stream of `/ws` for those who would rather have HTTP: what was missed is read from the store, then the bus
//! fills a bounded queue. A follower that is too slow, and one whose bus has gone, is let go; its client comes back with the
//! id of the last event that it got, which every Server-Sent Events client does by itself.

mod cursor;
mod follow;
mod page;

pub use cursor::Cursor;
pub use follow::follow;
pub use page::{Page, page};

use borgos_actors::event_bus::{Channel, Filter};

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The channels.
    pub channels: Vec<Channel>,
    /// What is let through of each.
    pub filter: Filter,
    /// Where to begin; none is now.
    pub since: Option<Cursor>,
}
