use futures_util::future::join_all;

use super::{
    engines::each_store,
    samples::{ALL, a_deployment, a_project, new_release},
};
use crate::{
    id::{DeploymentId, ReleaseId},
    runtime::Artifact,
    store::releases::{self, Status},
};

fn image(id: &str) -> Artifact {
    Artifact::Image {
        id: id.to_owned(),
        exposed_port: Some(3000),
    }
}

#[tokio::test]
async fn releases_are_numbered_within_their_deployment() {
    each_store(async |store| {
        let project = a_project(store, "p").await;
        let one = a_deployment(store, project.id, "one", 8090).await.id;
        let two = a_deployment(store, project.id, "two", 8091).await.id;
        let new = new_release();
        let begun = join_all((0..10).map(|_| releases::begin(store, one, &new))).await;
        let mut numbers: Vec<i64> = begun.into_iter().map(|release| release.unwrap().number).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, (1..=10).collect::<Vec<_>>());
        assert_eq!(releases::begin(store, two, &new).await.unwrap().number, 1);

        let listed = releases::list(store, one, ALL).await.unwrap();
        assert_eq!((listed.total, listed.rows[0].number), (10, 10));
        let absent = releases::begin(store, DeploymentId(99), &new).await.unwrap_err();
        assert_eq!(absent.to_string(), "Deployment with id 99 not found");
    })
    .await;
}

#[tokio::test]
async fn a_release_ends_once() {
    each_store(async |store| {
        let project = a_project(store, "p").await;
        let deployment = a_deployment(store, project.id, "app", 8090).await.id;
        let new = new_release();
        let first = releases::begin(store, deployment, &new).await.unwrap();
        assert_eq!((first.status, &first.artifact), (Status::Building, &None));
        assert_eq!(
            (&first.environment, &first.memory_limit),
            (&new.environment, &new.memory_limit)
        );
        assert_eq!(
            releases::newest(store, deployment).await.unwrap().as_ref(),
            Some(&first)
        );

        let ready = releases::finish(store, first.id, Ok(&image("sha256:1"))).await.unwrap();
        assert_eq!(
            (ready.status, &ready.artifact),
            (Status::Ready, &Some(image("sha256:1")))
        );
        let again = releases::finish(store, first.id, Err("too late")).await.unwrap_err();
        assert_eq!(again.code(), "RELEASE_NOT_BUILDING");
        assert_eq!(releases::release(store, first.id).await.unwrap(), ready);
    })
    .await;
}

#[tokio::test]
async fn the_newest_release_may_be_one_that_failed() {
    each_store(async |store| {
        let project = a_project(store, "p").await;
        let deployment = a_deployment(store, project.id, "app", 8090).await.id;
        let new = new_release();
        for id in ["sha256:1", "sha256:2"] {
            let release = releases::begin(store, deployment, &new).await.unwrap();
            releases::finish(store, release.id, Ok(&image(id))).await.unwrap();
        }
        let last = releases::begin(store, deployment, &new).await.unwrap();
        let failed = releases::finish(store, last.id, Err("exit 1")).await.unwrap();
        assert_eq!(
            (failed.status, failed.reason.as_deref()),
            (Status::Failed, Some("exit 1"))
        );
        assert_eq!(releases::newest(store, deployment).await.unwrap(), Some(failed));
        let absent = releases::finish(store, ReleaseId(99), Err("")).await.unwrap_err();
        assert_eq!(absent.to_string(), "Release with id 99 not found");
    })
    .await;
}
