use serde_json::json;

use super::{
    engines::each_store,
    samples::{ALL, a_project, new_events},
};
use crate::{
    id::ProjectId,
    store::{
        audit,
        tasks::{self, Filter, NewTask, State},
    },
};

fn new_task(agent_type: &str, project_id: Option<ProjectId>) -> NewTask {
    NewTask {
        project_id,
        agent_type: agent_type.to_owned(),
        task_type: "automation".to_owned(),
        description: "watch the logs".to_owned(),
        priority: 1,
        input_data: json!({"log_paths": ["/var/log/app.log"]}),
        max_attempts: 3,
    }
}

#[tokio::test]
async fn tasks_wait_and_are_listed_newest_first() {
    each_store(async |store| {
        let project = a_project(store, "p").await;
        new_events(store).await;
        let first = tasks::create(store, &new_task("agent-zero", Some(project.id)))
            .await
            .unwrap();
        let second = tasks::create(store, &new_task("llm", None)).await.unwrap();
        assert_eq!(
            (first.state, first.attempt, first.run_at),
            (State::Pending, 0, first.created_at)
        );

        let list = async |filter: Filter| tasks::list(store, &filter, ALL).await.unwrap().rows;
        assert_eq!(list(Filter::default()).await, [second.clone(), first.clone()]);
        let of_agent = Filter {
            agent_type: Some("llm".to_owned()),
            ..Filter::default()
        };
        assert_eq!(list(of_agent).await, [second]);
        let of_project = Filter {
            project_id: Some(project.id),
            ..Filter::default()
        };
        assert_eq!(list(of_project).await, std::slice::from_ref(&first));
        let waiting = Filter {
            states: vec![State::Pending, State::Running],
            ..Filter::default()
        };
        assert_eq!(list(waiting).await.len(), 2);
        let done = Filter {
            states: vec![State::Completed],
            ..Filter::default()
        };
        assert_eq!(list(done).await, []);

        let events = new_events(store).await;
        assert_eq!(
            (events[0].kind.as_str(), events[0].subject),
            ("task_created", Some(first.id.0))
        );
        let absent = tasks::create(store, &new_task("llm", Some(ProjectId(99))))
            .await
            .unwrap_err();
        assert_eq!(absent.to_string(), "Project with id 99 not found");
    })
    .await;
}

#[tokio::test]
async fn audit_entries_are_listed_newest_first() {
    each_store(async |store| {
        let new = audit::NewEntry {
            actor: "token:ci".to_owned(),
            action: "deployment.stop".to_owned(),
            target: "deployment/7".to_owned(),
            source_address: Some("127.0.0.1".to_owned()),
            request_id: None,
            result: "ok".to_owned(),
        };
        let first = audit::record(store, &new).await.unwrap();
        let second = audit::record(store, &new).await.unwrap();
        assert_eq!(first.target, "deployment/7");
        let listed = audit::list(store, ALL).await.unwrap();
        assert_eq!((listed.rows, listed.total), (vec![second, first], 2));
    })
    .await;
}
