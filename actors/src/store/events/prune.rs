//! Forgetting old events. The offsets stay, so a channel never counts from the start again.

use std::{collections::BTreeMap, time::Duration};

use sea_orm::{FromQueryResult, QuerySelect, entity::prelude::*, sea_query::Query};

use super::{row, tops_of};
use crate::{
    Error,
    store::{Store, ago},
};

/// Rows per transaction, so that writers wait for milliseconds.
const BATCH: u64 = 2_000;

#[derive(FromQueryResult)]
struct Last {
    channel: String,
    last: i64,
}

/// Deletes events older than `max_age` and, in each channel, all but the newest `max_rows`. Events that have no offset
/// yet stay. Returns how many were deleted.
///
/// Always the beginning of a channel goes, never a piece out of its middle: what is left can be replayed without a gap.
///
/// # Errors
/// Fails when the database does; what was deleted before that stays deleted.
pub async fn prune(store: &Store, max_age: Duration, max_rows: u64) -> Result<u64, Error> {
    let mut bounds = too_old(store, max_age).await?;
    for (channel, bound) in too_many(store, max_rows).await? {
        let known = bounds.entry(channel).or_insert(bound);
        *known = bound.max(*known);
    }
    let mut num_deleted = 0;
    for (channel, bound) in bounds {
        num_deleted += delete_up_to(store, &channel, bound).await?;
    }
    Ok(num_deleted)
}

/// Returns each channel's last offset that is too old.
async fn too_old(store: &Store, max_age: Duration) -> Result<BTreeMap<String, i64>, Error> {
    let Some(oldest_kept) = ago(max_age) else {
        return Ok(BTreeMap::new());
    };
    let query = row::Entity::find()
        .select_only()
        .column(row::Column::Channel)
        .column_as(row::Column::ChannelOffset.max(), "last")
        .filter(row::Column::At.lt(oldest_kept))
        .filter(row::Column::ChannelOffset.is_not_null())
        .group_by(row::Column::Channel)
        .into_model::<Last>();
    let lasts = store.read(async |reader| Ok(query.all(reader).await?)).await?;
    Ok(lasts.into_iter().map(|last| (last.channel, last.last)).collect())
}

/// Returns each channel's last offset that is one too many.
async fn too_many(store: &Store, max_rows: u64) -> Result<Vec<(String, i64)>, Error> {
    let max_rows = i64::try_from(max_rows).unwrap_or(i64::MAX);
    store
        .read(async |reader| {
            let channels: Vec<String> = row::Entity::find()
                .select_only()
                .column(row::Column::Channel)
                .distinct()
                .into_tuple()
                .all(reader)
                .await?;
            let tops = tops_of(reader, channels).await?;
            Ok(tops
                .into_iter()
                .map(|(channel, top)| (channel, top - max_rows))
                .collect())
        })
        .await
}

async fn delete_up_to(store: &Store, channel: &str, bound: i64) -> Result<u64, Error> {
    let oldest = Query::select()
        .column(row::Column::Id)
        .from(row::Entity)
        .and_where(row::Column::Channel.eq(channel))
        .and_where(row::Column::ChannelOffset.lte(bound))
        .order_by(row::Column::ChannelOffset, sea_orm::Order::Asc)
        .limit(BATCH)
        .take();
    let delete = row::Entity::delete_many().filter(row::Column::Id.in_subquery(oldest));
    store.delete_batches(delete, BATCH).await
}
