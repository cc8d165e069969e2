//! What is secret in an environment is in the app's own hands, and nowhere else.

use std::{fs, path::Path};

use serde_json::json;

use super::{answers, deploy, logs::saying};
use crate::{
    api::everywhere::everywhere,
    support::{Runtime, Setup, World, eventually, free_port},
};

const CANARY: &str = "canary-4f1d9c";

/// Looks for the secret in every file below a directory.
fn hits(directory: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let kind = fs::symlink_metadata(&path).map(|data| data.file_type());
        match kind {
            Ok(kind) if kind.is_dir() => found.extend(hits(&path)),
            Ok(kind) if kind.is_file() => {
                // One that has gone meanwhile hides nothing.
                let content = fs::read(&path).unwrap_or_default();
                if contains(&content) {
                    found.push(path.display().to_string());
                }
            }
            _ => {}
        }
    }
    found
}

fn contains(content: &[u8]) -> bool {
    content.windows(CANARY.len()).any(|window| window == CANARY.as_bytes())
}

fn command_lines() -> Vec<String> {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let read = processes.filter_map(|entry| fs::read(entry.path().join("cmdline")).ok());
    let shown = read.filter(|line| contains(line));
    shown.map(|line| String::from_utf8_lossy(&line).into_owned()).collect()
}

#[tokio::test]
async fn a_secret_is_nowhere_but_in_the_app() {
    everywhere(async |world| {
        let project = world.project("discreet", "one");
        let port = free_port();
        let mut socket = world.socket().await;
        socket.subscribe(&["deployments", "errors", "projects", "system", "actors"]).await;
        let environment = json!({"API_KEY": CANARY, "DATABASE_URL": format!("postgres://me:{CANARY}@host/name")});
        let command = saying(world, "echo I know $API_KEY and $DATABASE_URL");
        let id = deploy(world, project.path(), json!({"port": port, "environment": environment, "command": command})).await;
        let path = format!("/api/v1/deployments/{id}");
        world.deployment_is(id, "running").await;
        answers(port, "one").await;

        // One that fails says so in the error log, with its last lines.
        let failing = json!({"environment": {"API_KEY": format!("{CANARY}-2")}, "health_check_path": "/missing", "health_timeout_s": 1});
        world.patch(&path, &failing).await.expect(202);
        let failed = eventually("the change has failed", async || {
            let releases = world.get(&format!("{path}/releases")).await.expect(200);
            if releases[0]["status"] == "failed" { Ok(releases) } else { Err(releases) }
        })
        .await;
        let told = socket.next_event("error_logged", |_| true).await;
        let mut shown = vec![failed.to_string(), told.to_string()];
        for read in ["", "/releases", "/logs?tail=1000", "/logs?format=json", "/events", "/stats"] {
            shown.push(world.get(&format!("{path}{read}")).await.text);
        }
        for read in ["deployments", "errors", "projects/1", "actors"] {
            shown.push(world.get(&format!("/api/v1/{read}")).await.text);
        }
        assert!(shown.iter().any(|text| text.contains("I know ***")), "{shown:?}");
        for text in shown {
            assert!(!text.contains(CANARY), "{text}");
        }
        // The world's directory holds the data directory and what the server says.
        let root = world.data_dir();
        assert_eq!(hits(root.parent().unwrap()), Vec::<String>::new());
        assert_eq!(command_lines(), Vec::<String>::new());
    })
    .await;
}

#[tokio::test]
async fn a_key_is_changed_from_the_command_line() {
    let mut world = Setup::new(Runtime::Process).start().await;
    let project = world.project("discreet", "one");
    let port = free_port();
    let command = saying(&world, "echo I know $API_KEY");
    let body = json!({"port": port, "environment": {"API_KEY": CANARY}, "command": command});
    let id = deploy(&world, project.path(), body).await;
    world.deployment_is(id, "running").await;
    let rotate = async |world: &World| {
        let output = world.command().args(["secrets", "rotate"]).output().await.unwrap();
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        (output.status.success(), said)
    };
    let (is_done, said) = rotate(&world).await;
    assert!(!is_done && said.contains("in use by another BorgOS"), "{said}");

    let key = world.data_dir().join("secret.key");
    let before = fs::read_to_string(&key).unwrap();
    world.terminate().await;
    let (is_done, said) = rotate(&world).await;
    assert!(is_done && said.contains("opens nothing any more"), "{said}");
    assert_ne!(fs::read_to_string(&key).unwrap(), before);
    answers(port, "one").await;
    world.boot().await;
    let shown = world.get(&format!("/api/v1/deployments/{id}")).await.expect(200);
    assert_eq!(shown["environment"], json!({"API_KEY": "***"}));
    world
        .post_nothing(&format!("/api/v1/deployments/{id}/restart"))
        .await
        .expect(200);
    answers(port, "one").await;

    world.terminate().await;
    let after = fs::read_to_string(&key).unwrap();
    fs::write(&key, &before).unwrap();
    let refused = world.command().output().await.unwrap();
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        !refused.status.success() && said.contains("is sealed with key"),
        "{said}"
    );
    fs::write(&key, &after).unwrap();
    world.boot().await;
    world.close().await;
}
