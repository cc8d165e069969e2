use futures_util::future::join_all;
use sea_orm::ConnectionTrait;
use serde_json::json;

use super::{
    engines::each_store,
    samples::{
        self, ALL, a_deployment, a_project, delete, image, new_deployment, new_events, new_kinds, number, port, record,
        serve, stop,
    },
};
use crate::{
    Error,
    deployment::{Desired, Status},
    id::{DeploymentId, Generation, ProjectId},
    runtime::InstanceRef,
    store::{
        Page, Store,
        deployments::{self, Change, Filter},
        error_log, events, releases,
    },
};

fn to(status: Status, reason: &str) -> Change {
    Change {
        reason: Some(reason.to_owned()),
        ..Change::to(status)
    }
}

fn is_absent<T>(result: Result<T, Error>) -> bool {
    matches!(result, Err(Error::NotFound { kind: "Deployment", .. }))
}

#[tokio::test]
async fn a_fresh_deployment_is_pending_wanted_and_announced() {
    each_store(async |store| {
        let project = a_project(store, "p").await;
        let new = new_deployment(project.id, "app", 8090);
        let deployment = deployments::create(store, &new).await.unwrap();

        assert_eq!(
            (deployment.desired, deployment.status),
            (Desired::Running, Status::Pending)
        );
        assert_eq!((deployment.generation, deployment.restarts), (Generation(0), 0));
        assert_eq!(
            (&deployment.name, deployment.port, deployment.runtime),
            (&new.name, new.port, new.runtime)
        );
        assert_eq!((&deployment.image, &deployment.command), (&new.image, &new.command));
        assert_eq!(
            (
                &deployment.container_port,
                store.unseal(&deployment.environment).unwrap()
            ),
            (&new.container_port, new.environment.clone())
        );
        assert_eq!(
            (&deployment.cpu_limit, &deployment.memory_limit),
            (&new.cpu_limit, &new.memory_limit)
        );
        assert_eq!(
            (&deployment.health_check, &deployment.volumes),
            (&new.health_check, &new.volumes)
        );
        assert_eq!(deployments::deployment(store, deployment.id).await.unwrap(), deployment);

        let events = new_events(store).await;
        let event = events.last().unwrap();
        assert_eq!(
            (event.kind.as_str(), event.subject),
            ("deployment_status", Some(deployment.id.0))
        );
        let data = json!({"id": deployment.id, "status": "pending", "port": 8090, "project_id": project.id,
            "name": "app", "reason": null});
        assert_eq!(event.data, data);
    })
    .await;
}

#[tokio::test]
async fn a_deployment_needs_a_project() {
    each_store(async |store| {
        let new = new_deployment(ProjectId(99), "app", 8090);
        let error = deployments::create(store, &new).await.unwrap_err();
        assert_eq!(error.to_string(), "Project with id 99 not found");
    })
    .await;
}

#[tokio::test]
async fn a_port_and_a_name_are_free_again_once_their_deployment_is_deleted() {
    each_store(async |store| {
        let project = a_project(store, "p").await;
        let first = a_deployment(store, project.id, "app", 8090).await;

        let same_port = deployments::create(store, &new_deployment(project.id, "other", 8090)).await;
        assert_eq!(
            same_port.unwrap_err().to_string(),
            "Port 8090 is already in use by deployment `app`"
        );
        let same_name = deployments::create(store, &new_deployment(project.id, "app", 8091)).await;
        assert_eq!(same_name.unwrap_err().code(), "NAME_IN_USE");

        delete(store, first.id).await;
        let second = a_deployment(store, project.id, "app", 8090).await;
        assert_ne!(first.id, second.id);
        assert_eq!(deployments::wanted(store).await.unwrap(), [second]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_hundred_claims_of_one_port_one_wins() {
    each_store(async |store| {
        let project = a_project(store, "p").await;
        let news: Vec<_> = (0..200)
            .map(|n| new_deployment(project.id, &format!("app-{n}"), 8090))
            .collect();
        let claims = news.into_iter().map(|new| {
            let store = store.clone();
            tokio::spawn(async move { deployments::create(&store, &new).await })
        });
        let results: Vec<_> = join_all(claims).await.into_iter().map(Result::unwrap).collect();

        let winners = deployments::wanted(store).await.unwrap();
        assert_eq!(winners.len(), 1);
        let holder = format!("deployment `{}`", String::from(winners[0].name.clone()));
        let losers: Vec<Error> = results.into_iter().filter_map(Result::err).collect();
        assert_eq!(losers.len(), 199);
        for error in losers {
            assert!(
                matches!(&error, Error::PortInUse { holder: Some(name), .. } if *name == holder),
                "{error:?}"
            );
        }
        assert_eq!(new_kinds(store).await, ["project_created", "deployment_status"]);
    })
    .await;
}

#[tokio::test]
async fn lists_leave_out_what_is_deleted() {
    each_store(async |store| {
        let (one, two) = (a_project(store, "one").await, a_project(store, "two").await);
        let first = a_deployment(store, one.id, "a", 8090).await;
        let second = a_deployment(store, one.id, "b", 8091).await;
        let third = a_deployment(store, two.id, "c", 8092).await;
        let gone = a_deployment(store, two.id, "d", 8093).await;
        record(store, second.id, &Change::to(Status::Running)).await.unwrap();
        record(store, gone.id, &Change::to(Status::Running)).await.unwrap();
        delete(store, gone.id).await;

        let ids = async |filter: Filter| -> Vec<DeploymentId> {
            let listed = deployments::list(store, &filter, ALL).await.unwrap();
            assert_eq!(listed.total, listed.rows.len() as u64);
            listed.rows.iter().map(|deployment| deployment.id).collect()
        };
        assert_eq!(ids(Filter::default()).await, [first.id, second.id, third.id]);
        let running = Filter {
            status: Some(Status::Running),
            ..Filter::default()
        };
        assert_eq!(ids(running).await, [second.id]);
        let of_two = Filter {
            project_id: Some(two.id),
            ..Filter::default()
        };
        assert_eq!(ids(of_two).await, [third.id]);
        let named = Filter {
            name: Some("a".to_owned().try_into().unwrap()),
            ..Filter::default()
        };
        assert_eq!(ids(named).await, [first.id]);
        let on_port = Filter {
            port: Some(port(8092)),
            ..Filter::default()
        };
        assert_eq!(ids(on_port).await, [third.id]);
        let page = deployments::list(store, &Filter::default(), Page { limit: 1, offset: 2 })
            .await
            .unwrap();
        assert_eq!((page.rows[0].id, page.total), (third.id, 3));

        let of_one = deployments::of_project(store, one.id).await.unwrap();
        assert_eq!(
            of_one.iter().map(|deployment| deployment.id).collect::<Vec<_>>(),
            [first.id, second.id]
        );
        assert_eq!(deployments::num_running(store).await.unwrap(), 1);
    })
    .await;
}

#[tokio::test]
async fn only_a_new_status_or_reason_is_announced() {
    each_store(async |store| {
        let project = a_project(store, "p").await;
        let id = a_deployment(store, project.id, "app", 8090).await.id;
        new_events(store).await;

        let started_at = project.created_at;
        let change = Change {
            instance: Some(Some(InstanceRef("c0ffee".to_owned()))),
            started_at: Some(started_at),
            restarts: Some(3),
            ..to(Status::Starting, "release 1\0")
        };
        let starting = record(store, id, &change).await.unwrap();
        assert_eq!(starting.reason.as_deref(), Some("release 1\u{fffd}"));
        assert_eq!(starting.instance, Some(InstanceRef("c0ffee".to_owned())));
        assert_eq!(starting.started_at, Some(started_at));
        assert_eq!(starting.restarts, 3);

        let again = record(store, id, &to(Status::Starting, "release 1\0")).await.unwrap();
        assert!(again.observed_at > starting.observed_at);
        assert_eq!(again.updated_at, starting.updated_at);
        assert_eq!((again.instance, again.restarts), (starting.instance, 3));
        record(store, id, &to(Status::Starting, "still")).await.unwrap();
        let ended = Change {
            instance: Some(None),
            ..Change::to(Status::Failed)
        };
        let failed = record(store, id, &ended).await.unwrap();
        assert_eq!((failed.reason, failed.instance), (None, None));

        let told: Vec<_> = new_events(store)
            .await
            .into_iter()
            .map(|event| event.data["reason"].clone())
            .collect();
        assert_eq!(told, [json!("release 1\u{fffd}"), json!("still"), json!(null)]);
    })
    .await;
}

#[tokio::test]
async fn what_is_wanted_is_kept_apart_from_what_is() {
    each_store(async |store| {
        let project = a_project(store, "p").await;
        let id = a_deployment(store, project.id, "app", 8090).await.id;
        new_events(store).await;

        let silent = deployments::set_desired(store, id, Desired::Stopped).await.unwrap();
        assert_eq!((silent.desired, silent.status), (Desired::Stopped, Status::Pending));
        assert!(new_events(store).await.is_empty());

        let told = record(store, id, &to(Status::Stopping, "asked to stop")).await.unwrap();
        assert_eq!((told.desired, told.status), (Desired::Stopped, Status::Stopping));
        let observed = record(store, id, &Change::to(Status::Stopped)).await.unwrap();
        assert_eq!((observed.desired, observed.status), (Desired::Stopped, Status::Stopped));
        assert_eq!(new_kinds(store).await, ["deployment_status", "deployment_status"]);
    })
    .await;
}

#[tokio::test]
async fn a_generation_is_given_once() {
    each_store(async |store| {
        let project = a_project(store, "p").await;
        let id = a_deployment(store, project.id, "app", 8090).await.id;
        let seen = deployments::deployment(store, id).await.unwrap();
        let given = join_all((0..20).map(|_| deployments::begin_generation(store, &seen, seen.target_id))).await;
        assert_eq!(given.into_iter().filter(Result::is_ok).count(), 1);
        let row = deployments::deployment(store, id).await.unwrap();
        assert_eq!((row.generation, row.status), (Generation(1), Status::Starting));
        assert_eq!((row.release_id, row.instance, row.candidate), (None, None, None));
    })
    .await;
}

#[tokio::test]
async fn a_restart_replaces_what_runs_and_leaves_what_is_coming_up() {
    each_store(async |store| {
        let project = a_project(store, "p").await;
        let id = a_deployment(store, project.id, "app", 8090).await.id;
        deployments::request_restart(store, id).await.unwrap();
        let coming_up = deployments::deployment(store, id).await.unwrap();
        assert_eq!(
            (coming_up.desired, coming_up.status),
            (Desired::Running, Status::Pending)
        );

        stop(store, id).await;
        let replaced = deployments::request_restart(store, id).await.unwrap();
        assert_eq!(replaced, Generation(0));
        let asked = deployments::deployment(store, id).await.unwrap();
        assert_eq!((asked.desired, asked.status), (Desired::Running, Status::Restarting));
        assert_eq!(asked.reason.as_deref(), Some("restart requested"));

        let starting = deployments::begin_generation(store, &asked, asked.target_id)
            .await
            .unwrap();
        assert_eq!(deployments::request_restart(store, id).await.unwrap(), Generation(1));

        let serving = serve(store, &starting).await;
        assert!(!serving.is_rolling_out());
        for _ in 0..2 {
            assert_eq!(deployments::request_restart(store, id).await.unwrap(), Generation(2));
            let asked = deployments::deployment(store, id).await.unwrap();
            assert_eq!((asked.status, asked.is_replacing), (Status::Running, true));
            assert!(asked.is_rolling_out() && asked.generation == Generation(3));
        }
    })
    .await;
}

#[tokio::test]
async fn a_new_release_is_aimed_at_and_an_old_one_can_be_again() {
    each_store(async |store| {
        let project = a_project(store, "p").await;
        let first = a_deployment(store, project.id, "app", 8090).await;
        releases::finish(store, first.target_id, &image("sha256:1"))
            .await
            .unwrap();
        let serving = serve(
            store,
            &deployments::begin_generation(store, &first, first.target_id)
                .await
                .unwrap(),
        )
        .await;

        let second = deployments::request_release(store, first.id, "redeploy").await.unwrap();
        assert_eq!((second.number, second.created_by.as_str()), (2, "redeploy"));
        let row = deployments::deployment(store, first.id).await.unwrap();
        assert_eq!((row.release_id, row.target_id), (Some(first.target_id), second.id));
        assert!(row.is_rolling_out() && row.generation > serving.generation);
        assert_eq!((row.status, row.instance), (Status::Running, serving.instance));

        let early = deployments::request_rollback(store, first.id, 2).await.unwrap_err();
        assert_eq!(early.code(), "RELEASE_NOT_READY");
        let absent = deployments::request_rollback(store, first.id, 3).await.unwrap_err();
        assert_eq!(absent.to_string(), "Release with id 3 not found");
        let back = deployments::request_rollback(store, first.id, 1).await.unwrap();
        assert_eq!(back.id, first.target_id);
        let row = deployments::deployment(store, first.id).await.unwrap();
        assert!(!row.is_rolling_out());
    })
    .await;
}

#[tokio::test]
async fn a_failure_that_was_seen_on_an_older_row_is_not_recorded() {
    each_store(async |store| {
        let project = a_project(store, "p").await;
        let id = a_deployment(store, project.id, "app", 8090).await.id;
        let entry = samples::new_error(error_log::Severity::Error, "exited with code 1");
        let change = Change::to(Status::Restarting);
        let seen = deployments::deployment(store, id).await.unwrap();
        let row = deployments::record_failure(store, &seen, &change, &entry, None)
            .await
            .unwrap();
        assert_eq!(row.status, Status::Restarting);
        assert!(
            deployments::record_failure(store, &seen, &change, &entry, None)
                .await
                .is_err()
        );
        assert_eq!(error_log::list(store, &Default::default(), ALL).await.unwrap().total, 1);
    })
    .await;
}

#[tokio::test]
async fn what_is_deleted_is_never_found_or_written_again() {
    each_store(async |store| {
        let project = a_project(store, "p").await;
        let id = a_deployment(store, project.id, "app", 8090).await.id;
        let deleted = delete(store, id).await;
        assert!(deleted.deleted_at.is_some());
        assert_eq!(
            new_kinds(store).await.last().map(String::as_str),
            Some("deployment_deleted")
        );

        assert!(is_absent(deployments::deployment(store, id).await));
        assert!(is_absent(record(store, id, &Change::to(Status::Running)).await));
        assert!(is_absent(deployments::set_desired(store, id, Desired::Running).await));
        assert!(is_absent(deployments::request_release(store, id, "redeploy").await));
        assert!(is_absent(deployments::request_rollback(store, id, 1).await));
        assert!(is_absent(deployments::mark_deleted(store, id).await));
        let untouched = "SELECT count(*) FROM deployments WHERE status = 'stopped' AND desired = 'stopped' \
                         AND generation = 0";
        assert_eq!(number(&store.reader, untouched).await, 1);
        assert!(new_events(store).await.is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_that_waited_for_the_deletion_is_refused() {
    each_store(async |store| {
        let project = a_project(store, "p").await;
        let id = a_deployment(store, project.id, "app", 8090).await.id;
        let writers = (0..40).map(|n| {
            let store = store.clone();
            tokio::spawn(async move { race(&store, id, n).await })
        });
        for writer in join_all(writers).await {
            writer.unwrap();
        }
        let events = new_events(store).await;
        assert_eq!(
            events.last().map(|event| event.kind.as_str()),
            Some("deployment_deleted")
        );
        let top = events::tops(store, &["deployments"]).await.unwrap()["deployments"];
        assert_eq!(top, events.last().unwrap().channel_offset);
    })
    .await;
}

/// Stops and deletes, until nobody comes in between.
async fn stop_and_delete(store: &Store, id: DeploymentId) {
    loop {
        stop(store, id).await;
        match deployments::mark_deleted(store, id).await {
            Ok(_) => return,
            Err(error) => assert_eq!(error.code(), "DEPLOYMENT_NOT_STOPPED"),
        }
    }
}

/// One of them deletes, the others write before or never.
async fn race(store: &Store, id: DeploymentId, n: usize) {
    if n == 20 {
        return stop_and_delete(store, id).await;
    }
    let result = record(store, id, &to(Status::Starting, &n.to_string())).await;
    assert!(result.is_ok() || is_absent(result));
}

#[tokio::test]
async fn a_live_deployment_cannot_lose_its_project() {
    each_store(async |store| {
        let project = a_project(store, "p").await;
        let id = a_deployment(store, project.id, "app", 8090).await.id;
        let around_us = format!("DELETE FROM projects WHERE id = {}", project.id);
        store.writer.execute_unprepared(&around_us).await.unwrap_err();
        assert_eq!(deployments::deployment(store, id).await.unwrap().project_id, project.id);
    })
    .await;
}
