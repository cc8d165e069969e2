//! `borgos webhooks`.

use super::setup;
use crate::support::{Reply, Target, World, eventually, program};

async fn run(world: &World, arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = program();
    command
        .arg("webhooks")
        .args(arguments)
        .env("BORGOS_URL", world.base_url());
    let output = command.output().await.unwrap();
    let text = String::from_utf8(output.stdout).unwrap() + &String::from_utf8_lossy(&output.stderr);
    (output.status.code(), text)
}

#[tokio::test]
async fn webhooks_are_made_tested_listed_and_deleted() {
    let world = setup().start().await;
    let target = Target::start(|index, _| Reply::Status(if index == 1 { 500 } else { 200 })).await;
    let (code, text) = run(
        &world,
        &["create", &target.url(), "--events", "project.created,error.*"],
    )
    .await;
    assert_eq!(code, Some(0), "{text}");
    assert!(
        text.starts_with("webhook 1 is told of project.created, error.*\n"),
        "{text}"
    );
    assert!(text.contains("whsec_"), "{text}");
    let (code, text) = run(&world, &["test", "1"]).await;
    assert!(
        code == Some(0) && text.starts_with("the target took it with 200 in"),
        "{text}"
    );
    let (code, text) = run(&world, &["test", "1"]).await;
    assert!(code == Some(1) && text.contains("500"), "{text}");

    let (code, text) = run(&world, &["list"]).await;
    assert!(
        code == Some(0) && text.contains("active") && text.contains(&target.url()),
        "{text}"
    );
    let project = world.project("mine", "one");
    world.create_project("mine", project.path()).await;
    eventually("the message is delivered", async || {
        let (_, text) = run(&world, &["deliveries", "1", "--status", "delivered"]).await;
        if text.contains("project.created") {
            Ok(())
        } else {
            Err(text)
        }
    })
    .await;
    let secret = world.projects_dir().join("secret");
    std::fs::write(&secret, "my-own-secret-of-webhooks\n").unwrap();
    let file = secret.to_str().unwrap();
    let (code, text) = run(
        &world,
        &["create", &target.url(), "--events", "*", "--secret-file", file],
    )
    .await;
    assert_eq!((code, text.as_str()), (Some(0), "webhook 2 is told of *\n"));
    let (code, text) = run(&world, &["delete", "2"]).await;
    assert_eq!((code, text.as_str()), (Some(0), "Webhook 2 deleted\n"));
    for (arguments, code) in [
        (&["delete", "2"][..], 5),
        (&["create", "ftp://x/", "--events", "*"], 1),
        (&["create", "http://x/"], 2),
        (
            &["create", "http://x/", "--events", "*", "--secret-file", "/nonexistent"],
            2,
        ),
    ] {
        assert_eq!(run(&world, arguments).await.0, Some(code), "{arguments:?}");
    }
    world.close().await;
}
