//! Scans of projects, on every engine.

use chrono::Utc;
use serde_json::{Map, Value, json};

use super::{engines::each_store, samples};
use crate::{
    Error,
    id::ProjectId,
    manifests,
    scan::SnapshotId,
    store::{
        Store,
        projects::{self, FromZenith, Patch},
        scans::{self, Found, Outcome, Scores, Words},
    },
};

async fn project(store: &Store, name: &str) -> ProjectId {
    samples::a_project(store, name).await.id
}

fn outcome(stack: &[&str]) -> Outcome {
    Outcome {
        started_at: crate::store::now(),
        found: Found {
            stack: stack.iter().map(|&name| name.to_owned()).collect(),
            project_type: None,
            languages: Vec::new(),
            manifests: manifests::read(&[]),
            snapshot: SnapshotId::default(),
        },
        words: Words {
            description: "sells things".to_owned(),
            ..Words::default()
        },
        scores: Scores {
            health: Some(70),
            vibe: None,
            eco: Some(0),
        },
        errors: Vec::new(),
        metadata: Map::from_iter([("lines_of_code".to_owned(), Value::from(7))]),
    }
}

#[tokio::test]
async fn a_request_waits_until_a_scan_ends_well_or_badly() {
    each_store(async |store| {
        let [first, second] = [project(store, "a").await, project(store, "b").await];
        scans::request(store, second).await.unwrap();
        scans::request(store, first).await.unwrap();
        assert_eq!(scans::requested(store).await.unwrap(), [second, first]);
        scans::finish(store, second, &outcome(&[])).await.unwrap();
        assert_eq!(scans::requested(store).await.unwrap(), [first]);
        scans::fail(store, first, "it is gone").await.unwrap();
        assert_eq!(scans::requested(store).await.unwrap(), []);
        assert_eq!(scans::scanned(store).await.unwrap(), [second]);
        let failed = scans::find(store, first).await.unwrap().unwrap();
        assert_eq!((failed.failure.as_deref(), failed.found), (Some("it is gone"), None));

        let refused = scans::request(store, ProjectId(99)).await.unwrap_err();
        assert!(matches!(refused, Error::NotFound { .. }), "{refused}");
    })
    .await;
}

#[tokio::test]
async fn what_a_scan_found_is_in_the_row_of_the_project() {
    each_store(async |store| {
        let id = project(store, "a").await;
        let before = projects::project(store, id).await.unwrap();
        let version = projects::version(store).await.unwrap();
        scans::finish(store, id, &outcome(&["python", "redis"])).await.unwrap();
        let after = projects::project(store, id).await.unwrap();
        assert!(scans::is_news(&before, &outcome(&[])).unwrap());
        assert!(!scans::is_news(&after, &outcome(&[])).unwrap());
        assert_eq!(
            (after.health_score, after.vibe_score, after.eco_score),
            (70, before.vibe_score, 0)
        );
        assert_eq!(after.metadata["lines_of_code"], 7);
        let patch = Patch {
            metadata: json!({"owner": "me", "lines_of_code": 1}).as_object().cloned(),
            ..Patch::default()
        };
        let patched = projects::update(store, id, &patch).await.unwrap();
        assert_eq!(
            Value::from(patched.metadata),
            json!({"owner": "me", "lines_of_code": 7})
        );
        assert!(after.last_scanned_at.is_some_and(|at| at <= Utc::now()));
        assert_ne!(projects::version(store).await.unwrap(), version);
        assert_eq!(scans::words(store).await.unwrap()[&id].description, "sells things");

        scans::finish(store, id, &outcome(&["python"])).await.unwrap();
        let stack = Vec::from(projects::project(store, id).await.unwrap().tech_stack);
        assert!(stack.contains(&"python".to_owned()) && !stack.contains(&"redis".to_owned()));
        projects::delete(store, id).await.unwrap();
        assert_eq!(scans::find(store, id).await.unwrap(), None);
        let refused = scans::finish(store, id, &outcome(&[])).await.unwrap_err();
        assert!(matches!(refused, Error::NotFound { .. }), "{refused}");
    })
    .await;
}

#[tokio::test]
async fn projects_that_are_found_again_keep_their_rows() {
    each_store(async |store| {
        let mut found = [samples::new_project("a"), samples::new_project("b")];
        let ids = projects::sync(store, &found).await.unwrap();
        assert_eq!(scans::requested(store).await.unwrap(), ids);
        found[0].zenith_id = Some("zen-1".to_owned());
        projects::retire(store, ids[1]).await.unwrap();
        assert_eq!(projects::sync(store, &found).await.unwrap(), ids);
        let first = projects::project(store, ids[0]).await.unwrap();
        let second = projects::project(store, ids[1]).await.unwrap();
        assert_eq!((first.zenith_id.as_deref(), second.is_active), (Some("zen-1"), true));
        let known = FromZenith {
            id: ids[0],
            zenith_id: "zen-1".to_owned(),
            path: first.path.clone(),
        };
        assert_eq!(projects::active_zenith(store).await.unwrap(), [known]);
        assert_eq!(json!(projects::paths(store, None).await.unwrap().len()), 2);
    })
    .await;
}
