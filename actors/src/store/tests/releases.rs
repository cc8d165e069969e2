use futures_util::future::join_all;

use super::{
    engines::each_store,
    samples::{ALL, a_deployment, a_project, image, new_error},
};
use crate::{
    deployment::Desired,
    id::{DeploymentId, ReleaseId},
    runtime::{Exit, InstanceRef},
    store::{
        deployments::{self, Change, Patch},
        error_log::Severity,
        releases::{self, Ending, Part, Phase, Status},
    },
};

#[tokio::test]
async fn releases_are_numbered_within_their_deployment() {
    each_store(async |store| {
        let project = a_project(store, "p").await;
        let one = a_deployment(store, project.id, "one", 8090).await.id;
        let two = a_deployment(store, project.id, "two", 8091).await.id;
        let begun = join_all((0..9).map(|_| deployments::request_release(store, one, "redeploy"))).await;
        let mut numbers: Vec<i64> = begun.into_iter().map(|release| release.unwrap().number).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, (2..=10).collect::<Vec<_>>());
        let other = deployments::request_release(store, two, "redeploy").await.unwrap();
        assert_eq!(other.number, 2);

        let listed = releases::list(store, one, None, ALL).await.unwrap();
        assert_eq!((listed.total, listed.rows[0].number), (10, 10));
        let absent = deployments::request_release(store, DeploymentId(99), "redeploy").await;
        assert_eq!(absent.unwrap_err().to_string(), "Deployment with id 99 not found");
    })
    .await;
}

#[tokio::test]
async fn a_release_is_made_of_what_its_deployment_asks_for_and_ends_once() {
    each_store(async |store| {
        let project = a_project(store, "p").await;
        let deployment = a_deployment(store, project.id, "app", 8090).await;
        let first = releases::release(store, deployment.target_id).await.unwrap();
        assert_eq!((first.status, &first.artifact), (Status::Building, &None));
        assert_eq!(
            (&first.environment, &first.memory_limit, first.created_by.as_str()),
            (&deployment.environment, &deployment.memory_limit, "deploy")
        );

        let ready = releases::finish(store, first.id, &image("sha256:1")).await.unwrap();
        assert_eq!(
            (ready.status, &ready.artifact),
            (Status::Ready, &Some(image("sha256:1")))
        );
        let again = releases::finish(store, first.id, &image("sha256:2")).await.unwrap_err();
        assert_eq!(again.code(), "RELEASE_NOT_BUILDING");
        assert_eq!(releases::release(store, first.id).await.unwrap(), ready);
        let absent = releases::finish(store, ReleaseId(99), &image("sha256:1"))
            .await
            .unwrap_err();
        assert_eq!(absent.to_string(), "Release with id 99 not found");
    })
    .await;
}

#[tokio::test]
async fn the_newest_five_are_kept_and_what_serves_in_any_case() {
    each_store(async |store| {
        let project = a_project(store, "p").await;
        let first = a_deployment(store, project.id, "app", 8090).await;
        let serving = Change {
            release_id: Some(first.target_id),
            ..Change::to(crate::deployment::Status::Running)
        };
        releases::finish(store, first.target_id, &image("sha256:1"))
            .await
            .unwrap();
        deployments::record(store, &first, &serving).await.unwrap();
        let mut newest = first.target_id;
        for _ in 2..=8 {
            newest = deployments::request_release(store, first.id, "redeploy")
                .await
                .unwrap()
                .id;
            releases::finish(store, newest, &image("sha256:n")).await.unwrap();
        }
        releases::note_served(store, first.id, newest).await.unwrap();
        let listed = releases::list(store, first.id, Some(Status::Ready), ALL).await.unwrap();
        let kept: Vec<i64> = listed.rows.iter().map(|release| release.number).collect();
        assert_eq!(kept, [8, 7, 6, 5, 4, 1]);
        let needed = releases::needed(store, [first.id]).await.unwrap();
        let mut needed: Vec<i64> = needed.into_iter().map(|built| built.release).collect();
        needed.sort_unstable();
        assert_eq!(needed, [1, 4, 5, 6, 7, 8]);
        let refused = deployments::request_rollback(store, first.id, 2).await.unwrap_err();
        assert_eq!(refused.to_string(), "release 2 cannot serve: it is expired");
    })
    .await;
}

#[tokio::test]
async fn a_release_that_failed_says_why_and_a_restart_brings_another() {
    each_store(async |store| {
        let project = a_project(store, "p").await;
        let seen = a_deployment(store, project.id, "app", 8090).await;
        let change = Change::to(crate::deployment::Status::Failed);
        let entry = new_error(Severity::Error, "exit 1");
        let built = Phase::since(seen.created_at, Part::Build);
        releases::note_build(store, seen.target_id, &built, &["step 1".to_owned()])
            .await
            .unwrap();
        let started = Phase::since(seen.created_at, Part::Start);
        for phase in [&started, &started] {
            releases::note_phase(store, seen.target_id, phase).await.unwrap();
        }
        let ending = Ending {
            reason: "exit 1".to_owned(),
            exit: Some(Exit {
                code: 1,
                is_oom: false,
                at: seen.created_at,
            }),
            last_lines: vec!["the last\0words".to_owned()],
        };
        deployments::record_failure(store, &seen, &change, &entry, Some((seen.target_id, &ending)))
            .await
            .unwrap();
        let failed = releases::release(store, seen.target_id).await.unwrap();
        assert_eq!(
            (failed.status, failed.reason.as_deref()),
            (Status::Failed, Some("exit 1"))
        );
        assert_eq!((failed.exit_code, failed.is_oom), (Some(1), Some(false)));
        assert_eq!(failed.last_lines, ["the last\u{fffd}words"]);
        assert_eq!(
            (failed.phases, failed.build_log),
            (vec![built, started], vec!["step 1".to_owned()])
        );
        deployments::request_restart(store, seen.id).await.unwrap();
        let row = deployments::deployment(store, seen.id).await.unwrap();
        let next = releases::release(store, row.target_id).await.unwrap();
        assert_eq!((next.number, next.status), (2, Status::Building));
    })
    .await;
}

#[tokio::test]
async fn a_change_runs_what_is_built_and_that_is_kept_for_it() {
    each_store(async |store| {
        let project = a_project(store, "p").await;
        let first = a_deployment(store, project.id, "app", 8090).await;
        let other = a_deployment(store, project.id, "other", 8091).await;
        let limited = |limit: &str| Patch {
            memory_limit: Some(Some(limit.to_owned().try_into().unwrap())),
            ..Patch::default()
        };
        let (_, unbuilt) = deployments::patch(store, first.id, &limited("300m")).await.unwrap();
        let unbuilt = unbuilt.unwrap();
        assert_eq!((unbuilt.number, unbuilt.status), (2, Status::Building));
        releases::finish(store, unbuilt.id, &image("sha256:2")).await.unwrap();
        for (number, limit) in [(3, "400m"), (4, "500m")] {
            let (row, changed) = deployments::patch(store, first.id, &limited(limit)).await.unwrap();
            let changed = changed.unwrap();
            assert_eq!(
                (changed.number, changed.status, changed.built_as),
                (number, Status::Ready, Some(2))
            );
            assert_eq!((changed.artifact, row.target_id), (Some(image("sha256:2")), changed.id));
        }
        let needed = releases::needed(store, [first.id]).await.unwrap();
        let needed: Vec<i64> = needed.into_iter().map(|built| built.release).collect();
        assert_eq!(needed, [2]);
        assert_eq!(
            deployments::patch(store, first.id, &limited("500m")).await.unwrap().1,
            None
        );
        let taken = Patch {
            name: Some(other.name),
            ..limited("1g")
        };
        let refused = deployments::patch(store, first.id, &taken).await.unwrap_err();
        assert_eq!(refused.code(), "NAME_IN_USE");
        let row = deployments::deployment(store, first.id).await.unwrap();
        assert_eq!(row.memory_limit.map(String::from).as_deref(), Some("500m"));
    })
    .await;
}

#[tokio::test]
async fn what_is_called_off_is_cancelled_unless_it_served_before() {
    each_store(async |store| {
        let project = a_project(store, "p").await;
        let first = a_deployment(store, project.id, "app", 8090).await;
        releases::finish(store, first.target_id, &image("sha256:1"))
            .await
            .unwrap();
        let serving = Change {
            release_id: Some(first.target_id),
            instance: Some(Some(InstanceRef("one".to_owned()))),
            ..Change::to(crate::deployment::Status::Running)
        };
        let row = deployments::record(store, &first, &serving).await.unwrap();
        releases::note_served(store, row.id, row.target_id).await.unwrap();
        let refused = deployments::request_cancel(store, row.id).await.unwrap_err();
        assert_eq!(refused.code(), "NOTHING_TO_CANCEL");

        let next = deployments::request_release(store, row.id, "redeploy").await.unwrap();
        let row = deployments::request_cancel(store, row.id).await.unwrap();
        assert_eq!((row.target_id, row.desired), (first.target_id, Desired::Running));
        assert_eq!(
            releases::release(store, next.id).await.unwrap().status,
            Status::Cancelled
        );

        deployments::set_desired(store, row.id, Desired::Stopped).await.unwrap();
        let stopped = Change {
            instance: Some(None),
            ..Change::to(crate::deployment::Status::Stopped)
        };
        let row = deployments::deployment(store, row.id).await.unwrap();
        deployments::record(store, &row, &stopped).await.unwrap();
        deployments::request_release(store, row.id, "redeploy").await.unwrap();
        let row = deployments::request_cancel(store, row.id).await.unwrap();
        assert_eq!((row.target_id, row.desired), (first.target_id, Desired::Stopped));
        assert_eq!(
            releases::release(store, row.target_id).await.unwrap().status,
            Status::Ready
        );
    })
    .await;
}
