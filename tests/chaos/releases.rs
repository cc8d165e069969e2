//! New releases under load: no request fails, and a bad release is never served.

use bollard::{models::NetworkDisconnectRequest, query_parameters::KillContainerOptions};
use serde_json::{Value, json};

use super::{
    load::Load,
    scene::{Deployed, TRUTH_TIMEOUT, project},
};
use crate::support::{Project, Runtime, Setup, World, docker, eventually, eventually_within};

const NUM_REDEPLOYS: usize = 20;

async fn deployed(world: &World) -> (Project, Deployed) {
    let project = project(world, "released", "0");
    let project_id = world.create_project("released", project.path()).await;
    let deployed = Deployed::begin(
        world,
        project_id,
        "released",
        &json!({"health_timeout_s": 5, "environment": {"API_KEY": "canary"}}),
    )
    .await;
    world.deployment_is(deployed.id, "running").await;
    (project, deployed)
}

/// Requests a new release and returns its number.
async fn redeploy(world: &World, deployed: &Deployed) -> i64 {
    let answer = world
        .post(&format!("{}/redeploy", deployed.path()), &json!({}))
        .await
        .expect(202);
    answer["release"].as_i64().expect("a number")
}

async fn releases(world: &World, deployed: &Deployed) -> Vec<Value> {
    let listed = world.get(&format!("{}/releases", deployed.path())).await.expect(200);
    listed.as_array().expect("a list").clone()
}

/// Waits until the rollout has ended one way or the other, and returns the release.
async fn has_ended(world: &World, deployed: &Deployed, number: i64) -> Value {
    eventually("the rollout has ended", async || {
        let row = deployed.row(world).await;
        let releases = releases(world, deployed).await;
        let release = releases.iter().find(|release| release["release"] == number).cloned();
        match release {
            Some(release) if row["next_release_id"].is_null() => Ok(release),
            other => Err((row, other)),
        }
    })
    .await
}

async fn no_request_fails_during_redeploys(runtime: Runtime) {
    let world = Setup::new(runtime).start().await;
    let (project, deployed) = deployed(&world).await;
    let load = Load::on(deployed.port);
    for number in 0..NUM_REDEPLOYS {
        project.set_version(&format!("version {}", number % 2));
        let release = redeploy(&world, &deployed).await;
        let ended = has_ended(&world, &deployed, release).await;
        assert_eq!(
            (&ended["status"], &ended["is_serving"]),
            (&json!("ready"), &json!(true)),
            "{ended}"
        );
    }
    let restart = format!("{}/restart", deployed.path());
    world.post(&restart, &json!({})).await.expect(200);
    let rollback = format!("{}/rollback", deployed.path());
    world
        .post(&rollback, &json!({"release": NUM_REDEPLOYS}))
        .await
        .expect(200);
    load.finish().await;

    let row = deployed.is_truly_running(&world).await;
    assert_eq!(row["restarts"], 0, "{row}");
    let serving: Vec<Value> = releases(&world, &deployed).await;
    let serving = serving.iter().find(|release| release["is_serving"] == true);
    assert_eq!(serving.expect("one serves")["release"], NUM_REDEPLOYS);
    world.close().await;
}

#[tokio::test]
async fn no_request_fails_during_redeploys_of_containers() {
    no_request_fails_during_redeploys(Runtime::Docker).await;
}

#[tokio::test]
async fn no_request_fails_during_redeploys_of_processes() {
    no_request_fails_during_redeploys(Runtime::Process).await;
}

#[tokio::test]
async fn a_release_that_does_not_become_healthy_is_never_served() {
    let world = Setup::new(Runtime::Docker).start().await;
    let (project, deployed) = deployed(&world).await;
    let before = deployed.is_truly_running(&world).await;
    let load = Load::on(deployed.port);
    let dockerfile = std::fs::read_to_string(project.path().join("Dockerfile")).expect("it was written");
    for (bad, why) in [
        (
            dockerfile.replace("exec httpd", "echo the last words $API_KEY; exit 3; httpd"),
            "exited with code 3",
        ),
        (dockerfile.replace("-h /www", "-h /nowhere"), "exited with code 1"),
        (
            dockerfile.replace("CMD", "RUN echo breaking && exit 9\nCMD"),
            "could not be built",
        ),
    ] {
        project.write_file("Dockerfile", &bad);
        let number = redeploy(&world, &deployed).await;
        let release = has_ended(&world, &deployed, number).await;
        assert_eq!(
            (&release["status"], &release["is_serving"]),
            (&json!("failed"), &json!(false))
        );
        let reason = release["reason"].as_str().unwrap_or_default();
        assert!(reason.contains(why), "{release}");
        assert_facts(&release, why);
        let refused = world
            .post(&format!("{}/rollback", deployed.path()), &json!({"release": number}))
            .await;
        assert_eq!(refused.expect(409)["code"], "RELEASE_NOT_READY");
    }
    load.finish().await;
    let after = deployed.is_truly_running(&world).await;
    for field in ["container_id", "restarts", "release_id", "started_at"] {
        assert_eq!(after[field], before[field], "{field}");
    }
    let errors = world
        .get(&format!("/api/v1/errors?deployment_id={}", deployed.id))
        .await
        .expect(200);
    assert_eq!(errors.as_array().map(Vec::len), Some(3), "{errors:#}");
    world.close().await;
}

/// Checks that a failed release says how it ended, what was said last and how long each part took.
fn assert_facts(release: &Value, why: &str) {
    let phases: Vec<&str> = release["phases"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|phase| phase["phase"].as_str())
        .collect();
    let lines = |field: &str| release[field].to_string();
    if why == "could not be built" {
        assert_eq!(phases, ["build"], "{release}");
        assert!(
            lines("last_lines").contains("breaking") && lines("build_log").contains("breaking"),
            "{release}"
        );
        return;
    }
    assert!(phases.starts_with(&["build", "start"]), "{release}");
    assert!(lines("build_log").contains("Step 1"), "{release}");
    let code: i64 = why
        .rsplit(' ')
        .next()
        .and_then(|code| code.parse().ok())
        .expect("a code");
    assert_eq!(
        (&release["exit_code"], &release["is_oom"]),
        (&json!(code), &json!(false)),
        "{release}"
    );
    if code == 3 {
        assert!(lines("last_lines").contains("the last words ***"), "{release}");
    }
}

#[tokio::test]
async fn a_candidate_that_cannot_be_reached_is_given_up() {
    let world = Setup::new(Runtime::Docker).start().await;
    let (_project, deployed) = deployed(&world).await;
    let before = deployed.is_truly_running(&world).await;
    let live = deployed.container_id(&world).await;
    let never = json!({"health_check_path": "/never"});
    world.patch(&deployed.path(), &never).await.expect(202);
    let candidate = eventually("the candidate is there", async || {
        let ids = deployed
            .containers(&world)
            .await
            .into_iter()
            .filter_map(|container| container.id);
        ids.into_iter().find(|id| *id != live).ok_or(())
    })
    .await;
    let from = NetworkDisconnectRequest {
        container: candidate,
        force: Some(true),
    };
    docker::client()
        .disconnect_network("bridge", from)
        .await
        .expect("it is connected");
    let release = has_ended(&world, &deployed, 2).await;
    let reason = release["reason"].as_str().unwrap_or_default();
    assert!(reason.contains("cannot be reached"), "{release}");
    let after = deployed.is_truly_running(&world).await;
    for field in ["container_id", "restarts", "release_id", "started_at"] {
        assert_eq!(after[field], before[field], "{field}");
    }
    world.close().await;
}

#[tokio::test]
async fn an_app_that_ends_during_a_build_does_not_wait_for_it() {
    let world = Setup::new(Runtime::Docker).start().await;
    let (project, deployed) = deployed(&world).await;
    let dockerfile = std::fs::read_to_string(project.path().join("Dockerfile")).expect("it was written");
    let slow = dockerfile.replace("RUN sleep 0", "RUN sleep 20");
    project.write_file("Dockerfile", &slow);
    let number = redeploy(&world, &deployed).await;
    let id = deployed.container_id(&world).await;
    let killed = docker::client().kill_container(&id, None::<KillContainerOptions>).await;
    killed.expect("it runs");
    let row = eventually_within(
        TRUTH_TIMEOUT,
        "the earlier release serves again",
        async || match deployed.row(&world).await {
            row if row["restarts"] == 1 && row["status"] == "running" => Ok(row),
            row => Err(row),
        },
    )
    .await;
    assert!(row["next_release_id"].is_number(), "{row}");
    deployed.assert_answers().await;
    let ended = has_ended(&world, &deployed, number).await;
    assert_eq!(ended["is_serving"], true, "{ended}");
    deployed.is_truly_running(&world).await;
    world.close().await;
}

#[tokio::test]
async fn a_rollout_survives_a_kill_at_any_moment() {
    let mut world = Setup::new(Runtime::Docker).start().await;
    let (project, deployed) = deployed(&world).await;
    let load = Load::on(deployed.port);
    for number in 0..4_u32 {
        project.set_version(&format!("version {number}"));
        let release = redeploy(&world, &deployed).await;
        tokio::time::sleep(std::time::Duration::from_millis(150) * number).await;
        world.kill_9().await;
        world.boot().await;
        let ended = has_ended(&world, &deployed, release).await;
        assert_eq!(ended["is_serving"], true, "{ended}");
        eventually_within(TRUTH_TIMEOUT * 4, "one instance is left", async || {
            match deployed.containers(&world).await {
                one if one.len() == 1 => Ok(()),
                others => Err(others.len()),
            }
        })
        .await;
        deployed.is_truly_running(&world).await;
    }
    load.finish().await;
    world.close().await;
}
