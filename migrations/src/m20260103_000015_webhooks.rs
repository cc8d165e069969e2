//! Webhooks: who is told of what, how far each has read the events, and what is or was to be delivered.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const WAITING: &str = "pending";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(webhooks()).await?;
        manager.create_table(cursors()).await?;
        manager.create_table(deliveries()).await?;
        for index in indexes() {
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["webhook_deliveries", "webhook_cursors", "webhooks"] {
            manager.drop_table(Table::drop().table(table).take()).await?;
        }
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

fn webhooks() -> TableCreateStatement {
    Table::create()
        .table("webhooks")
        .col(big_pk_auto("id"))
        .col(text("url"))
        .col(json_binary("events"))
        .col(text("secret"))
        .col(boolean("is_active"))
        .col(big_integer("after_event").default(0))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone_null("failing_since"))
        .col(timestamp_with_time_zone_null("last_success_at"))
        .col(text_null("disabled_reason"))
        .take()
}

fn cursors() -> TableCreateStatement {
    Table::create()
        .table("webhook_cursors")
        .col(big_integer("webhook_id"))
        .col(text("channel"))
        .col(big_integer("last"))
        .primary_key(
            Index::create()
                .name("webhook_cursors_key")
                .col("webhook_id")
                .col("channel"),
        )
        .foreign_key(&mut of_webhook("webhook_cursors"))
        .take()
}

fn deliveries() -> TableCreateStatement {
    Table::create()
        .table("webhook_deliveries")
        .col(big_pk_auto("id"))
        .col(big_integer("webhook_id"))
        .col(text("message_id"))
        .col(text("event"))
        .col(text("lane"))
        .col(text("payload"))
        .col(text("status"))
        .col(integer("attempts"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone_null("next_at"))
        .col(timestamp_with_time_zone_null("attempted_at"))
        .col(integer_null("response_status"))
        .col(text_null("response"))
        .col(big_integer_null("duration_ms"))
        .col(text_null("error"))
        .foreign_key(&mut of_webhook("webhook_deliveries"))
        .take()
}

fn of_webhook(table: &'static str) -> ForeignKeyCreateStatement {
    ForeignKey::create()
        .name(format!("{table}_webhook"))
        .from(table, "webhook_id")
        .to("webhooks", "id")
        .on_delete(ForeignKeyAction::Cascade)
        .take()
}

fn indexes() -> Vec<IndexCreateStatement> {
    let index = |name: &str| Index::create().name(name).table("webhook_deliveries").take();
    let is_waiting = || Expr::col("status").eq(WAITING);
    vec![
        index("webhook_deliveries_message")
            .col("webhook_id")
            .col("message_id")
            .unique()
            .take(),
        // The first of each lane.
        index("webhook_deliveries_lanes")
            .col("webhook_id")
            .col("lane")
            .col("id")
            .and_where(is_waiting())
            .take(),
        index("webhook_deliveries_due")
            .col("next_at")
            .and_where(is_waiting())
            .take(),
        index("webhook_deliveries_created").col("created_at").take(),
    ]
}
