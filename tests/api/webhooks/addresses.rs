//! Where messages do not go.

use serde_json::{Value, json};

use super::{setup, tell};
use crate::support::{Answer, Reply, Runtime, Setup, Target, World};

async fn create(world: &World, url: &str) -> Answer {
    world
        .post("/api/v1/webhooks", &json!({"url": url, "events": ["*"]}))
        .await
}

async fn test(world: &World, id: &Value) -> Value {
    world
        .post_nothing(&format!("/api/v1/webhooks/{id}/test"))
        .await
        .expect(200)
}

#[tokio::test]
async fn nothing_is_sent_into_this_machine_or_its_network() {
    let world = Setup::new(Runtime::Process).start().await;
    let target = Target::willing().await;
    let own = target.url();
    for url in [
        own.as_str(),
        "http://127.1/",
        "http://2130706433/",
        "http://0x7f.1/",
        "http://0177.0.0.1/",
        "http://0.0.0.0:8081/",
        "http://10.0.0.1/",
        "http://172.16.0.1/",
        "http://192.168.0.1/",
        "http://100.64.0.1/",
        "http://169.254.169.254/latest/meta-data/",
        "http://224.0.0.1/",
        "http://[::1]/",
        "http://[::]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[::ffff:7f00:1]/",
        "http://[64:ff9b::7f00:1]/",
        "http://[fd00:ec2::254]/",
        "http://[fe80::1]/",
    ] {
        let refused = create(&world, url).await.expect(400);
        let message = refused["message"].as_str().unwrap();
        assert!(
            message.starts_with("`url`") && message.contains("--webhook-allow"),
            "{url}: {message}"
        );
    }
    assert_eq!(world.num_rows().await, 0);
    // A name shows what is behind it only when it is resolved.
    let created = create(&world, &target.url_by_name()).await.expect(201);
    let tested = test(&world, &created["id"]).await;
    let error = tested["error"].as_str().unwrap();
    assert!(
        tested["status"] == "failed" && error.contains("--webhook-allow"),
        "{tested}"
    );
    let moved = json!({"url": own});
    world.patch("/api/v1/webhooks/1", &moved).await.expect(400);
    assert!(target.received().is_empty());
    world.close().await;
}

#[tokio::test]
async fn what_is_allowed_is_allowed_by_name_too_and_nothing_beside_it() {
    let setup = Setup::new(Runtime::Process).config("webhook_allow = [\"127.0.0.1\", \"::1\"]");
    let world = setup.start().await;
    let target = Target::willing().await;
    let created = create(&world, &target.url_by_name()).await.expect(201);
    assert_eq!(test(&world, &created["id"]).await["status"], "delivered");
    create(&world, "http://127.0.0.2/").await.expect(400);
    world.close().await;
}

#[tokio::test]
async fn a_redirect_and_a_proxy_lead_nowhere() {
    let elsewhere = Target::willing().await;
    let elsewhere_url = elsewhere.url();
    let proxy = Target::willing().await;
    let target = Target::start(move |_, _| Reply::Redirect(elsewhere_url.clone())).await;
    let proxied = setup()
        .variable("HTTP_PROXY", &proxy.url())
        .variable("http_proxy", &proxy.url());
    let world = proxied.start().await;
    let id = tell(&world, &target, &["*"]).await;
    let tested = test(&world, &json!(id)).await;
    assert_eq!(
        (&tested["status"], &tested["response_status"]),
        (&json!("failed"), &json!(302))
    );
    assert!(!target.received().is_empty());
    assert!(elsewhere.received().is_empty() && proxy.received().is_empty());
    world.close().await;
}
