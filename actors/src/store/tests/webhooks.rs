use std::time::Duration;

use super::{
    engines::each_store,
    samples::{ALL, a_project},
};
use crate::{
    id::WebhookId,
    store::{
        Store, events,
        events::Event,
        projects,
        webhooks::{
            self, NewWebhook, Patch, Webhook,
            deliveries::{self, Delivery, Due, NewMessage, Status},
        },
    },
    value::{WebhookSecret, WebhookUrl},
    webhooks::{Attempt, Verdict, Wanted},
};

async fn a_webhook(store: &Store) -> Webhook {
    let new = NewWebhook {
        url: WebhookUrl::try_from("https://example.com/".to_owned()).unwrap(),
        events: Wanted::try_from(vec!["project.*".to_owned()]).unwrap(),
        secret: WebhookSecret::generate(),
        is_active: true,
    };
    webhooks::create(store, &new).await.unwrap()
}

fn message(_: &Webhook, event: &Event) -> Option<NewMessage> {
    (event.channel == events::PROJECTS).then(|| NewMessage {
        message_id: event.id.to_string(),
        event: event.kind.clone(),
        lane: format!("{:?}", event.subject),
        payload: "{}".to_owned(),
    })
}

/// Gives events their offsets and makes messages of them.
async fn spool_all(store: &Store) {
    events::assign_offsets(store, 1000).await.unwrap();
    for id in webhooks::lagging(store).await.unwrap() {
        while webhooks::spool(store, id, message).await.unwrap() {}
    }
    assert!(webhooks::lagging(store).await.unwrap().is_empty());
}

async fn due(store: &Store, id: WebhookId) -> Vec<Due> {
    deliveries::due(store, id, &[], 100).await.unwrap()
}

async fn kept(store: &Store, id: WebhookId) -> Vec<Delivery> {
    deliveries::list(store, id, None, ALL).await.unwrap().rows
}

async fn touch(store: &Store, id: crate::id::ProjectId) {
    let patch = projects::Patch {
        is_active: Some(true),
        ..projects::Patch::default()
    };
    projects::update(store, id, &patch).await.unwrap();
}

fn answered(status: u16) -> Attempt {
    Attempt {
        response_status: Some(status),
        response: Some("a\0b".to_owned()),
        ..Attempt::default()
    }
}

#[tokio::test]
async fn every_event_since_the_webhook_was_made_becomes_one_message() {
    each_store(async |store| {
        a_project(store, "before").await;
        events::assign_offsets(store, 1000).await.unwrap();
        a_project(store, "just before, without an offset").await;
        let webhook = a_webhook(store).await;
        let project = a_project(store, "after").await;
        for _ in 0..150 {
            touch(store, project.id).await;
        }
        spool_all(store).await;
        let first = kept(store, webhook.id).await;
        assert_eq!(first.len(), 151);
        assert_eq!(
            (first[150].event.as_str(), first[0].event.as_str()),
            ("project_created", "project_updated")
        );
        // As after a crash before the cursor was known to be written.
        spool_all(store).await;
        assert_eq!(kept(store, webhook.id).await.len(), 151);
    })
    .await;
}

#[tokio::test]
async fn only_the_first_message_of_a_lane_is_due() {
    each_store(async |store| {
        let webhook = a_webhook(store).await;
        let one = a_project(store, "one").await;
        let two = a_project(store, "two").await;
        touch(store, one.id).await;
        spool_all(store).await;
        assert_eq!(deliveries::webhooks_with_due(store).await.unwrap(), [webhook.id]);
        let first = due(store, webhook.id).await;
        assert_eq!(first.len(), 2, "the creations of {} and {}", one.id, two.id);
        let rest = deliveries::due(store, webhook.id, &[first[0].id], 100).await.unwrap();
        assert_eq!(rest, [first[1].clone()], "what is under way still holds its lane");

        let later = Verdict::Again(Duration::from_secs(3600));
        assert!(
            !webhooks::settle(store, first[0].id, &answered(500), &later)
                .await
                .unwrap()
        );
        assert_eq!(
            due(store, webhook.id).await,
            [first[1].clone()],
            "what waits holds its lane"
        );
        webhooks::settle(store, first[1].id, &answered(204), &Verdict::Delivered)
            .await
            .unwrap();
        assert_eq!(due(store, webhook.id).await, []);
        let failing = webhooks::webhook(store, webhook.id).await.unwrap();
        assert!(failing.last_success_at.is_some() && failing.failing_since.is_none());

        let again = deliveries::redeliver(store, webhook.id, first[0].id).await.unwrap();
        assert_eq!(
            (again.status, again.attempts, again.response.as_deref()),
            (Status::Pending, 0, Some("a\u{fffd}b"))
        );
        assert_eq!(due(store, webhook.id).await, [first[0].clone()]);
        webhooks::settle(store, first[0].id, &answered(200), &Verdict::Delivered)
            .await
            .unwrap();
        assert_eq!(due(store, webhook.id).await.len(), 1, "the lane goes on");
    })
    .await;
}

#[tokio::test]
async fn a_webhook_that_is_gone_is_disabled_with_an_event_and_can_be_made_active_again() {
    each_store(async |store| {
        let webhook = a_webhook(store).await;
        let project = a_project(store, "one").await;
        touch(store, project.id).await;
        spool_all(store).await;
        let first = due(store, webhook.id).await;
        assert!(
            webhooks::settle(store, first[0].id, &answered(410), &Verdict::Gone)
                .await
                .unwrap()
        );
        let disabled = webhooks::webhook(store, webhook.id).await.unwrap();
        assert!(!disabled.is_active && disabled.disabled_reason.is_some());
        assert!(deliveries::webhooks_with_due(store).await.unwrap().is_empty());
        events::assign_offsets(store, 1000).await.unwrap();
        let told = events::replay(store, events::SYSTEM, 0, 10, 10).await.unwrap();
        assert_eq!((told.len(), told[0].kind.as_str()), (1, "webhook_disabled"));
        let refused = deliveries::redeliver(store, webhook.id, first[0].id).await.unwrap_err();
        assert_eq!(refused.code(), "WEBHOOK_INACTIVE");

        touch(store, project.id).await;
        let wake = Patch {
            is_active: Some(true),
            ..Patch::default()
        };
        let woken = webhooks::update(store, webhook.id, &wake).await.unwrap();
        assert!(woken.is_active && woken.disabled_reason.is_none());
        spool_all(store).await;
        assert_eq!(
            kept(store, webhook.id).await.len(),
            2,
            "it is not told of what happened in between"
        );
        assert_eq!(due(store, webhook.id).await.len(), 1, "what waited goes on");
    })
    .await;
}

#[tokio::test]
async fn what_is_done_is_forgotten_and_a_deleted_webhook_takes_everything_with_it() {
    each_store(async |store| {
        let webhook = a_webhook(store).await;
        a_project(store, "one").await;
        a_project(store, "two").await;
        spool_all(store).await;
        let first = due(store, webhook.id).await;
        webhooks::settle(store, first[0].id, &answered(200), &Verdict::Delivered)
            .await
            .unwrap();
        assert_eq!(deliveries::prune(store, Duration::from_secs(3600)).await.unwrap(), 0);
        assert_eq!(deliveries::prune(store, Duration::ZERO).await.unwrap(), 1);
        assert_eq!(kept(store, webhook.id).await.len(), 1, "what waits stays");

        webhooks::delete(store, webhook.id).await.unwrap();
        let late = webhooks::settle(store, first[1].id, &answered(200), &Verdict::Delivered).await;
        assert!(!late.unwrap());
        let code = webhooks::delete(store, webhook.id).await.unwrap_err().code();
        assert_eq!(code, "NOT_FOUND");
        assert!(!webhooks::is_any_active(store).await.unwrap());
    })
    .await;
}
