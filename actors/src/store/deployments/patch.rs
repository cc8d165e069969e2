//! Changing what is wanted of a deployment.

use sea_orm::{ActiveValue::Set, DatabaseTransaction};
use serde_json::{Map, Value};

use super::{
    Deployment,
    begin::{aim, next_release},
    change::write,
    claim, locked, row,
};
use crate::{
    Error,
    deployment::Desired,
    id::DeploymentId,
    store::{
        Store, claimed,
        column::to_json,
        now,
        releases::{self, NewRelease, Release},
    },
    value::{CpuLimit, DeploymentName, Environment, HealthPath, MemoryLimit, Retries, Seconds},
};

/// What is to change. What is `None` stays, and `Some(None)` clears.
#[derive(Debug, Clone, Default)]
pub struct Patch {
    /// The name.
    pub name: Option<DeploymentName>,
    /// Variables to be set, or to be taken away where the value is `null`.
    pub environment: Option<Map<String, Value>>,
    /// CPUs that it may use.
    pub cpu_limit: Option<Option<CpuLimit>>,
    /// Memory that it may use.
    pub memory_limit: Option<Option<MemoryLimit>>,
    /// What must answer 2xx or 3xx.
    pub health_check_path: Option<Option<HealthPath>>,
    /// How long a fresh instance may take to become healthy.
    pub health_timeout_s: Option<Seconds>,
    /// The pause between two probes.
    pub health_interval_s: Option<Seconds>,
    /// So many failures make it unhealthy.
    pub health_retries: Option<Retries>,
}

/// Changes what is wanted. What instances are made of is the business of a new release, which runs what the one that is
/// to serve runs; name and health check count at once. A deployment that is not to run has its new release serve when it
/// is started.
///
/// # Errors
/// `NAME_IN_USE`, and `INVALID_FIELD` for variables that cannot be. Fails when there is no such deployment, or when it is
/// deleted.
pub async fn patch(store: &Store, id: DeploymentId, patch: &Patch) -> Result<(Deployment, Option<Release>), Error> {
    claimed(|| {
        store.write(async |transaction| {
            let before = locked(transaction, id).await?;
            if let Some(name) = patch.name.as_ref().filter(|name| **name != before.name) {
                claim::check_name(transaction, name).await?;
            }
            let after = write(transaction, &before, changes(&before, patch)?).await?;
            let parts = |row: &Deployment| (row.environment.clone(), row.cpu_limit.clone(), row.memory_limit.clone());
            if parts(&after) == parts(&before) {
                return Ok((after, None));
            }
            let release = release(transaction, &after).await?;
            let after = roll_out(transaction, &after, &release).await?;
            Ok((after, Some(release)))
        })
    })
    .await
}

fn changes(before: &Deployment, patch: &Patch) -> Result<row::ActiveModel, Error> {
    let mut row = row::ActiveModel {
        updated_at: Set(now()),
        ..Default::default()
    };
    if let Some(name) = patch.name.clone() {
        row.name = Set(name.into());
    }
    if let Some(variables) = &patch.environment {
        let environment = merged(&before.environment, variables)?;
        row.environment = Set(to_json("deployments.environment", &environment)?);
    }
    if let Some(limit) = patch.cpu_limit.clone() {
        row.cpu_limit = Set(limit.map(String::from));
    }
    if let Some(limit) = patch.memory_limit.clone() {
        row.memory_limit = Set(limit.map(String::from));
    }
    if let Some(path) = patch.health_check_path.clone() {
        row.health_check_path = Set(path.map(String::from));
    }
    if let Some(seconds) = patch.health_timeout_s {
        row.health_timeout_s = Set(seconds.into());
    }
    if let Some(seconds) = patch.health_interval_s {
        row.health_interval_s = Set(seconds.into());
    }
    if let Some(retries) = patch.health_retries {
        row.health_retries = Set(retries.into());
    }
    Ok(row)
}

/// Sets and takes away variables.
fn merged(before: &Environment, variables: &Map<String, Value>) -> Result<Environment, Error> {
    let known = before.iter().map(|(name, value)| (name.to_owned(), value.into()));
    let mut all: Map<String, Value> = known.collect();
    all.extend(variables.clone());
    all.retain(|_, value| !value.is_null());
    serde_json::from_value(all.into()).map_err(|invalid| Error::InvalidField {
        field: "environment".to_owned(),
        reason: invalid.to_string(),
    })
}

/// Makes the release: it runs what is built already, if anything is.
async fn release(transaction: &DatabaseTransaction, row: &Deployment) -> Result<Release, Error> {
    let target = releases::within(transaction, row.target_id).await?;
    let is_built = target.status == releases::Status::Ready;
    let new = NewRelease {
        artifact: target.artifact.filter(|_| is_built),
        built_as: is_built.then(|| target.built_as.unwrap_or(target.number)),
        source_ref: target.source_ref,
        source_commit: target.source_commit,
        recipe: target.recipe,
        ..next_release(row, "change")
    };
    releases::begin(transaction, row.id, &new).await
}

async fn roll_out(transaction: &DatabaseTransaction, row: &Deployment, release: &Release) -> Result<Deployment, Error> {
    if row.desired == Desired::Running {
        return aim(transaction, row, release.id, "change requested").await;
    }
    releases::supersede(transaction, row.target_id, release.id).await?;
    let change = row::ActiveModel {
        target_id: Set(Some(release.id)),
        generation: Set(row.generation.next()),
        ..Default::default()
    };
    write(transaction, row, change).await
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn variables_are_set_and_taken_away_and_the_others_stay() {
        let before: Environment = serde_json::from_value(json!({"A": "1", "B": "2"})).unwrap();
        let patch = json!({"A": null, "C": 3, "D": null});
        let after = merged(&before, patch.as_object().unwrap()).unwrap();
        assert_eq!(after.iter().collect::<Vec<_>>(), [("B", "2"), ("C", "3")]);
        let bad = json!({"1A": "x"});
        let refused = merged(&before, bad.as_object().unwrap()).unwrap_err();
        assert_eq!(refused.code(), "INVALID_FIELD");
    }
}
