//! What keeps it from starting, and who might be taken for it.

use std::{io::Write, net::TcpListener, process::Stdio, time::Duration};

use serde_json::json;
use tokio::io::AsyncReadExt;

use super::{close, start, status, status_is, world_of};
use crate::support::{Runtime, Setup, StandIn, eventually, eventually_within};

#[tokio::test]
async fn what_can_be_known_before_is_refused_with_the_reason() {
    let stand_in = StandIn::install(&json!({}));
    let world = world_of(&stand_in).await;
    let listener = TcpListener::bind(("127.0.0.1", stand_in.port)).unwrap();
    let refused = world.post_nothing("/api/v1/agent-zero/start").await.expect(400);
    assert_eq!(refused["code"], "PORT_IN_USE");
    let holder = format!("(pid {})", std::process::id());
    assert!(refused["message"].as_str().unwrap().contains(&holder), "{refused}");
    drop(listener);

    stand_in.write_python("#!/bin/sh\necho 3 11\n");
    let refused = world.post_nothing("/api/v1/agent-zero/start").await.expect(409);
    assert_eq!(refused["code"], "AGENT_ZERO_PYTHON");
    assert!(
        refused["message"].as_str().unwrap().contains("is Python 3.11"),
        "{refused}"
    );
    let shown = status(&world).await;
    assert_eq!((&shown["state"], &shown["running"]), (&json!("failed"), &json!(false)));
    assert!(shown["reason"].as_str().unwrap().contains("3.12"), "{shown}");

    std::fs::remove_file(stand_in.path().join("run_ui.py")).unwrap();
    let refused = world.post_nothing("/api/v1/agent-zero/start").await.expect(409);
    assert_eq!(refused["code"], "AGENT_ZERO_NOT_INSTALLED");
    assert_eq!(stand_in.num_in_ledger("started"), 0);
    close(world, &stand_in).await;
}

#[tokio::test]
async fn the_superuser_is_refused_unless_told_otherwise() {
    let stand_in = StandIn::install(&json!({}));
    let setup = stand_in.introduce(Setup::new(Runtime::Process));
    let world = setup.variable("BORGOS_AGENT_ZERO_AS_ROOT", "no").start().await;
    let answer = world.post_nothing("/api/v1/agent-zero/start").await;
    match rustix::process::geteuid().is_root() {
        true => assert_eq!(answer.expect(409)["code"], "AGENT_ZERO_AS_ROOT"),
        false => assert_eq!(answer.expect(200)["success"], true),
    }
    close(world, &stand_in).await;
}

#[tokio::test]
async fn what_would_happen_again_is_not_tried_again() {
    let stand_in = StandIn::install(&json!({}));
    let world = world_of(&stand_in).await;
    for (number, (fault, word)) in [("settings", "JSON"), ("syntax", "Python"), ("port", "port")]
        .iter()
        .enumerate()
    {
        stand_in.set(&json!({"fault": fault}));
        let refused = world.post_nothing("/api/v1/agent-zero/start").await.expect(409);
        assert_eq!(refused["code"], "AGENT_ZERO_FAILED");
        assert!(refused["message"].as_str().unwrap().contains(word), "{refused}");
        assert_eq!(status(&world).await["state"], "failed");
        assert_eq!(stand_in.num_in_ledger("started"), number + 1);
        let errors = world
            .get("/api/v1/errors?error_type=agent_zero_ended")
            .await
            .expect(200);
        assert_eq!(errors.as_array().unwrap().len(), number + 1, "{errors}");
    }
    stand_in.set(&json!({}));
    start(&world).await;
    close(world, &stand_in).await;
}

#[tokio::test]
async fn another_server_on_its_port_is_not_taken_for_it() {
    let stand_in = StandIn::install(&json!({"start_seconds": 2}));
    let world = world_of(&stand_in).await;
    let starting = world.post_nothing("/api/v1/agent-zero/start");
    let taking_the_port = async {
        status_is(&world, "starting").await;
        let listener = TcpListener::bind(("127.0.0.1", stand_in.port)).unwrap();
        let port = stand_in.port;
        let impostor = std::thread::spawn(move || {
            let mut num_asked = 0;
            for connection in listener.incoming() {
                let mut connection = connection.unwrap();
                let body = "{\"gitinfo\": null, \"error\": null}";
                let head = format!(
                    "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                    body.len()
                );
                if std::io::Read::read(&mut connection, &mut [0; 1]).is_ok_and(|num_bytes| num_bytes == 0) {
                    return num_asked;
                }
                connection.write_all(format!("{head}{body}").as_bytes()).unwrap();
                num_asked += 1;
            }
            num_asked
        });
        let failed = status_is(&world, "failed").await;
        drop(std::net::TcpStream::connect(("127.0.0.1", port)).unwrap());
        assert_eq!(impostor.join().unwrap(), 0, "it was even asked");
        failed
    };
    let (refused, failed) = tokio::join!(starting, taking_the_port);
    assert_eq!(refused.expect(409)["code"], "AGENT_ZERO_FAILED");
    let reason = failed["reason"].as_str().unwrap();
    assert!(reason.contains("could not listen"), "{failed}");
    close(world, &stand_in).await;
}

#[tokio::test]
async fn a_start_can_be_called_off() {
    let stand_in = StandIn::install(&json!({"fault": "never"}));
    let world = world_of(&stand_in).await;
    let starting = world.post_nothing("/api/v1/agent-zero/start");
    let stopping = async {
        status_is(&world, "starting").await;
        world.post_nothing("/api/v1/agent-zero/stop").await.expect(200);
        stand_in.assert_gone();
    };
    let (refused, ()) = tokio::join!(starting, stopping);
    assert_eq!(refused.expect(409)["code"], "AGENT_ZERO_FAILED");
    close(world, &stand_in).await;
}

#[tokio::test]
async fn its_settings_are_added_to_and_never_replaced() {
    let stand_in = StandIn::install(&json!({}));
    stand_in.write("usr/.env", "A0_PERSISTENT_RUNTIME_ID=0123\nMINE=1");
    let world = world_of(&stand_in).await;
    start(&world).await;
    let settings = std::fs::read_to_string(stand_in.path().join("usr/.env")).unwrap();
    assert!(
        settings.starts_with("A0_PERSISTENT_RUNTIME_ID=0123\nMINE=1\n"),
        "{settings}"
    );
    for name in ["A0_SET_workdir_path=", "A0_SET_update_check_enabled=false"] {
        assert_eq!(settings.matches(name).count(), 1, "{settings}");
    }
    world.post_nothing("/api/v1/agent-zero/restart").await.expect(200);
    assert_eq!(
        std::fs::read_to_string(stand_in.path().join("usr/.env")).unwrap(),
        settings
    );
    assert!(!stand_in.path().join(".env").exists());
    close(world, &stand_in).await;
}

#[tokio::test]
async fn what_is_left_of_it_is_ended_by_a_stop_and_before_a_start() {
    let stand_in = StandIn::install(&json!({}));
    let world = world_of(&stand_in).await;
    let node = std::fs::read_to_string(world.data_dir().join("node-id")).unwrap();
    let leave = async || {
        let program = format!(
            "import socket, time; s = socket.create_server(('127.0.0.1', {})); print(flush=True); time.sleep(600)",
            stand_in.port
        );
        let mut left = tokio::process::Command::new("python3")
            .args(["-c", &program])
            .env("BORGOS_A0_INSTANCE", node.trim())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut listens = [0; 1];
        left.stdout.as_mut().unwrap().read_exact(&mut listens).await.unwrap();
        left
    };
    let mut left = leave().await;
    world.post_nothing("/api/v1/agent-zero/stop").await.expect(200);
    assert!(!left.wait().await.unwrap().success());
    let mut left = leave().await;
    start(&world).await;
    assert!(!left.wait().await.unwrap().success());
    assert_eq!(
        stand_in.ledger()[0]["marker"],
        json!(node.trim()),
        "it is marked by its installation"
    );
    close(world, &stand_in).await;
}

#[tokio::test]
async fn a_stop_that_cannot_be_written_down_says_so_and_changes_nothing() {
    let stand_in = StandIn::install(&json!({}));
    let world = world_of(&stand_in).await;
    start(&world).await;
    let before = status(&world).await;
    let intent = world.data_dir().join("agent-zero/intent.json");
    let written = std::fs::read(&intent).unwrap();
    std::fs::remove_file(&intent).unwrap();
    std::fs::create_dir_all(intent.join("in-the-way")).unwrap();
    world.post_nothing("/api/v1/agent-zero/stop").await.expect(500);
    let after = status(&world).await;
    assert_eq!(
        (&after["running"], &after["process_id"]),
        (&json!(true), &before["process_id"])
    );
    std::fs::remove_dir_all(&intent).unwrap();
    std::fs::write(&intent, written).unwrap();
    // It is still looked after.
    stand_in.tell("crash 7").await;
    eventually_within(Duration::from_secs(30), "it runs again", async || {
        match status(&world).await {
            now if now["running"] == true && now["process_id"] != before["process_id"] => Ok(()),
            now => Err(now),
        }
    })
    .await;
    close(world, &stand_in).await;
}

#[tokio::test]
async fn a_start_that_nobody_asked_for_is_tried_again_when_something_passing_is_in_its_way() {
    let stand_in = StandIn::install(&json!({}));
    let world = world_of(&stand_in).await;
    start(&world).await;
    let python = std::fs::read_to_string(stand_in.path().join("python")).unwrap();
    stand_in.write_python("#!/bin/sh\nexit 1\n");
    stand_in.tell("crash 7").await;
    eventually("its start has failed and is tried again", async || {
        match status(&world).await {
            now if now["state"] == "backing_off" && now["reason"].to_string().contains("its version") => Ok(()),
            now => Err(now),
        }
    })
    .await;
    stand_in.write_python(&python);
    let again = eventually_within(Duration::from_secs(30), "it runs again", async || {
        match status(&world).await {
            now if now["running"] == true => Ok(now),
            now => Err(now),
        }
    })
    .await;
    assert_eq!(again["restarts"], 1);
    close(world, &stand_in).await;
}
