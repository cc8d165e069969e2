use std::time::Duration;

use sea_orm::ConnectionTrait;

use super::{engines::each_store, samples::ALL};
use crate::store::{
    Store,
    audit::{self, Filter, NewEntry, Outcome},
};

fn stop(actor: &str) -> NewEntry {
    NewEntry {
        actor: actor.to_owned(),
        action: "deployments.stop".to_owned(),
        target: "/api/v1/deployments/7/stop".to_owned(),
        tool: Some("stop_deployment".to_owned()),
        source_address: Some("127.0.0.1".to_owned()),
        request_id: None,
        outcome: Outcome::unknown(),
    }
}

fn done() -> Outcome {
    Outcome {
        result: audit::OK.to_owned(),
        status: Some(200),
    }
}

async fn listed(store: &Store, filter: &Filter) -> Vec<i64> {
    let listed = audit::list(store, filter, ALL).await.unwrap();
    listed.rows.into_iter().map(|entry| entry.id.0).collect()
}

#[tokio::test]
async fn entries_are_begun_ended_and_listed_newest_first() {
    each_store(async |store| {
        let first = audit::record(store, &stop("token:ci")).await.unwrap();
        let second = audit::record(store, &stop("user:ada")).await.unwrap();
        assert_eq!((first.result.as_str(), first.status), (audit::UNKNOWN, None));
        audit::end(store, first.id, &done()).await.unwrap();
        let rows = audit::list(store, &Filter::default(), ALL).await.unwrap().rows;
        assert_eq!(rows[0], second);
        assert_eq!((rows[1].result.as_str(), rows[1].status), ("ok", Some(200)));

        let (first, second) = (first.id.0, second.id.0);
        let text = |text: &str| Some(text.to_owned());
        for (filter, expected) in [
            (
                Filter {
                    actor: text("user:ada"),
                    ..Filter::default()
                },
                vec![second],
            ),
            (
                Filter {
                    action: text("deployments.stop"),
                    ..Filter::default()
                },
                vec![second, first],
            ),
            (
                Filter {
                    result: text("ok"),
                    ..Filter::default()
                },
                vec![first],
            ),
            (
                Filter {
                    since: Some(rows[0].at),
                    ..Filter::default()
                },
                vec![second],
            ),
            (
                Filter {
                    until: Some(rows[0].at),
                    ..Filter::default()
                },
                vec![first],
            ),
            (
                Filter {
                    actor: text("nobody"),
                    ..Filter::default()
                },
                vec![],
            ),
        ] {
            assert_eq!(listed(store, &filter).await, expected, "{filter:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn nothing_else_can_be_changed_or_deleted() {
    each_store(async |store| {
        let open = audit::record(store, &stop("token:ci")).await.unwrap();
        let ended = audit::record(store, &stop("token:ci")).await.unwrap();
        audit::end(store, ended.id, &done()).await.unwrap();
        audit::end(store, ended.id, &Outcome::unknown()).await.unwrap_err();
        for statement in [
            format!("UPDATE audit SET actor = 'nobody' WHERE id = {}", open.id),
            format!("UPDATE audit SET source_address = NULL WHERE id = {}", open.id),
            format!("UPDATE audit SET tool = 'other' WHERE id = {}", ended.id),
            "DELETE FROM audit".to_owned(),
        ] {
            let refused = store.writer.execute_unprepared(&statement).await;
            assert!(
                refused.unwrap_err().to_string().contains("the audit log is"),
                "{statement}"
            );
        }
        audit::prune(store, Duration::ZERO).await.unwrap_err();
        assert_eq!(
            audit::prune(store, Duration::from_secs(31 * 24 * 3600)).await.unwrap(),
            0
        );
        assert_eq!(listed(store, &Filter::default()).await.len(), 2);
    })
    .await;
}

#[tokio::test]
async fn old_entries_are_forgotten() {
    each_store(async |store| {
        let old = "INSERT INTO audit (at, actor, action, target, result) \
                   VALUES ('2020-01-01 00:00:00+00:00', 'local', 'tasks.create', '/api/v1/agent/task', 'ok')";
        store.writer.execute_unprepared(old).await.unwrap();
        audit::record(store, &stop("token:ci")).await.unwrap();
        assert_eq!(
            audit::prune(store, Duration::from_secs(365 * 24 * 3600)).await.unwrap(),
            1
        );
        assert_eq!(listed(store, &Filter::default()).await.len(), 1);
    })
    .await;
}
