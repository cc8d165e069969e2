//! The states that a deployment can be in.

use schemars::JsonSchema;
use sea_orm::{ActiveEnum, DeriveActiveEnum, EnumIter};
use serde::{Deserialize, Serialize};

/// What was last observed of a deployment, never what was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, EnumIter, DeriveActiveEnum, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[schemars(rename = "DeploymentStatus")]
pub enum Status {
    /// Nothing has happened yet.
    Pending,
    /// A release is being built.
    Building,
    /// The instance was started and has not answered yet.
    Starting,
    /// The instance runs and answers.
    Running,
    /// The instance runs and does not answer as it should.
    Unhealthy,
    /// It waits to be started again.
    Restarting,
    /// The instance has ended too often too soon; it is still tried, rarely.
    CrashLooping,
    /// The instance was told to end.
    Stopping,
    /// Nothing runs, as wanted.
    Stopped,
    /// Nothing runs, and trying again without a change would not help.
    Failed,
    /// Nothing ever ran: what was to run first was called off.
    Cancelled,
}

impl Status {
    /// Whether an instance that was started belongs to this state, so that its end is news.
    pub fn has_instance(self) -> bool {
        matches!(self, Self::Starting | Self::Running | Self::Unhealthy)
    }

    /// Whether nothing runs, and nothing is to.
    pub fn is_at_rest(self) -> bool {
        matches!(self, Self::Stopped | Self::Cancelled)
    }
}

impl std::fmt::Display for Status {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.to_value())
    }
}

/// What people want of a deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, EnumIter, DeriveActiveEnum, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[schemars(inline)]
pub enum Desired {
    /// It is to run.
    Running,
    /// It is not to run.
    Stopped,
}

impl std::fmt::Display for Desired {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.to_value())
    }
}

#[cfg(test)]
mod tests {
    use sea_orm::Iterable;

    use super::*;

    #[test]
    fn a_status_is_stored_and_sent_as_the_same_word() {
        for status in Status::iter() {
            let sent = serde_json::to_value(status).unwrap();
            assert_eq!(sent, status.to_value());
            assert_eq!(Status::try_from_value(&status.to_value()).unwrap(), status);
        }
        assert_eq!(Status::CrashLooping.to_string(), "crash_looping");
    }
}
