//! A service that wants a credential.

use crate::support::{Browser, Runtime, Setup};

const TOKEN: &str = "a-token-for-the-browser";

#[tokio::test]
async fn nothing_is_shown_before_a_credential_that_is_right() {
    let world = Setup::new(Runtime::Process).token(TOKEN).start().await;
    let project = world.project("shop", "one");
    world.create_project("shop", project.path()).await;
    let browser = Browser::open(&world).await;
    browser.visit("/projects").await;
    browser.shows("main h1", "Sign in to BorgOS").await;
    browser.picture("signing-in").await;
    browser.fill("input[name=token]", "not-the-right-token").await;
    browser.click("form button.primary").await;
    browser.shows("[role=alert]", "That is not known here.").await;
    browser.fill("input[name=token]", TOKEN).await;
    browser.click("form button.primary").await;
    browser.shows("main", "shop").await;

    let kept = browser
        .run(
            "return [document.cookie, JSON.stringify(localStorage), location.href]",
            vec![],
        )
        .await;
    assert!(!kept.to_string().contains(TOKEN), "{kept}");
    browser.click("button[aria-label='Sign out']").await;
    browser.shows("main h1", "Sign in to BorgOS").await;
    browser.close().await;
    world.close().await;
}
