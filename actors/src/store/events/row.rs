//! The tables `events` and `event_offsets`.

use sea_orm::entity::prelude::*;

use super::Event;
use crate::{Error, id::EventId};

#[derive(Clone, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "events")]
pub(super) struct Model {
    #[sea_orm(primary_key)]
    pub id: EventId,
    pub channel: String,
    pub subject: Option<i64>,
    pub kind: String,
    pub data: Json,
    pub at: DateTimeUtc,
    pub channel_offset: Option<i64>,
    pub subject_offset: Option<i64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(super) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl TryFrom<Model> for Event {
    type Error = Error;

    fn try_from(row: Model) -> Result<Self, Error> {
        let channel_offset = row
            .channel_offset
            .ok_or_else(|| Error::Internal(format!("event {} has no offset yet", row.id)))?;
        Ok(Self {
            id: row.id,
            channel: row.channel,
            subject: row.subject,
            kind: row.kind,
            data: row.data,
            at: row.at,
            channel_offset,
            subject_offset: row.subject_offset,
        })
    }
}

/// The last offset of every channel that ever had an event.
pub(super) mod offsets {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, DeriveEntityModel)]
    #[sea_orm(table_name = "event_offsets")]
    pub(in super::super) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub name: String,
        pub last: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(in super::super) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
