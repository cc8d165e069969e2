//! Changing what is wanted of a deployment.

use std::collections::BTreeMap;

use sea_orm::{ActiveValue::Set, DatabaseTransaction};
use serde_json::{Map, Value};

use super::{Deployment, begin::aim, change::write, claim, locked, row};
use crate::{
    Error,
    deployment::Desired,
    id::DeploymentId,
    seal::Key,
    store::{
        Store, claimed, now,
        releases::{self, NewRelease, Release},
    },
    value::{CpuLimit, DeploymentName, Environment, HealthPath, MemoryLimit, Retries, Seconds, has_mask, shown},
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

/// Changes what is wanted. What instances are made of, and how they are asked whether they are well, is the business of a
/// new release, which runs what the one that is to serve runs; only a name counts at once. A deployment that is not to run
/// has its new release serve when it is started.
///
/// # Errors
/// `NAME_IN_USE`, and `INVALID_FIELD` for variables that cannot be. Fails when there is no such deployment, or when it is
/// deleted.
pub async fn patch(store: &Store, id: DeploymentId, patch: &Patch) -> Result<(Deployment, Option<Release>), Error> {
    claimed(|| {
        store.write(async |transaction| {
            let before = locked(transaction, id).await?;
            let named = rename(transaction, &before, patch).await?;
            let target = releases::within(transaction, before.target_id).await?;
            let Some(wanted) = changed(&store.key, &target, patch)? else {
                return Ok((named, None));
            };
            let release = releases::begin(transaction, id, &wanted).await?;
            let after = roll_out(transaction, &named, &release).await?;
            Ok((after, Some(release)))
        })
    })
    .await
}

async fn rename(transaction: &DatabaseTransaction, before: &Deployment, patch: &Patch) -> Result<Deployment, Error> {
    let Some(name) = patch.name.as_ref().filter(|name| **name != before.name) else {
        return Ok(before.clone());
    };
    claim::check_name(transaction, name).await?;
    let row = row::ActiveModel {
        name: Set(name.clone().into()),
        updated_at: Set(now()),
        ..Default::default()
    };
    write(transaction, before, row).await
}

/// Describes the release that a change takes, which runs what is built already, if anything is. None is needed for what the
/// one that serves, or is to, has already; one that failed does not count.
fn changed(key: &Key, target: &Release, patch: &Patch) -> Result<Option<NewRelease>, Error> {
    let mut wanted = terms(target);
    if let Some(variables) = &patch.environment {
        let before = key.open(&target.environment)?;
        let merged = merged(&before, variables)?;
        // Sealed anew it would be another text.
        if merged != before {
            wanted.environment = key.seal(&merged)?;
        }
    }
    set(&mut wanted.cpu_limit, &patch.cpu_limit);
    set(&mut wanted.memory_limit, &patch.memory_limit);
    let check = &mut wanted.health_check;
    set(&mut check.path, &patch.health_check_path);
    set(&mut check.timeout_s, &patch.health_timeout_s);
    set(&mut check.interval_s, &patch.health_interval_s);
    set(&mut check.retries, &patch.health_retries);
    let has_failed = target.status.is_spent();
    let is_needed = wanted != terms(target) || (has_failed && patch.is_of_release());
    Ok(is_needed.then_some(wanted))
}

fn set<T: Clone>(value: &mut T, change: &Option<T>) {
    if let Some(change) = change {
        value.clone_from(change);
    }
}

/// Describes another release of what this one is made of.
fn terms(target: &Release) -> NewRelease {
    let is_built = target.status == releases::Status::Ready;
    NewRelease {
        environment: target.environment.clone(),
        cpu_limit: target.cpu_limit.clone(),
        memory_limit: target.memory_limit.clone(),
        health_check: target.health_check.clone(),
        source_commit: target.source_commit.clone().filter(|_| is_built),
        created_by: "change".to_owned(),
        artifact: target.artifact.clone().filter(|_| is_built),
        built_as: is_built.then(|| target.built_as.unwrap_or(target.number)),
        source_ref: target.source_ref.clone(),
        recipe: target.recipe.clone().filter(|_| is_built),
    }
}

impl Patch {
    /// Whether it is about more than the name.
    fn is_of_release(&self) -> bool {
        let limits = self.cpu_limit.is_some() || self.memory_limit.is_some();
        let times = self.health_timeout_s.is_some() || self.health_interval_s.is_some();
        let check = self.health_check_path.is_some() || times || self.health_retries.is_some();
        self.environment.is_some() || limits || check
    }
}

/// Sets and takes away variables. What comes back as it was shown, without its secret, stays as it is.
fn merged(before: &Environment, variables: &Map<String, Value>) -> Result<Environment, Error> {
    let known: BTreeMap<&str, &str> = before.iter().collect();
    let is_shown = |name: &str, value: &Value| known.get(name).is_some_and(|known| *value == *shown(name, known));
    let changed = variables.iter().filter(|(name, value)| !is_shown(name, value));
    let kept = known
        .iter()
        .map(|(name, value)| ((*name).to_owned(), Value::from(*value)));
    let mut all: Map<String, Value> = kept.collect();
    let changed: Map<String, Value> = changed.map(|(name, value)| (name.clone(), value.clone())).collect();
    let texts = changed
        .iter()
        .filter_map(|(name, value)| Some((name.as_str(), value.as_str()?)));
    check_unmasked(texts)?;
    all.extend(changed);
    all.retain(|_, value| !value.is_null());
    serde_json::from_value(all.into()).map_err(|cause| invalid(cause.to_string()))
}

/// Refuses what was copied from an answer, where secrets are not shown.
///
/// # Errors
/// `INVALID_FIELD`, which names the variable.
pub fn check_unmasked<'a>(variables: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<(), Error> {
    match variables.into_iter().find(|(name, value)| has_mask(name, value)) {
        None => Ok(()),
        Some((name, _)) => Err(invalid(format!("`{name}` has a mask as its value"))),
    }
}

fn invalid(reason: String) -> Error {
    Error::InvalidField {
        field: "environment".to_owned(),
        reason,
    }
}

async fn roll_out(transaction: &DatabaseTransaction, row: &Deployment, release: &Release) -> Result<Deployment, Error> {
    if row.desired == Desired::Running {
        return aim(transaction, row, release, "change requested").await;
    }
    releases::supersede(transaction, row.target_id, release.id).await?;
    // What is still on its way although it is to stop is of another release.
    let change = row::ActiveModel {
        candidate: Set(None),
        generation: Set(row.generation.next()),
        updated_at: Set(now()),
        ..row::aimed_at(release, Default::default())
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

    #[test]
    fn a_mask_that_comes_back_keeps_the_secret_and_never_becomes_one() {
        let before = json!({"API_KEY": "canary", "DATABASE_URL": "postgres://me:canary@host/name"});
        let before: Environment = serde_json::from_value(before).unwrap();
        let back = json!({"API_KEY": "***", "DATABASE_URL": "postgres://me:***@host/name", "MODE": "***"});
        let after = merged(&before, back.as_object().unwrap()).unwrap();
        assert_eq!(
            after.iter().collect::<Vec<_>>(),
            before.iter().chain([("MODE", "***")]).collect::<Vec<_>>()
        );
        for masked in [
            json!({"OTHER_KEY": "***"}),
            json!({"DATABASE_URL": "postgres://me:***@elsewhere/name"}),
        ] {
            let refused = merged(&before, masked.as_object().unwrap()).unwrap_err();
            assert!(refused.to_string().contains("mask"), "{refused}");
        }
    }
}
