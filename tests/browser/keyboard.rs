//! Everything can be reached without a mouse.

use super::scene::Scene;
use crate::support::Browser;

#[tokio::test]
async fn keys_go_everywhere() {
    let scene = Scene::start().await;
    let browser = Browser::open(&scene.world).await;
    browser.visit("/").await;
    browser.shows("main h1", "Overview").await;
    for (keys, title) in [
        ("gp", "Projects"),
        ("gd", "Deployments"),
        ("ga", "Actors"),
        ("gt", "Tasks"),
        ("ge", "Errors"),
        ("gs", "Search"),
        ("go", "Overview"),
    ] {
        browser.keys(keys).await;
        browser.shows("main h1", title).await;
    }
    browser.keys("?").await;
    browser.shows("dialog", "next row, previous row").await;
    browser.keys("\u{E00C}").await;
    browser.lacks("dialog").await;

    browser.keys("gp").await;
    browser.shows("tbody", "shop").await;
    browser.keys("jj").await;
    browser.keys("\u{E007}").await;
    browser.shows("main h1", "shop").await;

    browser.ctrl('k').await;
    browser.shows("dialog", "deployment").await;
    browser.keys("shop\u{E007}").await;
    browser.shows("main .crumb", "Deployments").await;
    browser.lacks("dialog").await;
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    browser.close().await;
    scene.world.close().await;
}

#[tokio::test]
async fn a_theme_that_was_chosen_stays() {
    let scene = Scene::start().await;
    let browser = Browser::open(&scene.world).await;
    browser.visit("/").await;
    browser.click("button[aria-label='Dark colours']").await;
    browser.visit("/projects").await;
    browser.shows("main", "shop").await;
    assert_eq!(
        browser
            .run("return document.documentElement.dataset.theme", vec![])
            .await,
        "dark"
    );
    browser.close().await;
    scene.world.close().await;
}
