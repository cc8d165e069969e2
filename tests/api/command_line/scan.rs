//! `borgos scan`.

use std::{
    fs::{self, File},
    io::Read,
    path::{Path, PathBuf},
    thread,
};

use rustix::{
    fs::{Mode, OFlags, open},
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
};
use serde_json::Value;

use super::{TOKEN, printed, run};
use crate::support::{Runtime, Setup, World, program};

fn write_project(parent: &Path, name: &str) -> PathBuf {
    let root = parent.join(name);
    fs::create_dir_all(root.join("src")).unwrap();
    fs::write(root.join("README.md"), format!("# {name}\n")).unwrap();
    fs::write(
        root.join("Cargo.toml"),
        format!("[package]\nname = \"{name}\"\nversion = \"1.0.0\"\n"),
    )
    .unwrap();
    fs::write(root.join("src/lib.rs"), "pub fn answer() -> u8 {\n    42\n}\n").unwrap();
    root
}

#[tokio::test]
async fn scans_are_asked_for_and_their_ends_are_shown() {
    let world = Setup::new(Runtime::Process).token(TOKEN).start().await;
    let mut roots = Vec::new();
    for name in ["one", "two"] {
        let root = write_project(&world.projects_dir(), name);
        world.create_project(name, &root).await;
        roots.push(root);
    }
    let text = printed(&world, &["scan", "2"]).await;
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 2, "{text}");
    assert!(
        lines[0].starts_with("   2  two ") && lines[0].ends_with("3 lines"),
        "{text}"
    );
    assert!(
        lines[0].contains("  health ") && lines[0].contains(" errors "),
        "{text}"
    );
    assert!(lines[1].starts_with("1 scanned, 0 failed, in "), "{text}");

    let events = printed(&world, &["scan", "--json"]).await;
    let mut ids = Vec::new();
    for text in events.lines() {
        let event: Value = serde_json::from_str(text).unwrap();
        assert_eq!(
            (&event["type"], &event["channel"]),
            (&"project_scanned".into(), &"projects".into())
        );
        ids.push(event["data"]["id"].as_i64());
    }
    ids.sort_unstable();
    assert_eq!(ids, [Some(1), Some(2)], "all active projects are scanned: {events}");

    fs::remove_dir_all(&roots[0]).unwrap();
    let output = run(&world, &["scan", "1", "2"]).await;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(
        text.contains("   1  one                       failed: cannot read the directory"),
        "{text}"
    );
    assert!(text.contains("1 scanned, 1 failed, in "), "{text}");

    for (arguments, code) in [
        (&["scan", "99"][..], 5),
        (&["scan", "one"], 2),
        (&["scan", "1", "--zenith"], 2),
        (&["scan", "--zenith", "--discover", "/"], 2),
        (&["scan", "--zenith"], 1),
        (&["scan", "--discover", "/no/such/directory"], 1),
    ] {
        let output = run(&world, arguments).await;
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {output:?}");
        assert!(output.stderr.starts_with(b"error: "), "{output:?}");
    }
    world.close().await;
}

#[tokio::test]
async fn projects_are_found_before_they_are_scanned() {
    let zenith = tempfile::tempdir().unwrap();
    for name in ["one", "two"] {
        write_project(zenith.path(), name);
    }
    let world = Setup::new(Runtime::Process)
        .token(TOKEN)
        .variable("BORGOS_ZENITH_DIR", zenith.path().to_str().unwrap())
        .start()
        .await;
    let text = printed(&world, &["scan", "--zenith"]).await;
    assert!(text.contains("  one ") && text.contains("  two "), "{text}");
    assert!(text.contains("2 scanned, 0 failed, in "), "{text}");

    let others = tempfile::tempdir().unwrap();
    write_project(others.path(), "three");
    let mut command = program();
    // The service knows nothing of the directory that its client runs in.
    command.args(["scan", "--discover", "."]).current_dir(others.path());
    command.env("BORGOS_URL", world.base_url()).env("BORGOS_TOKEN", TOKEN);
    let output = command.output().await.unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{output:?}");
    assert!(
        text.contains("  three ") && text.contains("1 scanned, 0 failed, in "),
        "{text}"
    );

    let empty = tempfile::tempdir().unwrap();
    let text = printed(&world, &["scan", "--discover", empty.path().to_str().unwrap()]).await;
    assert!(text.starts_with("0 scanned, 0 failed, in "), "{text}");
    world.close().await;
}

/// Runs a command with a terminal for its standard error, and returns what it drew there.
async fn drawn(world: &World, arguments: &[&str]) -> String {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let name = ptsname(&master, Vec::new()).unwrap();
    let terminal = open(&name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap();
    let mut command = program();
    command.args(arguments).stderr(terminal).env("TERM", "xterm");
    command.env("BORGOS_URL", world.base_url()).env("BORGOS_TOKEN", TOKEN);
    let child = command.spawn().unwrap();
    // The command holds the other end of the terminal, which would never be closed.
    drop(command);
    let reader = thread::spawn(move || {
        let mut drawn = Vec::new();
        // The end of a terminal is an error.
        let _ = File::from(master).read_to_end(&mut drawn);
        String::from_utf8_lossy(&drawn).into_owned()
    });
    assert!(child.wait_with_output().await.unwrap().status.success());
    reader.join().unwrap()
}

#[tokio::test]
async fn a_terminal_shows_a_bar() {
    let world = Setup::new(Runtime::Process).token(TOKEN).start().await;
    let root = write_project(&world.projects_dir(), "one");
    world.create_project("one", &root).await;
    let drawn = drawn(&world, &["scan"]).await;
    assert!(drawn.contains("] 0 of 1 projects"), "{drawn:?}");
    let output = run(&world, &["scan"]).await;
    assert_eq!(output.stderr, b"", "there is no bar without a terminal");
    world.close().await;
}
