use serde_json::{Value, json};

use super::{
    engines::{each_engine, each_store},
    migrations::step_down,
    samples::{a_deployment, a_project, image, new_error, serve},
};
use crate::{
    Error,
    deployment::{Desired, Status},
    runtime::InstanceRef,
    store::{
        Store,
        deployments::{self, Change, Deployment, Patch},
        error_log::Severity,
        releases::{self, Ending, Release},
    },
    value::Seconds,
};

fn seconds(number: i64) -> Seconds {
    number.try_into().unwrap()
}

fn patient() -> Patch {
    Patch {
        health_timeout_s: Some(seconds(7)),
        ..Patch::default()
    }
}

fn variables(values: Value) -> Patch {
    Patch {
        environment: values.as_object().cloned(),
        ..Patch::default()
    }
}

/// A deployment whose first release serves.
async fn serving(store: &Store) -> Deployment {
    let project = a_project(store, "p").await;
    let row = a_deployment(store, project.id, "app", 8090).await;
    releases::finish(store, row.target_id, &image("sha256:1"))
        .await
        .unwrap();
    let begun = deployments::begin_generation(store, &row, row.target_id).await.unwrap();
    serve(store, &begun).await
}

async fn row(store: &Store, of: &Deployment) -> Deployment {
    deployments::deployment(store, of.id).await.unwrap()
}

fn num_variables(store: &Store, row: &Deployment) -> usize {
    store.unseal(&row.environment).unwrap().iter().count()
}

async fn patched(store: &Store, of: &Deployment, patch: &Patch) -> (Deployment, Option<Release>) {
    deployments::patch(store, of.id, patch).await.unwrap()
}

#[tokio::test]
async fn a_health_check_is_part_of_a_release() {
    each_store(async |store| {
        let before = serving(store).await;
        let (after, release) = patched(store, &before, &patient()).await;
        let release = release.unwrap();
        assert_eq!(release.health_check.timeout_s, seconds(7));
        assert_eq!(release.artifact, Some(image("sha256:1")));
        assert_eq!(
            (after.target_id, after.health_check.timeout_s),
            (release.id, seconds(7))
        );
        let serves = releases::release(store, before.target_id).await.unwrap();
        assert_eq!(serves.health_check, before.health_check);
        assert!(patched(store, &before, &patient()).await.1.is_none());
    })
    .await;
}

#[tokio::test]
async fn a_change_that_failed_or_was_called_off_is_not_there_and_can_be_asked_for_again() {
    each_store(async |store| {
        let before = serving(store).await;
        let patch = variables(json!({"MODE": "new"}));
        for way in ["fails", "is called off"] {
            let (wished, release) = patched(store, &before, &patch).await;
            assert!(wished.environment != before.environment && release.is_some(), "{way}");
            let after = match way {
                "fails" => fail(store, &wished, before.target_id).await,
                _ => deployments::request_cancel(store, before.id).await.unwrap(),
            };
            assert_eq!(
                (&after.environment, after.target_id),
                (&before.environment, before.target_id),
                "{way}"
            );
        }
    })
    .await;
}

/// Records that what is to serve failed, and that an earlier one goes on.
async fn fail(store: &Store, seen: &Deployment, earlier: crate::id::ReleaseId) -> Deployment {
    let change = Change {
        target_id: Some(earlier),
        ..Change::none(seen)
    };
    let failed = (seen.target_id, &Ending::default());
    let entry = new_error(Severity::Error, "exit 1");
    deployments::record_failure(store, seen, &change, &entry, Some(failed))
        .await
        .unwrap()
}

#[tokio::test]
async fn what_never_served_and_failed_can_be_asked_for_again() {
    each_store(async |store| {
        let project = a_project(store, "p").await;
        let seen = a_deployment(store, project.id, "app", 8090).await;
        let change = Change::to(Status::Failed);
        let failed = (seen.target_id, &Ending::default());
        let entry = new_error(Severity::Error, "exit 1");
        deployments::record_failure(store, &seen, &change, &entry, Some(failed))
            .await
            .unwrap();
        let name = Patch {
            name: Some("other".to_owned().try_into().unwrap()),
            ..Patch::default()
        };
        assert!(patched(store, &seen, &name).await.1.is_none());
        let same = variables(json!({"TOKEN": "canary"}));
        let release = patched(store, &seen, &same).await.1.unwrap();
        assert_eq!((release.number, release.status), (2, releases::Status::Building));
    })
    .await;
}

#[tokio::test]
async fn a_rollback_brings_back_what_the_release_was_made_of() {
    each_store(async |store| {
        let before = serving(store).await;
        let (wished, release) = patched(store, &before, &variables(json!({"TOKEN": null}))).await;
        assert_eq!(num_variables(store, &wished), 0);
        deployments::request_rollback(store, before.id, 1).await.unwrap();
        assert_eq!(row(store, &before).await.environment, before.environment);
        deployments::request_rollback(store, before.id, release.unwrap().number)
            .await
            .unwrap();
        assert_eq!(num_variables(store, &row(store, &before).await), 0);
    })
    .await;
}

/// The earlier release is being started again, since it ended while the next one is built.
async fn bringing_back(store: &Store) -> (Deployment, Deployment) {
    let before = serving(store).await;
    deployments::request_release(store, before.id, "redeploy")
        .await
        .unwrap();
    let seen = row(store, &before).await;
    let ended = Change {
        instance: Some(None),
        ..Change::to(Status::Restarting)
    };
    let ended = deployments::record(store, &seen, &ended).await.unwrap();
    let begun = deployments::begin_generation(store, &ended, before.target_id)
        .await
        .unwrap();
    let started = Change {
        candidate: Some(Some(InstanceRef("c0ffee".to_owned()))),
        ..Change::none(&begun)
    };
    (before, deployments::record(store, &begun, &started).await.unwrap())
}

#[tokio::test]
async fn what_is_being_started_again_goes_on_however_often_a_new_one_is_asked_for() {
    each_store(async |store| {
        let (before, starting) = bringing_back(store).await;
        for _ in 0..3 {
            let release = deployments::request_release(store, before.id, "redeploy")
                .await
                .unwrap();
            let after = row(store, &before).await;
            assert_eq!(after.target_id, release.id);
            assert_eq!(
                (after.status, after.generation, &after.candidate),
                (Status::Starting, starting.generation, &starting.candidate)
            );
        }
        let after = deployments::request_cancel(store, before.id).await.unwrap();
        assert_eq!(
            (after.target_id, after.status, after.desired, &after.candidate),
            (
                before.target_id,
                Status::Starting,
                Desired::Running,
                &starting.candidate
            )
        );
    })
    .await;
}

#[tokio::test]
async fn what_was_on_its_way_before_a_stop_is_not_taken_for_what_is_started_after_it() {
    each_store(async |store| {
        let before = serving(store).await;
        deployments::request_release(store, before.id, "redeploy")
            .await
            .unwrap();
        let seen = row(store, &before).await;
        releases::finish(store, seen.target_id, &image("sha256:2"))
            .await
            .unwrap();
        let begun = deployments::begin_generation(store, &seen, seen.target_id)
            .await
            .unwrap();
        let started = Change {
            candidate: Some(Some(InstanceRef("c0ffee".to_owned()))),
            ..Change::none(&begun)
        };
        deployments::record(store, &begun, &started).await.unwrap();
        deployments::set_desired(store, before.id, Desired::Stopped)
            .await
            .unwrap();
        let (after, release) = patched(store, &before, &patient()).await;
        assert_eq!((after.candidate, after.desired), (None, Desired::Stopped));
        deployments::request_restart(store, before.id).await.unwrap();
        let after = row(store, &before).await;
        assert_eq!((after.candidate, after.target_id), (None, release.unwrap().id));
    })
    .await;
}

#[tokio::test]
async fn a_build_that_ends_after_another_release_was_asked_for_is_nobodys() {
    each_store(async |store| {
        let before = serving(store).await;
        let first = deployments::request_release(store, before.id, "redeploy")
            .await
            .unwrap();
        let built = image("sha256:2");
        let (second, late) = tokio::join!(
            deployments::request_release(store, before.id, "redeploy"),
            releases::finish(store, first.id, &built),
        );
        let second = second.unwrap();
        let first = releases::release(store, first.id).await.unwrap();
        match late {
            Ok(_) => assert_eq!(first.status, releases::Status::Ready),
            Err(error) => {
                assert_eq!(error.code(), releases::NOT_BUILDING);
                assert_eq!(first.status, releases::Status::Failed);
            }
        }
        assert_eq!(second.status, releases::Status::Building);
        assert_eq!(row(store, &before).await.target_id, second.id);
        assert!(releases::finish(store, second.id, &image("sha256:3")).await.is_ok());
    })
    .await;
}

#[tokio::test]
async fn a_mask_is_no_value() {
    each_store(async |store| {
        let before = serving(store).await;
        assert!(
            patched(store, &before, &variables(json!({"TOKEN": "***"})))
                .await
                .1
                .is_none()
        );
        let refused = deployments::patch(store, before.id, &variables(json!({"KEY": "***"}))).await;
        assert!(matches!(refused, Err(Error::InvalidField { .. })));
    })
    .await;
}

#[tokio::test]
async fn releases_of_before_are_asked_as_their_deployment_says() {
    each_engine(async |settings| {
        let store = Store::open(settings).await.unwrap();
        let before = serving(&store).await;
        store.close().await.unwrap();
        step_down(settings, 1).await;
        let store = Store::open(settings).await.unwrap();
        let release = releases::release(&store, before.target_id).await.unwrap();
        assert_eq!(release.health_check, before.health_check);
        store.close().await.unwrap();
    })
    .await;
}
