use chrono::Duration;
use serde_json::json;

use super::{
    engines::each_store,
    samples::{ALL, a_deployment, a_project, delete, new_error, new_events},
};
use crate::{
    id::{DeploymentId, ProjectId},
    store::{
        Page,
        error_log::{self, Filter, NewEntry, Severity},
        projects,
    },
};

#[tokio::test]
async fn an_entry_carries_its_projects_name_and_outlives_the_project() {
    each_store(async |store| {
        let project = a_project(store, "MyProject").await;
        let deployment = a_deployment(store, project.id, "app", 8090).await.id;
        new_events(store).await;
        let new = NewEntry {
            project_id: Some(project.id),
            deployment_id: Some(deployment),
            stack_trace: Some("line 1\nline 2".to_owned()),
            context: json!({"file": "database.py"}),
            ..new_error(Severity::Critical, "System failure")
        };
        let entry = error_log::record(store, &new).await.unwrap();
        assert_eq!(entry.project_name.as_deref(), Some("MyProject"));
        let listed = error_log::list(store, &Filter::default(), ALL).await.unwrap();
        assert_eq!(listed.rows, std::slice::from_ref(&entry));

        let events = new_events(store).await;
        assert_eq!(
            (events[0].channel.as_str(), events[0].kind.as_str()),
            ("errors", "error_logged")
        );
        let data = json!({"id": entry.id, "severity": "critical", "message": "System failure",
            "project_id": project.id, "deployment_id": deployment, "error_type": "runtime"});
        assert_eq!(events[0].data, data);

        delete(store, deployment).await;
        projects::delete(store, project.id).await.unwrap();
        let listed = error_log::list(store, &Filter::default(), ALL).await.unwrap();
        assert_eq!((listed.rows[0].project_id, &listed.rows[0].project_name), (None, &None));
        assert_eq!(listed.rows[0].deployment_id, Some(deployment));
    })
    .await;
}

#[tokio::test]
async fn an_entry_refers_to_what_exists() {
    each_store(async |store| {
        let mut new = new_error(Severity::Error, "x");
        new.project_id = Some(ProjectId(99));
        let error = error_log::record(store, &new).await.unwrap_err();
        assert_eq!(error.to_string(), "Project with id 99 not found");
        new.project_id = None;
        new.deployment_id = Some(DeploymentId(98));
        let error = error_log::record(store, &new).await.unwrap_err();
        assert_eq!(error.to_string(), "Deployment with id 98 not found");
        assert!(new_events(store).await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn output_of_programs_with_nul_characters_is_kept() {
    each_store(async |store| {
        let new = NewEntry {
            stack_trace: Some("\0".to_owned()),
            context: json!({"a\0": ["b\0", 1, null]}),
            ..new_error(Severity::Error, "a\0b")
        };
        let entry = error_log::record(store, &new).await.unwrap();
        assert_eq!(entry.message, "a\u{fffd}b");
        assert_eq!(entry.context, json!({"a\u{fffd}": ["b\u{fffd}", 1, null]}));
        let filter = Filter {
            error_type: Some("\0".to_owned()),
            ..Filter::default()
        };
        assert_eq!(error_log::list(store, &filter, ALL).await.unwrap().total, 0);
    })
    .await;
}

#[tokio::test]
async fn entries_are_filtered_counted_and_newest_first() {
    each_store(async |store| {
        let project = a_project(store, "p").await;
        let mut entries = Vec::new();
        for (severity, project_id) in [
            (Severity::Warning, None),
            (Severity::Error, Some(project.id)),
            (Severity::Error, None),
        ] {
            let new = NewEntry {
                project_id,
                ..new_error(severity, "x")
            };
            entries.push(error_log::record(store, &new).await.unwrap());
        }
        let [first, second, third] = &entries[..] else {
            panic!("three entries")
        };
        let ids = async |filter: Filter| -> Vec<_> {
            let listed = error_log::list(store, &filter, ALL).await.unwrap();
            assert_eq!(listed.total, listed.rows.len() as u64);
            listed.rows.into_iter().map(|entry| entry.id).collect()
        };
        assert_eq!(ids(Filter::default()).await, [third.id, second.id, first.id]);
        let errors = Filter {
            severity: Some(Severity::Error),
            ..Filter::default()
        };
        assert_eq!(ids(errors).await, [third.id, second.id]);
        let of_project = Filter {
            project_id: Some(project.id),
            ..Filter::default()
        };
        assert_eq!(ids(of_project).await, [second.id]);
        let of_deployment = Filter {
            deployment_id: Some(DeploymentId(1)),
            ..Filter::default()
        };
        assert_eq!(ids(of_deployment).await, []);
        let of_type = Filter {
            error_type: Some("runtime".to_owned()),
            ..Filter::default()
        };
        assert_eq!(ids(of_type).await.len(), 3);
        let early = Filter {
            until: Some(second.occurred_at),
            ..Filter::default()
        };
        assert_eq!(ids(early).await, [first.id]);
        let late = Filter {
            since: Some(second.occurred_at),
            ..Filter::default()
        };
        assert_eq!(ids(late).await, [third.id, second.id]);

        let page = error_log::list(store, &Filter::default(), Page { limit: 1, offset: 1 })
            .await
            .unwrap();
        assert_eq!((page.rows[0].id, page.total), (second.id, 3));
        assert_eq!(error_log::num_since(store, second.occurred_at).await.unwrap(), 2);
        let later = third.occurred_at + Duration::hours(1);
        assert_eq!(error_log::num_since(store, later).await.unwrap(), 0);
    })
    .await;
}
