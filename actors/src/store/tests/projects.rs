use serde_json::json;

use super::{
    engines::each_store,
    samples::{ALL, a_deployment, a_project, delete, new_events, new_kinds, new_project, number},
};
use crate::{
    Error,
    id::ProjectId,
    store::{
        Page, deployments,
        projects::{self, Filter, Patch},
    },
};

#[tokio::test]
async fn a_fresh_project_has_the_documented_scores_and_is_announced() {
    each_store(async |store| {
        let new = new_project("MyProject");
        let project = projects::create(store, &new).await.unwrap();

        assert_eq!(
            (project.health_score, project.vibe_score, project.eco_score),
            (0, 75, 80)
        );
        assert!(project.is_active && project.errors.is_empty() && project.metadata.is_empty());
        assert_eq!(project.path, new.path.as_path());
        assert_eq!(project.tech_stack, new.tech_stack);
        assert_eq!(projects::project(store, project.id).await.unwrap(), project);

        let events = new_events(store).await;
        assert_eq!(events.len(), 1);
        assert_eq!(
            (events[0].channel.as_str(), events[0].kind.as_str()),
            ("projects", "project_created")
        );
        assert_eq!(events[0].data, json!({"id": project.id, "name": "MyProject"}));
    })
    .await;
}

#[tokio::test]
async fn a_path_belongs_to_one_project_whatever_the_timing() {
    each_store(async |store| {
        let new = new_project("one");
        let attempts = (0..20).map(|_| projects::create(store, &new));
        let results = futures_util::future::join_all(attempts).await;
        let num_created = results.iter().filter(|result| result.is_ok()).count();
        assert_eq!(num_created, 1);
        for error in results.into_iter().filter_map(Result::err) {
            assert_eq!(error.code(), "PATH_IN_USE");
        }
        assert_eq!(new_kinds(store).await, ["project_created"]);
    })
    .await;
}

#[tokio::test]
async fn an_absent_project_is_named_as_documented() {
    each_store(async |store| {
        let id = ProjectId(99);
        let text = "Project with id 99 not found";
        assert_eq!(projects::project(store, id).await.unwrap_err().to_string(), text);
        assert_eq!(projects::find(store, id).await.unwrap(), None);
        let update = projects::update(store, id, &Patch::default()).await;
        assert_eq!(update.unwrap_err().to_string(), text);
        assert_eq!(projects::delete(store, id).await.unwrap_err().to_string(), text);
        assert!(new_kinds(store).await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_list_is_filtered_counted_and_cut() {
    each_store(async |store| {
        for name in ["a", "b", "c"] {
            a_project(store, name).await;
        }
        let mut other = new_project("d");
        other.project_type = None;
        other.tech_stack = vec!["rust".to_owned()].try_into().unwrap();
        let other = projects::create(store, &other).await.unwrap();
        let paused = Patch {
            is_active: Some(false),
            ..Patch::default()
        };
        projects::update(store, other.id, &paused).await.unwrap();

        let names = async |filter: &Filter| -> Vec<String> {
            let listed = projects::list(store, filter, ALL).await.unwrap();
            assert_eq!(listed.total, listed.rows.len() as u64);
            listed.rows.into_iter().map(|project| project.name.into()).collect()
        };
        let stack = |names: &[&str]| Filter {
            tech_stack: names
                .iter()
                .map(|name| (*name).to_owned())
                .collect::<Vec<_>>()
                .try_into()
                .unwrap(),
            ..Filter::default()
        };
        assert_eq!(names(&Filter::default()).await, ["a", "b", "c", "d"]);
        assert_eq!(names(&stack(&["rust"])).await, ["d"]);
        assert_eq!(names(&stack(&["react", "python"])).await, ["a", "b", "c"]);
        assert_eq!(names(&stack(&["react", "rust"])).await, [""; 0]);
        // An element is compared as a whole, and never read as a pattern or as JSON.
        assert_eq!(names(&stack(&["rea"])).await, [""; 0]);
        assert_eq!(names(&stack(&["%\"'"])).await, [""; 0]);
        let by_name = Filter {
            name: Some("b".to_owned().try_into().unwrap()),
            project_type: Some("web".to_owned().try_into().unwrap()),
            is_active: Some(true),
            ..Filter::default()
        };
        assert_eq!(names(&by_name).await, ["b"]);
        let inactive = Filter {
            is_active: Some(false),
            ..Filter::default()
        };
        assert_eq!(names(&inactive).await, ["d"]);
        assert_eq!(projects::num_active(store).await.unwrap(), 3);

        let page = projects::list(store, &Filter::default(), Page { limit: 2, offset: 1 })
            .await
            .unwrap();
        let ids: Vec<String> = page.rows.into_iter().map(|project| project.name.into()).collect();
        assert_eq!((ids, page.total), (vec!["b".to_owned(), "c".to_owned()], 4));
    })
    .await;
}

#[tokio::test]
async fn a_patch_changes_what_it_names_and_nothing_else() {
    each_store(async |store| {
        let before = a_project(store, "before").await;
        let patch = Patch {
            name: Some("after".to_owned().try_into().unwrap()),
            project_type: Some(None),
            metadata: json!({"owner": "me", "nul": "a\0b"}).as_object().cloned(),
            ..Patch::default()
        };
        let after = projects::update(store, before.id, &patch).await.unwrap();
        assert_eq!(String::from(after.name.clone()), "after");
        assert_eq!(after.project_type, None);
        assert_eq!(after.metadata["nul"], "a\u{fffd}b");
        assert_eq!((&after.tech_stack, &after.path), (&before.tech_stack, &before.path));
        assert!(after.updated_at >= before.updated_at);
        assert_eq!(projects::project(store, before.id).await.unwrap(), after);
        assert_eq!(new_kinds(store).await, ["project_created", "project_updated"]);
    })
    .await;
}

#[tokio::test]
async fn a_project_is_deleted_only_without_live_deployments_and_history_stays() {
    each_store(async |store| {
        let project = a_project(store, "p").await;
        let deployment = a_deployment(store, project.id, "d", 8090).await;
        let refused = projects::delete(store, project.id).await.unwrap_err();
        assert_eq!(refused.code(), "PROJECT_HAS_DEPLOYMENTS");

        delete(store, deployment.id).await;
        projects::delete(store, project.id).await.unwrap();
        assert_eq!(projects::find(store, project.id).await.unwrap(), None);
        let kept = "SELECT count(*) FROM deployments WHERE project_id IS NULL";
        assert_eq!(number(&store.reader, kept).await, 1);
        let kinds = new_kinds(store).await;
        assert_eq!(kinds.last().map(String::as_str), Some("project_deleted"));
    })
    .await;
}

#[tokio::test]
async fn a_project_and_a_deployment_of_it_cannot_pass_each_other() {
    each_store(async |store| {
        for round in 0..20 {
            let project = a_project(store, "p").await;
            let new = super::samples::new_deployment(project.id, &format!("d{round}"), 9000 + round);
            let (deleted, created) =
                tokio::join!(projects::delete(store, project.id), deployments::create(store, &new));
            match (deleted, created) {
                (Ok(()), Err(Error::NotFound { kind: "Project", .. })) => {}
                (Err(Error::Conflict { .. }), Ok(_)) => {}
                other => panic!("both or none happened: {other:?}"),
            }
        }
    })
    .await;
}
