//! `borgos tasks`.

use serde_json::{Value, json};

use super::{AGENTS, create, task_is};
use crate::support::{Runtime, Setup, World, program};

async fn run(world: &World, arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = program();
    command.arg("tasks").args(arguments).env("BORGOS_URL", world.base_url());
    let output = command.output().await.unwrap();
    let text = String::from_utf8(output.stdout).unwrap() + &String::from_utf8_lossy(&output.stderr);
    (output.status.code(), text)
}

async fn printed(world: &World, arguments: &[&str]) -> String {
    let (code, text) = run(world, arguments).await;
    assert_eq!(code, Some(0), "{arguments:?}: {text}");
    text
}

#[tokio::test]
async fn tasks_are_created_followed_and_shown() {
    let world = Setup::new(Runtime::Process).config(AGENTS).start().await;
    let followed = printed(&world, &["create", "--agent", "homed", "--watch", "where are you?"]).await;
    for line in ["state        completed", "attempt 1", r#""stdout":"/\n""#] {
        assert!(followed.contains(line), "no `{line}` in\n{followed}");
    }
    let said = printed(
        &world,
        &["create", "--agent", "homed", "--input", r#"{"a": 1}"#, "again"],
    )
    .await;
    assert_eq!(said, "task 2 is queued\n");
    task_is(&world, 2, "completed").await;
    let shown = printed(&world, &["show", "2", "--json"]).await;
    assert_eq!(
        serde_json::from_str::<Value>(&shown).unwrap()["input_data"],
        json!({"a": 1})
    );

    let later = create(&world, "homed", json!({"run_at": "2999-01-01T00:00:00Z"}))
        .await
        .to_string();
    let list = printed(&world, &["--status", "pending"]).await;
    assert!(list.lines().count() == 2 && list.contains("scheduled"), "{list}");
    assert_eq!(
        printed(&world, &["cancel", &later]).await,
        format!("Task {later} cancelled\n")
    );
    let (code, text) = run(&world, &["watch", &later]).await;
    assert!(code == Some(1) && text.contains("state        cancelled"), "{text}");
    assert_eq!(
        printed(&world, &["retry", &later]).await,
        format!("Task {later} queued again\n")
    );
    printed(&world, &["watch", &later]).await;

    for (arguments, code) in [
        (&["show", "99"][..], 5),
        (&["create", "--agent", "nobody", "x"], 1),
        (&["create", "--agent", "homed", "--input", "{", "x"], 2),
        (&["--status", "odd"], 1),
    ] {
        assert_eq!(run(&world, arguments).await.0, Some(code), "{arguments:?}");
    }
    world.close().await;
}
