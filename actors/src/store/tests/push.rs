use super::{
    engines::each_store,
    samples::{a_project, image, new_deployment},
};
use crate::{
    deployment::Desired,
    id::DeploymentId,
    push::HookRequest,
    runtime::Kind,
    store::{
        Store,
        deployments::{self, Deployment, NewDeployment},
        projects::Project,
        push::{self, Asked, Fulfilment, Hook, Push},
        releases,
    },
    value::GitRef,
};

fn git_ref(name: &str) -> GitRef {
    GitRef::try_from(name.to_owned()).unwrap()
}

fn commit(digit: char) -> GitRef {
    git_ref(&digit.to_string().repeat(40))
}

/// A push of the commit with this digit, told in a delivery of its own.
fn pushed(digit: char) -> Push {
    Push {
        delivery: format!("delivery {digit}"),
        body_digest: format!("digest {digit}"),
        branch: git_ref("main"),
        commit: commit(digit),
    }
}

/// A deployment that can be built from a commit.
async fn a_built_one(store: &Store, project: &Project, name: &str, port: i64) -> Deployment {
    let new = NewDeployment {
        runtime: Kind::Docker,
        image: None,
        ..new_deployment(project.id, name, port)
    };
    deployments::create(store, &new).await.unwrap()
}

async fn a_hook(store: &Store, project: &Project) -> Hook {
    push::set(store, project.id, HookRequest::default()).await.unwrap().0
}

async fn finish_build(store: &Store, id: DeploymentId) {
    let row = deployments::deployment(store, id).await.unwrap();
    releases::finish(store, row.target_id, &image("sha256:1"))
        .await
        .unwrap();
}

#[tokio::test]
async fn of_the_pushes_during_a_build_the_newest_is_built_after_it() {
    each_store(async |store| {
        let project = a_project(store, "p").await;
        let hook = a_hook(store, &project).await;
        let id = a_built_one(store, &project, "app", 8090).await.id;
        let receive = async |push: Push| push::receive(store, project.id, &hook, &push).await.unwrap();
        for digit in ['a', 'b', 'c'] {
            assert_eq!(receive(pushed(digit)).await, Asked::Of(vec![id]));
            assert_eq!(push::fulfil(store, id).await.unwrap(), Fulfilment::Waits);
        }
        assert_eq!(push::wished(store).await.unwrap(), [id]);
        finish_build(store, id).await;
        assert_eq!(push::fulfil(store, id).await.unwrap(), Fulfilment::Begun(2));
        assert_eq!(push::fulfil(store, id).await.unwrap(), Fulfilment::Dropped);
        let row = deployments::deployment(store, id).await.unwrap();
        let release = releases::release(store, row.target_id).await.unwrap();
        assert_eq!(
            (row.source_ref, release.source_ref),
            (Some(git_ref("main")), Some(commit('c')))
        );
        assert_eq!(release.created_by, "push");
    })
    .await;
}

#[tokio::test]
async fn a_push_that_was_seen_or_is_deployed_asks_for_nothing() {
    each_store(async |store| {
        let project = a_project(store, "p").await;
        let hook = a_hook(store, &project).await;
        let id = a_built_one(store, &project, "app", 8090).await.id;
        let receive = async |push: Push| push::receive(store, project.id, &hook, &push).await.unwrap();
        finish_build(store, id).await;
        assert_eq!(receive(pushed('a')).await, Asked::Of(vec![id]));
        let same_id = Push {
            delivery: pushed('a').delivery,
            ..pushed('b')
        };
        let same_content = Push {
            body_digest: pushed('a').body_digest,
            ..pushed('c')
        };
        for seen in [pushed('a'), same_id, same_content] {
            assert_eq!(receive(seen).await, Asked::SeenBefore);
        }
        assert_eq!(push::fulfil(store, id).await.unwrap(), Fulfilment::Begun(2));
        let same_commit = Push {
            commit: commit('a'),
            ..pushed('d')
        };
        assert_eq!(receive(same_commit).await, Asked::Of(Vec::new()));
        assert!(push::wished(store).await.unwrap().is_empty());
    })
    .await;
}

#[tokio::test]
async fn only_what_is_built_and_is_to_run_gets_a_push() {
    each_store(async |store| {
        let project = a_project(store, "p").await;
        let hook = a_hook(store, &project).await;
        let (one, other) = (
            a_built_one(store, &project, "one", 8090).await.id,
            a_built_one(store, &project, "other", 8091).await.id,
        );
        let stopped = a_built_one(store, &project, "stopped", 8092).await.id;
        deployments::set_desired(store, stopped, Desired::Stopped)
            .await
            .unwrap();
        deployments::create(store, &new_deployment(project.id, "image", 8093))
            .await
            .unwrap();
        let receive = async |hook: &Hook, digit| push::receive(store, project.id, hook, &pushed(digit)).await.unwrap();
        assert_eq!(receive(&hook, 'a').await, Asked::Of(vec![one, other]));
        let named = Hook {
            deployments: Some(vec![other, stopped]),
            ..hook
        };
        assert_eq!(receive(&named, 'b').await, Asked::Of(vec![other]));

        // One that is stopped meanwhile has no wish any more.
        finish_build(store, one).await;
        deployments::set_desired(store, one, Desired::Stopped).await.unwrap();
        assert_eq!(push::fulfil(store, one).await.unwrap(), Fulfilment::Dropped);
        assert_eq!(push::wished(store).await.unwrap(), [other]);
    })
    .await;
}

#[tokio::test]
async fn a_hook_keeps_its_secret_until_it_gets_another_one() {
    each_store(async |store| {
        let project = a_project(store, "p").await;
        let (_, made) = push::set(store, project.id, HookRequest::default()).await.unwrap();
        let made = made.unwrap();
        let secret = async || push::find(store, project.id).await.unwrap().unwrap().1;
        let branch = HookRequest {
            branch: Some(git_ref("release")),
            ..HookRequest::default()
        };
        let (hook, shown) = push::set(store, project.id, branch).await.unwrap();
        assert_eq!((hook.branch, shown), (Some(git_ref("release")), None));
        assert_eq!(secret().await, made);
        let other = HookRequest {
            secret: Some("another-secret-of-16".to_owned().try_into().unwrap()),
            ..HookRequest::default()
        };
        assert_eq!(push::set(store, project.id, other.clone()).await.unwrap().1, None);
        assert_eq!(Some(secret().await), other.secret);
        assert!(push::remove(store, project.id).await.unwrap());
        assert!(!push::remove(store, project.id).await.unwrap());
    })
    .await;
}
