//! The store, the same tests over SQLite and PostgreSQL.

mod audit;
mod changes;
mod credentials;
mod deployments;
mod engines;
mod errors;
mod events;
mod mcp_queries;
mod migrations;
mod projects;
mod push;
mod releases;
mod samples;
mod scans;
mod seal;
mod task_leases;
mod task_losses;
mod task_orders;
mod tasks;
mod webhooks;

/// Actors and requests await the store on any thread; a future that cannot move shows only where it is spawned.
#[test]
fn every_answer_can_be_awaited_on_any_thread() {
    use std::time::Duration;

    use super::{Page, Settings, Store};
    use crate::id::{DeploymentId, ProjectId, ReleaseId, TaskId, WebhookId};

    const PAGE: Page = Page { limit: 1, offset: 0 };

    async fn reads(store: Store) -> Result<(), crate::Error> {
        super::projects::project(&store, ProjectId(1)).await?;
        super::projects::list(&store, &Default::default(), PAGE).await?;
        super::deployments::list(&store, &Default::default(), PAGE).await?;
        super::deployments::wanted(&store).await?;
        super::releases::release(&store, ReleaseId(1)).await?;
        super::releases::list(&store, DeploymentId(1), None, PAGE).await?;
        super::error_log::list(&store, &Default::default(), PAGE).await?;
        super::tasks::list(&store, &Default::default(), PAGE).await?;
        super::tasks::attempts(&store, TaskId(1)).await?;
        super::tasks::loads(&store).await?;
        super::audit::list(&store, &Default::default(), PAGE).await?;
        super::tokens::valid(&store).await?;
        super::users::logins(&store).await?;
        super::mcp_queries::list(&store, &Default::default(), PAGE).await?;
        super::webhooks::list(&store, PAGE).await?;
        super::webhooks::lagging(&store).await?;
        super::webhooks::deliveries::list(&store, WebhookId(1), None, PAGE).await?;
        super::webhooks::deliveries::due(&store, WebhookId(1), &[], 1).await?;
        super::events::replay(&store, "tasks", 0, 1, 1).await?;
        super::events::tops(&store, &["tasks"]).await?;
        super::events::oldest(&store, "tasks").await?;
        store.ping().await
    }
    async fn writes(store: Store) -> Result<(), crate::Error> {
        super::projects::create(&store, &samples::new_project("p")).await?;
        super::projects::update(&store, ProjectId(1), &Default::default()).await?;
        super::projects::delete(&store, ProjectId(1)).await?;
        super::deployments::request_rollback(&store, DeploymentId(1), 1).await?;
        super::releases::finish(&store, ReleaseId(1), &samples::image("sha256:1")).await?;
        super::error_log::record(&store, &samples::new_error(super::error_log::Severity::Info, "")).await?;
        super::events::assign_offsets(&store, 1).await?;
        super::events::prune(&store, Duration::ZERO, 1).await?;
        super::mcp_queries::prune(&store, Duration::ZERO).await?;
        super::webhooks::update(&store, WebhookId(1), &Default::default()).await?;
        super::webhooks::spool(&store, WebhookId(1), |_, _| None).await?;
        super::webhooks::delete(&store, WebhookId(1)).await?;
        super::tokens::revoke(&store, crate::id::TokenId(1)).await?;
        super::users::delete(&store, crate::id::UserId(1)).await?;
        let owner = super::tasks::Owner::new(store.instance());
        super::tasks::create(&store, &samples::new_task("llm"), 1).await?;
        super::tasks::claim(&store, &owner, &[], 1, Duration::ZERO).await?;
        super::tasks::heartbeat(&store, &owner, &[], Duration::ZERO).await?;
        super::tasks::settle(&store, &owner, &[]).await?;
        super::tasks::record_progress(&store, &owner, &[]).await?;
        super::tasks::rescue(&store, &[]).await?;
        super::tasks::cancel(&store, TaskId(1)).await?;
        super::tasks::retry(&store, TaskId(1)).await?;
        super::tasks::prune(&store, Duration::ZERO, Duration::ZERO).await?;
        Ok(())
    }
    async fn open(settings: Settings) -> bool {
        Store::open(&settings).await.is_ok()
    }
    fn is_send<A, T: Send>(_: fn(A) -> T) {}
    is_send(reads);
    is_send(writes);
    is_send(open);
}
