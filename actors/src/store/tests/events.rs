use std::{collections::BTreeMap, time::Duration};

use futures_util::future::join_all;
use serde_json::json;

use super::{
    engines::each_store,
    samples::{a_deployment, a_project, new_error, new_events, record},
};
use crate::{
    Error,
    deployment::Status,
    id::DeploymentId,
    store::{
        Store,
        deployments::{self, Change},
        error_log::{self, Severity},
        events::{self, Event, NewEvent},
    },
};

const NUM_WRITERS: usize = 8;
const NUM_CHANGES: usize = 20;

/// Longer than any test takes.
const AGES: Duration = Duration::from_secs(3600);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn offsets_are_dense_and_in_commit_order_under_concurrent_writers() {
    each_store(async |store| {
        let project = a_project(store, "p").await;
        let shared = a_deployment(store, project.id, "shared", 8000).await.id;
        let mut own = Vec::new();
        for n in 0..NUM_WRITERS {
            own.push(
                a_deployment(store, project.id, &format!("own-{n}"), 8001 + n as i64)
                    .await
                    .id,
            );
        }
        let mut seen = new_events(store).await;
        let writers = own.iter().enumerate().map(|(n, own)| {
            let (store, own) = (store.clone(), *own);
            tokio::spawn(async move { write(&store, n, own, shared).await })
        });
        let writers = join_all(writers);
        let num_expected = seen.len() + NUM_WRITERS * NUM_CHANGES * 2;
        let (results, rest) = tokio::join!(writers, read(store, num_expected - seen.len()));
        results.into_iter().for_each(|result| result.unwrap());
        seen.extend(rest);

        assert!(new_events(store).await.is_empty());
        check_dense(&seen);
        for id in &own {
            let reasons: Vec<String> = reasons(&seen, *id);
            let written: Vec<String> = (0..NUM_CHANGES).map(|change| change.to_string()).collect();
            assert_eq!(reasons, written);
        }
        check_shared(store, &seen, shared).await;
        let replayed = events::replay(store, "deployments", 0, i64::MAX, 1000).await.unwrap();
        let announced: Vec<Event> = seen
            .into_iter()
            .filter(|event| event.channel == "deployments")
            .collect();
        assert_eq!(replayed, announced);
    })
    .await;
}

async fn write(store: &Store, writer: usize, own: DeploymentId, shared: DeploymentId) {
    for change in 0..NUM_CHANGES {
        for (id, reason) in [(own, change.to_string()), (shared, format!("{writer}/{change}"))] {
            let change = Change {
                reason: Some(reason),
                ..Change::to(Status::Starting)
            };
            record(store, id, &change).await.unwrap();
        }
    }
}

/// Does what the event bus does while others write: in small batches, until everything was seen.
async fn read(store: &Store, num_expected: usize) -> Vec<Event> {
    let mut seen = Vec::new();
    while seen.len() < num_expected {
        seen.extend(events::assign_offsets(store, 7).await.unwrap());
    }
    seen
}

fn check_dense(seen: &[Event]) {
    let mut tops: BTreeMap<String, i64> = BTreeMap::new();
    for event in seen {
        let top = tops.entry(event.channel.clone()).or_default();
        *top += 1;
        assert_eq!(event.channel_offset, *top);
        if let Some(subject) = event.subject {
            let top = tops.entry(format!("{}:{subject}", event.channel)).or_default();
            *top += 1;
            assert_eq!(event.subject_offset, Some(*top));
        }
    }
}

/// Each writer's changes are in its order, and the last event tells how the row was left.
async fn check_shared(store: &Store, seen: &[Event], shared: DeploymentId) {
    let reasons = reasons(seen, shared);
    for writer in 0..NUM_WRITERS {
        let prefix = format!("{writer}/");
        let of_writer: Vec<&str> = reasons
            .iter()
            .filter_map(|reason| reason.strip_prefix(&prefix))
            .collect();
        let written: Vec<String> = (0..NUM_CHANGES).map(|change| change.to_string()).collect();
        assert_eq!(of_writer, written);
    }
    let row = deployments::deployment(store, shared).await.unwrap();
    assert_eq!(reasons.last(), row.reason.as_ref());
}

fn reasons(seen: &[Event], id: DeploymentId) -> Vec<String> {
    let of_subject = seen
        .iter()
        .filter(|event| event.channel == "deployments" && event.subject == Some(id.0));
    of_subject
        .filter_map(|event| event.data["reason"].as_str().map(str::to_owned))
        .collect()
}

#[tokio::test]
async fn buses_that_share_a_database_give_every_event_one_offset() {
    each_store(async |store| {
        append(store, &[Some(1); 200]).await;
        let batches = join_all((0..8).map(|_| events::assign_offsets(store, 30))).await;
        let events = batches.into_iter().flat_map(Result::unwrap);
        let mut offsets: Vec<i64> = events.map(|event| event.channel_offset).collect();
        offsets.sort_unstable();
        assert_eq!(offsets, (1..=200).collect::<Vec<_>>());
    })
    .await;
}

#[tokio::test]
async fn an_event_is_written_with_its_change_or_not_at_all() {
    each_store(async |store| {
        let result: Result<(), Error> = store
            .write(async |transaction| {
                events::append(transaction, an_event(Some(1))).await?;
                Err(Error::Internal("the change failed".to_owned()))
            })
            .await;
        assert!(matches!(result, Err(Error::Internal(_))));
        assert!(new_events(store).await.is_empty());
        assert_eq!(events::tops(store, &["projects"]).await.unwrap()["projects"], 0);
    })
    .await;
}

fn an_event(subject: Option<i64>) -> NewEvent {
    NewEvent {
        channel: events::PROJECTS,
        subject,
        kind: "project_updated",
        data: json!({"text": "a\0b"}),
    }
}

async fn append(store: &Store, subjects: &[Option<i64>]) {
    store
        .write(async |transaction| {
            for subject in subjects {
                events::append(transaction, an_event(*subject)).await?;
            }
            Ok(())
        })
        .await
        .unwrap();
}

#[tokio::test]
async fn a_replay_has_exactly_the_events_between_two_offsets() {
    each_store(async |store| {
        append(store, &[Some(1), None, Some(2), Some(1), Some(1)]).await;
        assert_eq!(events::replay(store, "projects", 0, 9, 9).await.unwrap(), []);
        let all = new_events(store).await;

        let offsets = async |channel: &str, after, up_to, limit| -> Vec<i64> {
            let found = events::replay(store, channel, after, up_to, limit).await.unwrap();
            found.into_iter().map(|event| event.channel_offset).collect()
        };
        assert_eq!(offsets("projects", 0, 9, 9).await, [1, 2, 3, 4, 5]);
        assert_eq!(offsets("projects", 1, 4, 9).await, [2, 3, 4]);
        assert_eq!(offsets("projects", 1, 4, 2).await, [2, 3]);
        assert_eq!(offsets("projects:1", 1, 9, 9).await, [4, 5]);
        assert_eq!(offsets("projects:9", 0, 9, 9).await, [0; 0]);
        assert_eq!(offsets("deployments", 0, 9, 9).await, [0; 0]);
        assert_eq!(
            events::replay(store, "projects:2", 0, 9, 9).await.unwrap(),
            [all[2].clone()]
        );
        assert_eq!(all[0].data, json!({"text": "a\u{fffd}b"}));

        for bad in ["projects:", "projects:x", "projects:1:2", "a\0"] {
            let error = events::replay(store, bad, 0, 9, 9).await.unwrap_err();
            assert_eq!(error.code(), "INVALID_FIELD", "{bad}");
        }
        let tops = events::tops(store, &["projects", "projects:1", "tasks"]).await.unwrap();
        let expected = [("projects", 5), ("projects:1", 3), ("tasks", 0)];
        assert_eq!(tops, expected.map(|(name, top)| (name.to_owned(), top)).into());
        assert_eq!(events::oldest(store, "projects:1").await.unwrap(), Some(1));
        assert_eq!(events::oldest(store, "tasks").await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn pruning_by_number_keeps_the_newest_and_the_offsets() {
    each_store(async |store| {
        append(store, &[Some(1); 10]).await;
        error_log::record(store, &new_error(Severity::Error, "x"))
            .await
            .unwrap();
        new_events(store).await;
        append(store, &[Some(1)]).await;

        assert_eq!(events::prune(store, AGES, 3).await.unwrap(), 7);
        assert_eq!(events::oldest(store, "projects").await.unwrap(), Some(8));
        assert_eq!(events::oldest(store, "projects:1").await.unwrap(), Some(8));
        assert_eq!(events::oldest(store, "errors").await.unwrap(), Some(1));
        let next = new_events(store).await;
        assert_eq!((next[0].channel_offset, next[0].subject_offset), (11, Some(11)));

        assert_eq!(events::prune(store, AGES, 0).await.unwrap(), 5);
        assert_eq!(events::oldest(store, "projects").await.unwrap(), None);
        append(store, &[Some(1)]).await;
        let next = new_events(store).await;
        assert_eq!((next[0].channel_offset, next[0].subject_offset), (12, Some(12)));
    })
    .await;
}

#[tokio::test]
async fn pruning_by_age_takes_what_was_seen_and_leaves_no_hole() {
    each_store(async |store| {
        append(store, &[None; 5]).await;
        new_events(store).await;
        append(store, &[None]).await;
        // The third is from another clock: older than those before it.
        age(store, 3).await;

        assert_eq!(events::prune(store, AGES, 1000).await.unwrap(), 3);
        let left = events::replay(store, "projects", 0, i64::MAX, 1000).await.unwrap();
        assert_eq!(
            left.iter().map(|event| event.channel_offset).collect::<Vec<_>>(),
            [4, 5]
        );
        assert_eq!(new_events(store).await[0].channel_offset, 6);
    })
    .await;
}

/// Makes an event two days old.
async fn age(store: &Store, offset: i64) {
    use sea_orm::{ConnectionTrait, Statement, Value};
    let at = crate::store::now() - chrono::Duration::days(2);
    let values: [Value; 2] = [at.into(), offset.into()];
    let sql = "UPDATE events SET at = $1 WHERE channel_offset = $2";
    let update = Statement::from_sql_and_values(store.writer.get_database_backend(), sql, values);
    assert_eq!(store.writer.execute_raw(update).await.unwrap().rows_affected(), 1);
}

#[tokio::test]
async fn more_events_than_fit_one_batch_are_pruned() {
    each_store(async |store| {
        append(store, &[None; 4100]).await;
        while !new_events(store).await.is_empty() {}
        assert_eq!(events::prune(store, AGES, 50).await.unwrap(), 4050);
        assert_eq!(events::oldest(store, "projects").await.unwrap(), Some(4051));
    })
    .await;
}
