//! Each page with real data: what it says, that it looks as it should, and that everyone can use it.

use serde_json::{Value, json};

use super::scene::{HOSTILE, Scene, axe};
use crate::support::{Browser, Runtime, Screen, Setup, eventually};

/// What axe is asked: everything that the guidelines want at level AA.
const CHECK: &str = "const done = arguments[arguments.length - 1];
    axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice']})
        .then(({violations}) => done(violations.map(({id, impact, nodes}) =>
            ({id, impact, where: nodes.map(({target}) => target.join(' ')).slice(0, 5)}))))
        .catch((error) => done([{id: String(error)}]));";

/// Pages by name: path, and what can be read on each.
fn pages(scene: &Scene) -> Vec<(&'static str, String, Vec<String>)> {
    let text = |text: &str| text.to_owned();
    vec![
        (
            "overview",
            text("/"),
            vec![text("2 projects"), text("Database connection failed")],
        ),
        ("projects", text("/projects"), vec![text("shop"), text(HOSTILE)]),
        (
            "project",
            format!("/projects/{}", scene.project),
            vec![text("Health"), text("Languages"), text("running")],
        ),
        (
            "broken-project",
            format!("/projects/{}", scene.broken),
            vec![text(HOSTILE), text("bad.py:1"), text("syntax")],
        ),
        (
            "deployments",
            text("/deployments"),
            vec![text("shop"), text("running"), format!(":{}", scene.port)],
        ),
        (
            "deployment",
            format!("/deployments/{}", scene.deployment),
            vec![
                text("running"),
                text("Release 1"),
                text("serving"),
                text("health"),
                text("NODE_ENV"),
                text("***"),
            ],
        ),
        (
            "actors",
            text("/actors"),
            vec![
                text("task-queue"),
                format!("deployment/{}", scene.deployment),
                text("all is well"),
            ],
        ),
        (
            "tasks",
            text("/tasks"),
            vec![text("fix the failing test"), text("coder"), text(HOSTILE)],
        ),
        (
            "task",
            format!("/tasks/{}", scene.task),
            vec![text("completed"), text("Applied edit to src/sum.py")],
        ),
        (
            "agent-zero",
            text("/agent-zero"),
            vec![text("Agent Zero is not set up"), text("code execution")],
        ),
        (
            "errors",
            text("/errors"),
            vec![text("Database connection failed"), text(HOSTILE)],
        ),
        (
            "search",
            text("/search?query=label"),
            vec![text("good.rs"), text("pub fn label() {}")],
        ),
        (
            "nothing",
            text("/no/such/page"),
            vec![text("There is nothing at this address")],
        ),
    ]
}

#[tokio::test]
async fn every_page_shows_what_there_is_and_can_be_used_by_everyone() {
    let scene = Scene::start().await;
    let browser = Browser::open(&scene.world).await;
    let axe = axe();
    for (name, path, texts) in pages(&scene) {
        for screen in Screen::ALL {
            browser.resize(screen).await;
            browser.visit(&path).await;
            for text in &texts {
                browser.shows("main", text).await;
            }
            browser.lacks("main[aria-busy=true]").await;
            let width = browser
                .run("return [document.documentElement.scrollWidth, innerWidth]", vec![])
                .await;
            assert!(
                width[0].as_i64() <= width[1].as_i64(),
                "{name} on {} is too wide: {width}",
                screen.name
            );
            browser.picture(&format!("{name}-{}", screen.name)).await;
            // Its colours are those of the dark desktop, its layout is that of the light phone.
            if screen.name != "phone-dark" {
                browser.run(&axe, vec![]).await;
                let violations = browser.run_async(CHECK).await;
                assert_eq!(violations, json!([]), "{name} on {}", screen.name);
            }
            let shown = browser
                .run("return document.documentElement.dataset.theme", vec![])
                .await;
            assert_eq!(shown, screen.theme);
        }
    }
    assert_eq!(browser.run("return window.pwned ?? null", vec![]).await, Value::Null);
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    browser.close().await;
    scene.world.close().await;
}

#[tokio::test]
async fn what_is_hostile_stays_text_wherever_it_is_unfolded() {
    let scene = Scene::start().await;
    let browser = Browser::open(&scene.world).await;
    browser.visit("/errors").await;
    browser.press_row("Database connection failed").await;
    browser.shows(".error-more", "line 42").await;
    browser.shows(".error-more", HOSTILE).await;
    browser.visit("/projects").await;
    browser.fill(".stage input[type=search]", "window.pwned").await;
    browser.shows("tbody", HOSTILE).await;
    browser.ctrl('k').await;
    browser.fill("dialog input", "onerror").await;
    browser.shows("dialog", HOSTILE).await;
    assert_eq!(
        browser
            .run(
                "return document.querySelectorAll('img:not([src=\"/assets/icon.svg\"])').length",
                vec![]
            )
            .await,
        0
    );
    assert_eq!(browser.run("return window.pwned ?? null", vec![]).await, Value::Null);
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    browser.close().await;
    scene.world.close().await;
}

#[tokio::test]
async fn an_empty_service_says_what_to_do_next() {
    let world = Setup::new(Runtime::Process).start().await;
    let browser = Browser::open(&world).await;
    for (path, title, command) in [
        ("/projects", "No projects yet", "borgos scan --discover ~/code"),
        ("/deployments", "Nothing is deployed yet", "borgos deploy 1 --port 8090"),
        ("/errors", "No errors", "curl -X POST"),
        ("/search", "What are you looking for?", "borgos scan"),
    ] {
        browser.visit(path).await;
        browser.shows("main", title).await;
        browser.shows("main", command).await;
    }
    browser.close().await;
    world.close().await;
}

#[tokio::test]
async fn five_hundred_projects_are_shown_from_few_bytes() {
    let world = Setup::new(Runtime::Process).start().await;
    for number in 0..500 {
        let name = format!("project-{number:03}");
        let directory = world.projects_dir().join(&name);
        std::fs::create_dir(&directory).unwrap();
        let body = json!({"name": name, "path": directory, "tech_stack": ["python", "fastapi", "postgresql"]});
        world.post("/api/v1/projects", &body).await.expect(201);
    }
    let browser = Browser::open(&world).await;
    browser.visit("/projects").await;
    browser.shows("tbody", "project-000").await;
    let bytes = eventually("all projects are loaded", async || {
        let script = "return performance.getEntriesByType('resource').filter(({name}) => name.includes('/api/'))
            .map(({name, transferSize}) => [name, transferSize])";
        let loaded = browser.run(script, vec![]).await;
        let all: Vec<(String, u64)> = serde_json::from_value(loaded).unwrap();
        let is_complete = all.iter().any(|(name, _)| name.contains("offset=100"));
        if is_complete { Ok(all) } else { Err(all) }
    })
    .await;
    let total: u64 = bytes.iter().map(|(_, size)| size).sum();
    assert!(total < 100_000, "{total} bytes: {bytes:?}");
    browser.close().await;
    world.close().await;
}
