//! Events of deployments.

use sea_orm::DatabaseTransaction;
use serde_json::json;

use super::Deployment;
use crate::{
    Error,
    store::events::{self, NewEvent},
};

/// Appends an event about a deployment, with what a dashboard shows of one. The environment stays out of it.
pub(super) async fn announce(
    transaction: &DatabaseTransaction,
    kind: &'static str,
    deployment: &Deployment,
) -> Result<(), Error> {
    let event = NewEvent {
        channel: events::DEPLOYMENTS,
        subject: Some(deployment.id.0),
        kind,
        data: json!({
            "id": deployment.id,
            "status": deployment.status,
            "port": deployment.port,
            "project_id": deployment.project_id,
            "name": deployment.name,
            "reason": deployment.reason,
        }),
    };
    events::append(transaction, event).await
}
