//! Identifiers. Each table has its own type, so that one cannot be passed for another.

use schemars::JsonSchema;
use sea_orm::DeriveValueType;
use serde::{Deserialize, Serialize};

macro_rules! identifiers {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema, DeriveValueType)]
        #[serde(transparent)]
        #[schemars(inline, extend("minimum" = 1))]
        pub struct $name(pub i64);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    )+};
}

identifiers! {
    /// A project: a directory of code that BorgOS knows.
    ProjectId,
    /// A deployment: a project that is to run on a port.
    DeploymentId,
    /// A release: one built version of a deployment, numbered within it.
    ReleaseId,
    /// An entry of the error log.
    ErrorId,
    /// A row of the event outbox.
    EventId,
    /// A task of an agent.
    TaskId,
    /// An entry of the audit log.
    AuditId,
    /// A query in plain words.
    QueryId,
    /// A webhook.
    WebhookId,
    /// A message to a webhook's target.
    DeliveryId,
    /// A token of the API.
    TokenId,
    /// A user of the API.
    UserId,
}

/// Counts the instances that were ever started for a deployment. The number is written to the deployment's row before
/// the instance is created and labels the instance, so that an older one is told from the current one after any crash.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    JsonSchema,
    DeriveValueType,
)]
#[serde(transparent)]
#[schemars(inline)]
pub struct Generation(pub i64);

impl Generation {
    /// Returns the generation that follows this one.
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}
