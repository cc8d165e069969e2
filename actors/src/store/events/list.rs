//! Lists of what happened.

use sea_orm::{QueryOrder, entity::prelude::*};

use super::{Event, row};
use crate::{
    Error,
    store::{Listed, Page, Store},
};

/// Lists the events about one subject of a channel, newest first. Those that have no offset yet come a moment later.
///
/// # Errors
/// Fails when the database does.
pub async fn of_subject(store: &Store, channel: &str, subject: i64, page: Page) -> Result<Listed<Event>, Error> {
    let query = row::Entity::find()
        .filter(row::Column::Channel.eq(channel))
        .filter(row::Column::Subject.eq(subject))
        .filter(row::Column::ChannelOffset.is_not_null())
        .order_by_desc(row::Column::SubjectOffset);
    store.list(query, page, Event::try_from).await
}
