use std::time::Duration;

use chrono::Utc;
use futures_util::future::join_all;

use super::{
    engines::each_store,
    samples::{ALL, a_project, create_task, new_events, new_task},
};
use crate::{
    Error,
    id::{ProjectId, TaskId},
    store::tasks::{self, Filter, NewTask, State},
};

#[tokio::test]
async fn tasks_wait_and_are_listed_newest_first() {
    each_store(async |store| {
        let project = a_project(store, "p").await;
        new_events(store).await;
        let of_the_project = NewTask {
            project_id: Some(project.id),
            ..new_task("agent-zero")
        };
        let first = create_task(store, &of_the_project).await;
        let second = create_task(store, &new_task("llm")).await;
        assert_eq!(
            (first.state, first.attempt, first.run_at),
            (State::Pending, 0, first.created_at)
        );
        assert_eq!(tasks::task(store, first.id).await.unwrap(), first);

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
            states: State::WAITING.to_vec(),
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
        let of_nothing = NewTask {
            project_id: Some(ProjectId(99)),
            ..new_task("llm")
        };
        let absent = tasks::create(store, &of_nothing, 1000).await.unwrap_err();
        assert_eq!(absent.to_string(), "Project with id 99 not found");
        let absent = tasks::task(store, TaskId(99)).await.unwrap_err();
        assert_eq!(absent.to_string(), "Task with id 99 not found");
    })
    .await;
}

#[tokio::test]
async fn a_task_for_later_is_scheduled() {
    each_store(async |store| {
        let new = NewTask {
            run_at: Some(Utc::now() + Duration::from_secs(3600)),
            ..new_task("llm")
        };
        let later = create_task(store, &new).await;
        assert_eq!(later.state, State::Scheduled);
        let new = NewTask {
            run_at: Some(Utc::now() - Duration::from_secs(3600)),
            ..new_task("llm")
        };
        let overdue = create_task(store, &new).await;
        assert_eq!((overdue.state, overdue.run_at), (State::Pending, overdue.created_at));
    })
    .await;
}

#[tokio::test]
async fn a_unique_key_is_for_one_unfinished_task_however_many_ask_at_once() {
    each_store(async |store| {
        let new = NewTask {
            unique_key: Some("nightly".to_owned()),
            ..new_task("llm")
        };
        let created = join_all((0..5).map(|_| tasks::create(store, &new, 1000))).await;
        let created: Vec<_> = created.into_iter().map(Result::unwrap).collect();
        assert_eq!(created.iter().filter(|created| !created.is_duplicate).count(), 1);
        let id = created[0].task.id;
        assert!(created.iter().all(|created| created.task.id == id));

        tasks::cancel(store, id).await.unwrap();
        let next = create_task(store, &new).await;
        let refused = tasks::retry(store, id).await.unwrap_err();
        assert_eq!(refused.code(), "UNIQUE_KEY_IN_USE");
        tasks::cancel(store, next.id).await.unwrap();
        tasks::retry(store, id).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn an_idempotency_key_is_for_one_task_even_when_it_has_ended() {
    each_store(async |store| {
        let new = NewTask {
            idempotency_key: Some("key-1".to_owned()),
            ..new_task("llm")
        };
        let first = create_task(store, &new).await;
        tasks::cancel(store, first.id).await.unwrap();
        let again = tasks::create(store, &new, 1000).await.unwrap();
        assert!(again.is_duplicate);
        assert_eq!(again.task.id, first.id);
        let other = NewTask {
            description: "something else".to_owned(),
            ..new
        };
        let refused = tasks::create(store, &other, 1000).await.unwrap_err();
        assert_eq!(refused.code(), "IDEMPOTENCY_KEY_REUSED");
    })
    .await;
}

#[tokio::test]
async fn a_full_queue_takes_no_more_of_that_agent() {
    each_store(async |store| {
        for _ in 0..2 {
            tasks::create(store, &new_task("llm"), 2).await.unwrap();
        }
        let refused = tasks::create(store, &new_task("llm"), 2).await.unwrap_err();
        assert!(
            matches!(refused, Error::TooManyTasks { max_waiting: 2, .. }),
            "{refused:?}"
        );
        tasks::create(store, &new_task("other"), 2).await.unwrap();
        let loads = tasks::loads(store).await.unwrap();
        assert_eq!((loads["llm"].waiting, loads["llm"].running), (2, 0));
    })
    .await;
}

#[tokio::test]
async fn old_tasks_are_forgotten_with_their_attempts() {
    each_store(async |store| {
        let kept = create_task(store, &new_task("llm")).await;
        let old = create_task(store, &new_task("llm")).await;
        tasks::cancel(store, old.id).await.unwrap();
        let day = Duration::from_secs(86_400);
        assert_eq!(tasks::prune(store, day, day).await.unwrap(), 0);
        assert_eq!(tasks::prune(store, day, Duration::ZERO).await.unwrap(), 1);
        tasks::task(store, kept.id).await.unwrap();
        tasks::task(store, old.id).await.unwrap_err();
    })
    .await;
}
