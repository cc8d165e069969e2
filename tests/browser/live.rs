//! What changes while somebody looks.

use std::time::Duration;

use rustix::process::{Signal, kill_process};
use serde_json::Value;

use super::scene::{Scene, deploy};
use crate::support::{Browser, Runtime, Setup, eventually_within, free_port};

#[tokio::test]
async fn a_deploy_is_followed_to_running() {
    let world = Setup::new(Runtime::Process).start().await;
    let project = world.project("shop", "one");
    let id = world.create_project("shop", project.path()).await;
    let browser = Browser::open(&world).await;
    browser.visit(&format!("/projects/{id}")).await;
    browser.shows("main", "It is not deployed").await;
    browser.press("Deploy").await;
    let port = free_port();
    browser.fill("dialog input[name=port]", &port.to_string()).await;
    browser.fill("dialog input[name=name]", "shop-live").await;
    browser
        .shows(
            "dialog .command",
            &format!("borgos deploy {id} --port {port} --name shop-live"),
        )
        .await;
    browser.click("dialog button.primary").await;
    browser.shows("main h1", "shop-live").await;
    browser.shows("main .badge", "running").await;
    browser.shows("main", "serving").await;
    browser.close().await;
    world.close().await;
}

#[tokio::test]
async fn a_crash_turns_the_tree_red_and_the_next_start_turns_it_green() {
    let world = Setup::new(Runtime::Process).start().await;
    let project = world.project("shop", "one");
    let id = world.create_project("shop", project.path()).await;
    let deployment = deploy(&world, id, free_port(), "shop").await;
    let browser = Browser::open(&world).await;
    browser.visit("/actors").await;
    browser.shows("main", "all is well").await;
    let tones = async || {
        let script =
            "return arguments[0].map((path) => document.querySelector(`[data-actor='${path}']`)?.dataset.tone)";
        let paths = serde_json::json!([["root", "deployments", format!("deployment/{deployment}"), "scanner"]]);
        let Value::Array(arguments) = paths else {
            unreachable!("it is written as a list")
        };
        browser.run(script, arguments).await
    };
    let is = async |wanted: [&str; 4]| {
        let seen = tones().await;
        if seen == serde_json::json!(wanted) {
            Ok(())
        } else {
            Err(seen)
        }
    };

    let (app, _) = world
        .deployed_processes()
        .into_iter()
        .find(|(_, command)| command.contains("server.py") && !command.contains("keeper"))
        .expect("the app runs");
    kill_process(app, Signal::KILL).unwrap();
    let soon = Duration::from_secs(3);
    eventually_within(soon, "the branch is red", async || {
        is(["bad", "bad", "bad", "good"]).await
    })
    .await;
    browser.shows("main", "1 actor in trouble").await;
    browser.picture("actors-in-trouble").await;
    let back = Duration::from_secs(30);
    eventually_within(back, "the tree is green", async || {
        is(["good", "good", "good", "good"]).await
    })
    .await;
    browser.shows("main", "all is well").await;
    browser.close().await;
    world.close().await;
}

#[tokio::test]
async fn output_comes_as_it_is_printed_and_can_be_searched() {
    let scene = Scene::start().await;
    let browser = Browser::open(&scene.world).await;
    browser.visit(&format!("/deployments/{}", scene.deployment)).await;
    browser.shows(".log", "line").await;
    let ask = async |path: &str| {
        let address = format!("http://127.0.0.1:{}/{path}", scene.port);
        reqwest::Client::builder()
            .no_proxy()
            .build()
            .unwrap()
            .get(address)
            .send()
            .await
            .unwrap();
    };
    ask("the-first").await;
    browser.shows(".log-lines", "GET /the-first").await;
    ask("the-second").await;
    browser.shows(".log-lines", "GET /the-second").await;
    browser.fill(".log input", "the-second").await;
    browser.shows(".log-lines mark", "the-second").await;
    let shown = browser.text(".log-lines").await.unwrap();
    assert!(!shown.contains("the-first"), "{shown}");
    browser.close().await;
    scene.world.close().await;
}

#[tokio::test]
async fn buttons_do_what_they_say_and_ask_where_it_hurts() {
    let scene = Scene::start().await;
    let (world, id) = (&scene.world, scene.deployment);
    let browser = Browser::open(world).await;
    browser.visit(&format!("/deployments/{id}")).await;
    let before = world.get(&format!("/api/v1/deployments/{id}")).await.expect(200);
    browser.press("Restart").await;
    browser.shows(".toasts", &format!("Deployment {id} restarted")).await;
    let after = world.get(&format!("/api/v1/deployments/{id}")).await.expect(200);
    assert_ne!(before["started_at"], after["started_at"]);

    browser.press("Stop").await;
    browser.shows("dialog", &format!("borgos stop {id}")).await;
    browser.press("Leave it").await;
    browser.lacks("dialog").await;
    world.deployment_is(id, "running").await;
    browser.press("Stop").await;
    browser.click("dialog [data-confirm]").await;
    browser.shows("main .badge", "stopped").await;
    browser.press("Start").await;
    browser.shows("main .badge", "running").await;

    browser.visit("/actors").await;
    browser.click("[data-actor=metrics] .actor-link").await;
    browser.press("Restart").await;
    browser.shows("dialog", "borgos actors restart metrics").await;
    browser.click("dialog [data-confirm]").await;
    browser.shows("aside.card", "Starts\n2").await;
    browser.close().await;
    scene.world.close().await;
}

#[tokio::test]
async fn a_scan_that_somebody_asks_for_changes_the_page() {
    let world = Setup::new(Runtime::Process).start().await;
    let project = world.project("shop", "one");
    let id = world.create_project("shop", project.path()).await;
    let browser = Browser::open(&world).await;
    browser.visit(&format!("/projects/{id}")).await;
    browser.shows("main", "Not scanned yet").await;
    browser.press("Scan").await;
    browser.shows("main", "Is it in order?").await;
    browser.shows("main", "Python").await;
    browser.close().await;
    world.close().await;
}

#[tokio::test]
async fn a_lost_connection_is_told_and_comes_back_by_itself() {
    let mut world = Setup::new(Runtime::Process).start().await;
    let project = world.project("first", "one");
    world.create_project("first", project.path()).await;
    let browser = Browser::open(&world).await;
    browser.visit("/projects").await;
    browser.shows("main", "first").await;
    browser.shows("[data-link=live]", "Live").await;
    world.terminate().await;
    browser.shows(".banner", "Stale since").await;
    browser.shows("main", "first").await;
    browser.picture("connection-lost").await;
    world.boot().await;
    browser.lacks(".banner").await;
    browser.shows("[data-link=live]", "Live").await;
    let second = world.project("second", "one");
    world.create_project("second", second.path()).await;
    browser.shows("main", "second").await;
    browser.close().await;
    world.close().await;
}
