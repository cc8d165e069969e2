//! Events: the outbox that the event bus reads, and the last offset of every channel.
//!
//! The offsets have a table of their own, so that pruning old events never makes a channel count from the start again.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(events()).await?;
        manager.create_index(unassigned()).await?;
        manager
            .create_index(offsets("events_channel_offset", &["channel", "channel_offset"]))
            .await?;
        manager
            .create_index(offsets(
                "events_subject_offset",
                &["channel", "subject", "subject_offset"],
            ))
            .await?;
        let last = Table::create()
            .table("event_offsets")
            .col(text("name").primary_key())
            .col(big_integer("last"))
            .take();
        manager.create_table(last).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["event_offsets", "events"] {
            manager.drop_table(Table::drop().table(table).take()).await?;
        }
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

fn events() -> TableCreateStatement {
    Table::create()
        .table("events")
        .col(big_pk_auto("id"))
        .col(text("channel"))
        .col(big_integer_null("subject"))
        .col(text("kind"))
        .col(json_binary("data"))
        .col(timestamp_with_time_zone("at"))
        .col(big_integer_null("channel_offset"))
        .col(big_integer_null("subject_offset"))
        .take()
}

/// Finds the events that the bus has not seen yet without reading the others.
fn unassigned() -> IndexCreateStatement {
    Index::create()
        .name("events_unassigned")
        .table("events")
        .col("id")
        .and_where(Expr::col("channel_offset").is_null())
        .take()
}

/// Finds events by offset. Unique, so that an offset given twice is refused (those without one are not compared).
fn offsets(name: &str, columns: &[&'static str]) -> IndexCreateStatement {
    let mut index = Index::create().name(name).table("events").unique().take();
    for column in columns {
        index.col(*column);
    }
    index
}
