//! Names of channels: `deployments`, and `deployments:7` for one subject.

use sea_orm::{Select, entity::prelude::*};

use super::row;
use crate::Error;

/// A channel's name, taken apart.
pub(super) struct Name<'a> {
    channel: &'a str,
    subject: Option<i64>,
}

/// Returns the name of a subject's channel.
pub(super) fn of(channel: &str, subject: i64) -> String {
    format!("{channel}:{subject}")
}

impl<'a> Name<'a> {
    pub(super) fn parse(text: &'a str) -> Result<Self, Error> {
        let (channel, subject) = match text.split_once(':') {
            None => (text, None),
            Some((channel, subject)) => (channel, Some(subject)),
        };
        let subject = subject.map(str::parse).transpose();
        match subject {
            Ok(subject) if !channel.contains('\0') => Ok(Self { channel, subject }),
            _ => Err(Error::InvalidField {
                field: "channel".to_owned(),
                reason: "must be the name of a channel, with `:` and an id for one subject".to_owned(),
            }),
        }
    }

    /// Selects the events of the channel.
    pub(super) fn rows(&self) -> Select<row::Entity> {
        let rows = row::Entity::find().filter(row::Column::Channel.eq(self.channel));
        match self.subject {
            Some(subject) => rows.filter(row::Column::Subject.eq(subject)),
            None => rows,
        }
    }

    /// Returns the column that counts within the channel.
    pub(super) fn offset_column(&self) -> row::Column {
        match self.subject {
            Some(_) => row::Column::SubjectOffset,
            None => row::Column::ChannelOffset,
        }
    }

    /// Returns the row's place in the channel.
    pub(super) fn offset(&self, row: &row::Model) -> Option<i64> {
        match self.subject {
            Some(_) => row.subject_offset,
            None => row.channel_offset,
        }
    }
}
