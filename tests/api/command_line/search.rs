//! `borgos search`.

use std::fs;

use serde_json::Value;

use super::{TOKEN, printed, run};
use crate::support::{Runtime, Setup, World};

/// A world with a scanned project.
async fn scanned() -> World {
    let world = Setup::new(Runtime::Process).token(TOKEN).start().await;
    let root = world.projects_dir().join("shop");
    fs::create_dir_all(&root).unwrap();
    for (path, content) in [
        ("cart.py", "def add_item(cart, item):\n\tcart.append(item)\n"),
        ("page.js", "addItem(1); // Add_Item\n"),
        ("requirements.txt", "django==5.0\npsycopg==3.1\n"),
    ] {
        fs::write(root.join(path), content).unwrap();
    }
    world.create_project("shop", &root).await;
    printed(&world, &["scan"]).await;
    world
}

/// Returns what was printed, with the directory of the project taken away.
async fn found(world: &World, arguments: &[&str]) -> String {
    let root = world.projects_dir().join("shop/");
    printed(world, arguments).await.replace(root.to_str().unwrap(), "")
}

#[tokio::test]
async fn code_is_found_line_by_line() {
    let world = scanned().await;
    for (arguments, expected) in [
        (
            &["search", "add_item"][..],
            "cart.py:1:def add_item(cart, item):\npage.js:1:addItem(1); // Add_Item\n",
        ),
        (
            &["search", "add_item", "--case", "sensitive"],
            "cart.py:1:def add_item(cart, item):\n",
        ),
        (
            &["search", "cart", "append"],
            "cart.py:2:\tcart.append(item)\ncart.py:1:def add_item(cart, item):\n",
        ),
        (
            &["search", "--regex", r"^\w+\(\d\)", "--project", "1"],
            "page.js:1:addItem(1); // Add_Item\n",
        ),
        (
            &["search", "item", "--lang", "javascript"],
            "page.js:1:addItem(1); // Add_Item\n",
        ),
        (
            &["search", "item", "--path", "*.js"],
            "page.js:1:addItem(1); // Add_Item\n",
        ),
        (&["search", "--", "==5"], "requirements.txt:1:django==5.0\n"),
    ] {
        assert_eq!(found(&world, arguments).await, expected, "{arguments:?}");
    }
    let json = printed(&world, &["search", "add_item", "--json", "--case", "sensitive"]).await;
    let hits: Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&hits[0]["line"], &hits[0]["symbol"]), (&1.into(), &"function".into()));

    let output = run(&world, &["search", "item", "--limit", "1"]).await;
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "1 of 3 lines; `--limit` shows more\n"
    );
    for (arguments, code) in [
        (&["search", "nowhere"][..], 1),
        (&["search", "--regex", "("], 1),
        (&["search", "item", "--project", "99"], 5),
        (&["search", "item", "--case", "none"], 2),
        (&["search", "--projects", "item", "--regex"], 2),
        (&["search"], 2),
    ] {
        let output = run(&world, arguments).await;
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {output:?}");
        assert!(
            output.stdout.is_empty() && output.stderr.starts_with(b"error: "),
            "{output:?}"
        );
    }
    world.close().await;
}

#[tokio::test]
async fn projects_are_found_by_what_is_known_of_them() {
    let world = scanned().await;
    let text = printed(&world, &["search", "--projects", "postgres"]).await;
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].starts_with("ID") && lines[1].starts_with("1 "), "{text}");
    assert!(lines[1].contains(" shop ") && lines[1].contains("django"), "{text}");
    assert!(
        lines[1].ends_with(world.projects_dir().join("shop").to_str().unwrap()),
        "{text}"
    );
    let json = printed(&world, &["search", "--projects", "postgres", "--json"]).await;
    assert_eq!(serde_json::from_str::<Value>(&json).unwrap()[0]["name"], "shop");
    let output = run(&world, &["search", "--projects", "zzzzzzzz"]).await;
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    world.close().await;
}
