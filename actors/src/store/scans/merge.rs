//! What a scan changes in the row of its project, where people have their say too.

use sea_orm::ActiveValue::Set;
use serde_json::{Map, Value};

use super::{Found, METADATA_KEYS, Outcome};
use crate::{
    Error,
    store::{
        column::{storable_json, to_json},
        now,
        projects::{Project, row},
    },
    value::{ProjectType, TechStack},
};

/// The columns of the project that the outcome changes.
pub(super) fn change(project: &Project, earlier: Option<&Found>, outcome: &Outcome) -> Result<row::ActiveModel, Error> {
    let stack = stack(&project.tech_stack, earlier, &outcome.found.stack);
    let kind = project_type(project.project_type.as_ref(), earlier, &outcome.found);
    let score = |told: Option<u8>, kept: i32| told.map_or(kept, i32::from);
    let errors = to_json("projects.errors", &outcome.errors)?;
    let metadata = metadata(&project.metadata, &outcome.metadata);
    Ok(row::ActiveModel {
        id: Set(project.id),
        project_type: Set(kind.map(String::from)),
        tech_stack: Set(to_json("projects.tech_stack", &stack)?),
        health_score: Set(score(outcome.scores.health, project.health_score)),
        vibe_score: Set(score(outcome.scores.vibe, project.vibe_score)),
        eco_score: Set(score(outcome.scores.eco, project.eco_score)),
        errors: Set(storable_json(errors)),
        metadata: Set(storable_json(metadata.into())),
        updated_at: Set(now()),
        last_scanned_at: Set(Some(outcome.started_at)),
        ..Default::default()
    })
}

/// Tells whether the outcome differs from what the row says. How the scan itself went is no news.
pub(super) fn is_news(project: &Project, outcome: &Outcome) -> Result<bool, Error> {
    let errors = storable_json(to_json("projects.errors", &outcome.errors)?);
    let scores = [
        (outcome.scores.health, project.health_score),
        (outcome.scores.vibe, project.vibe_score),
        (outcome.scores.eco, project.eco_score),
    ];
    let is_other_score = |(told, known): (Option<u8>, i32)| told.is_some_and(|told| i32::from(told) != known);
    let is_other = |(key, value): (&String, &Value)| key != "scan" && project.metadata.get(key) != Some(value);
    Ok(errors != Value::from(project.errors.clone())
        || scores.into_iter().any(is_other_score)
        || outcome.metadata.iter().any(is_other))
}

/// What people named stays, what an earlier scan found and this one did not goes.
fn stack(current: &TechStack, earlier: Option<&Found>, found: &[String]) -> Vec<String> {
    let was_found = |name: &String| earlier.is_some_and(|earlier| earlier.stack.contains(name));
    let mut stack = Vec::from(current.clone());
    stack.retain(|name| found.contains(name) || !was_found(name));
    for name in found {
        if !stack.contains(name) {
            stack.push(name.clone());
        }
    }
    stack.truncate(TechStack::MAX_ENTRIES);
    stack
}

/// A kind that people named stays.
fn project_type(current: Option<&ProjectType>, earlier: Option<&Found>, found: &Found) -> Option<ProjectType> {
    let was_found = earlier.is_some_and(|earlier| earlier.project_type.as_ref() == current);
    match current {
        Some(named) if !was_found => Some(named.clone()),
        Some(_) | None => found.project_type.clone(),
    }
}

/// The scanner's keys are replaced, those of others stay.
fn metadata(current: &Map<String, Value>, found: &Map<String, Value>) -> Map<String, Value> {
    let mut metadata = current.clone();
    metadata.extend(found.clone());
    metadata
}

/// Puts what people say in the place of what they said before; what a scan found stays, whoever says otherwise.
pub(in crate::store) fn with_found(project: &Project, said: Map<String, Value>) -> Map<String, Value> {
    let mut metadata = said;
    if project.last_scanned_at.is_some() {
        for key in METADATA_KEYS {
            metadata.remove(key);
            metadata.extend(
                project
                    .metadata
                    .get_key_value(key)
                    .map(|(key, value)| (key.clone(), value.clone())),
            );
        }
    }
    metadata
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scan::SnapshotId;

    fn named(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    fn found(stack: &[&str], kind: Option<&str>) -> Found {
        Found {
            stack: named(stack),
            project_type: kind.map(|kind| ProjectType::try_from(kind.to_owned()).unwrap()),
            languages: Vec::new(),
            manifests: crate::manifests::read(&[]),
            snapshot: SnapshotId::default(),
        }
    }

    #[test]
    fn what_people_named_in_the_stack_outlives_what_scans_found() {
        let current = TechStack::try_from(named(&["fastapi", "redis", "python"])).unwrap();
        let earlier = found(&["redis", "python"], None);
        assert_eq!(
            stack(&current, Some(&earlier), &named(&["python", "docker"])),
            ["fastapi", "python", "docker"]
        );
        assert_eq!(
            stack(&current, None, &named(&["docker"])),
            ["fastapi", "redis", "python", "docker"]
        );
    }

    #[test]
    fn a_kind_that_people_named_stays_and_one_that_was_found_follows_the_project() {
        let web = ProjectType::try_from("web".to_owned()).unwrap();
        let api = found(&[], Some("api"));
        assert_eq!(project_type(Some(&web), None, &api), Some(web.clone()));
        assert_eq!(
            project_type(Some(&web), Some(&found(&[], Some("web"))), &api),
            api.project_type
        );
        assert_eq!(project_type(None, None, &api), api.project_type);
    }

    #[test]
    fn metadata_of_others_stays() {
        let map = |value: Value| value.as_object().unwrap().clone();
        let merged = metadata(
            &map(serde_json::json!({"team": "a", "dependencies": 1})),
            &map(serde_json::json!({"dependencies": 2})),
        );
        assert_eq!(Value::from(merged), serde_json::json!({"team": "a", "dependencies": 2}));
    }
}
