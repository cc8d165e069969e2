//! A project with all that a tree can hold, scanned by a server that may not hold much.

use std::{
    ffi::OsStr,
    fs::{self, File},
    os::unix::{ffi::OsStrExt, fs::symlink},
    path::Path,
    time::Duration,
};

use rustix::fs::{CWD, FileType, Mode, OFlags, mkdirat, mknodat, openat};
use serde_json::Value;

use crate::support::{MemoryLimit, Runtime, Setup, eventually_within, peak_memory};

const MEMORY_BYTES: u64 = 512 * 1024 * 1024;
const NUM_DIRECTORIES: usize = 100;
const FILES_EACH: usize = 100;
/// Just below what is still searched.
const TEXT_BYTES: usize = 3_500_000;
const NUM_TEXTS: usize = 4;
/// Nearly as large as what a parser is given, of which a tree takes many times as much memory.
const NUM_ELEMENTS: usize = 900_000;
/// In a build without optimisation.
const PATIENCE: Duration = Duration::from_secs(180);

#[tokio::test]
async fn an_odd_tree_is_scanned_in_512_megabytes_and_what_was_odd_is_told() {
    // Before the world, so that it is dropped after it.
    let limit = MemoryLimit::new(MEMORY_BYTES);
    let world = Setup::new(Runtime::Process).start().await;
    limit.hold(world.pid());
    let root = world.projects_dir().join("odd");
    write_tree(&root);
    let id = world.create_project("odd", &root).await;
    let url = format!("/api/v1/projects/{id}");
    world.post_nothing(&format!("{url}/scan")).await.expect(202);
    let project = eventually_within(PATIENCE, "the tree is scanned", async || {
        let project = world.get(&url).await.expect(200);
        match &project["metadata"]["scan"] {
            Value::Null => Err(()),
            _ => Ok(project),
        }
    })
    .await;

    let told = &project["metadata"]["scan"];
    // The small files, the texts, the tables, the huge ones, the binary one and the one with the odd name.
    assert_eq!(told["files"], NUM_DIRECTORIES * FILES_EACH + NUM_TEXTS + 2 + 2 + 1 + 1);
    assert_eq!(told["files_read"], told["files"]);
    assert_eq!((&told["too_large"], &told["binary"]), (&2.into(), &1.into()), "{told}");
    assert_eq!(
        (&told["special"], &told["unreadable"]),
        (&1.into(), &1.into()),
        "{told}"
    );
    assert_eq!(told["first_unreadable"].as_array().unwrap().len(), 1, "{told}");
    assert_eq!(told["truncated"], false);
    assert_eq!(project["metadata"]["languages"]["Rust"], NUM_DIRECTORIES * FILES_EACH);
    let errors = project["errors"].as_array().unwrap();
    let is_odd = |error: &Value| error["type"] == "syntax" && error["file"] == "odd\u{fffd}.py";
    assert!(errors.iter().any(is_odd), "{errors:?}");

    let found = world.get("/api/v1/search/code?query=number_42_of_7").await.expect(200);
    assert_eq!(found[0]["file"], root.join("d7/f42.rs").to_str().unwrap());
    let found = world.get("/api/v1/search/code?query=odd_name").await.expect(200);
    assert_eq!(found[0]["file"], root.join("odd\u{fffd}.py").to_str().unwrap());
    let peak = peak_memory(world.pid());
    assert!(peak < MEMORY_BYTES, "{peak} bytes were held");
    world.close().await;
}

fn write_tree(root: &Path) {
    for directory in 0..NUM_DIRECTORIES {
        let path = root.join(format!("d{directory}"));
        fs::create_dir_all(&path).unwrap();
        for file in 0..FILES_EACH {
            let content = format!("pub fn number_{file}_of_{directory}() {{}}\n");
            fs::write(path.join(format!("f{file}.rs")), content).unwrap();
        }
    }
    for number in 0..NUM_TEXTS {
        fs::write(root.join(format!("rows{number}.csv")), rows(number)).unwrap();
    }
    for name in ["table.py", "table.js"] {
        fs::write(root.join(name), format!("a = [{}]\n", "1,".repeat(NUM_ELEMENTS))).unwrap();
    }
    for name in ["huge.csv", "huge.json"] {
        // Sparse: it takes no place on the disk.
        File::create(root.join(name)).unwrap().set_len(10_000_000_000).unwrap();
    }
    fs::write(root.join("picture.png"), b"\x89PNG\r\n\x1a\n\0\0\0\r").unwrap();
    fs::write(root.join(OsStr::from_bytes(b"odd\xff.py")), "odd_name = (\n").unwrap();
    mknodat(CWD, root.join("fifo.rs"), FileType::Fifo, Mode::RUSR, 0).unwrap();
    symlink(root, root.join("d0/loop")).unwrap();
    symlink("/etc", root.join("outside")).unwrap();
    write_unreadable(root);
}

/// Writes text in which hardly a line is like another.
fn rows(number: usize) -> String {
    let mut text = String::with_capacity(TEXT_BYTES + 100);
    let mut row = number;
    while text.len() < TEXT_BYTES {
        row = row
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        text.push_str(&format!("{row:x},{:x},{}\n", row.rotate_left(17), row >> 40));
    }
    text
}

/// Makes a directory that not even the superuser can read: it is too deep to be named.
fn write_unreadable(root: &Path) {
    let name = "d".repeat(200);
    let mut directory = File::open(root).unwrap();
    for _ in 0..30 {
        mkdirat(&directory, name.as_str(), Mode::RWXU).unwrap();
        directory = openat(&directory, name.as_str(), OFlags::RDONLY, Mode::empty())
            .unwrap()
            .into();
    }
}
