//! Webhooks.

use borgos_actors::store::webhooks::Delivery;
use serde_json::json;

use super::{headers::LOCATION, operation::Operation, parameter::Parameter};
use crate::routes::{
    outcome::Told,
    webhooks::{Create, STATUSES, Update, WebhookBody},
};

pub(super) fn operations() -> Vec<Operation> {
    let mut all = rows();
    all.extend(deliveries());
    all
}

fn rows() -> Vec<Operation> {
    vec![
        Operation::new("webhooks.list", "Lists webhooks")
            .lists::<WebhookBody>("The webhooks, in the order in which they were made."),
        Operation::new("webhooks.create", "Has an address told of events")
            .describe(
                "Messages follow Standard Webhooks. Addresses inside this network are refused, unless they are \
                configured.",
            )
            .body::<Create>(json!({
                "url": "https://your-app.com/webhook", "events": ["deployment.failed", "error.critical"],
                "secret": "your-webhook-secret",
            }))
            .answers::<WebhookBody>(201, "It was made. A secret that was made for it is shown this once.")
            .with(&LOCATION)
            .leads_to(
                "/id",
                &[
                    "webhooks.show",
                    "webhooks.update",
                    "webhooks.delete",
                    "webhooks.test",
                    "webhooks.deliveries",
                ],
            )
            .refuses(409, &["TOO_MANY_WEBHOOKS"]),
        Operation::new("webhooks.show", "Shows one webhook").answers::<WebhookBody>(200, "The webhook."),
        Operation::new("webhooks.update", "Changes a webhook")
            .describe("What is left out stays. One that is active again is told of what happens from then on.")
            .body::<Update>(json!({"events": ["deployment.*"], "active": true}))
            .answers::<WebhookBody>(200, "The webhook as it is now."),
        Operation::new("webhooks.delete", "Deletes a webhook")
            .describe("What was or is to be delivered is forgotten.")
            .answers::<Told>(200, "It is deleted.")
            .example(json!({"message": "Webhook 1 deleted"})),
    ]
}

fn deliveries() -> Vec<Operation> {
    vec![
        Operation::new("webhooks.test", "Sends a test to a webhook, active or not")
            .answers::<Delivery>(200, "What came of it."),
        Operation::new(
            "webhooks.deliveries",
            "Lists what was or is to be delivered to a webhook",
        )
        .takes([Parameter::choice(
            "status",
            "What is or was to be done about them.",
            &STATUSES,
        )])
        .lists::<Delivery>("The messages, newest first."),
        Operation::new("webhooks.redeliver", "Has a message sent again, with its old id")
            .answers::<Delivery>(202, "It will be sent.")
            .refuses(409, &["WEBHOOK_INACTIVE"]),
    ]
}
