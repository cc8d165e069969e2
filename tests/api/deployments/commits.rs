//! Releases of a commit rather than of the project's directory.

use std::fs;

use serde_json::{Value, json};

use super::{answers, deploy};
use crate::support::{Runtime, Setup, World, commit, eventually, free_port, git, versioned};

async fn newest_release(world: &World, id: i64) -> Value {
    let releases = world
        .get(&format!("/api/v1/deployments/{id}/releases"))
        .await
        .expect(200);
    releases[0].clone()
}

#[tokio::test]
async fn a_commit_is_built_beside_the_directory_and_known_by_its_id() {
    let world = Setup::new(Runtime::Docker).start().await;
    let project = versioned(&world);
    let port = free_port();
    let id = deploy(&world, project.path(), json!({"port": port, "source_ref": "v1"})).await;
    let row = world.deployment_is(id, "running").await;
    assert_eq!(row["source_ref"], "v1");
    answers(port, "one").await;
    let release = newest_release(&world, id).await;
    assert_eq!(release["source_commit"], git(project.path(), &["rev-parse", "v1"]));
    assert_eq!(release["plan"]["source"], "dockerfile");

    // A branch is followed: what it means is found out by each release.
    let redeploy = format!("/api/v1/deployments/{id}/redeploy");
    world.post(&redeploy, &json!({"source_ref": "main"})).await.expect(202);
    answers(port, "two").await;
    let newest = commit(&project, "three");
    project.set_version("not committed");
    world.post(&redeploy, &json!({})).await.expect(202);
    answers(port, "three").await;
    assert_eq!(newest_release(&world, id).await["source_commit"], newest);

    world.post(&redeploy, &json!({"source_ref": null})).await.expect(202);
    answers(port, "not committed").await;
    assert_eq!(newest_release(&world, id).await["source_commit"], Value::Null);
    eventually("no work directory is left", async || {
        let left = fs::read_dir(world.data_dir().join("checkouts")).unwrap().count();
        if left == 0 { Ok(()) } else { Err(left) }
    })
    .await;
    world.close().await;
}

#[tokio::test]
async fn a_commit_that_cannot_be_built_is_refused_or_fails_and_harms_nothing() {
    let world = Setup::new(Runtime::Docker).start().await;
    let project = versioned(&world);
    let port = free_port();
    let id = deploy(&world, project.path(), json!({"port": port, "source_ref": "main"})).await;
    world.deployment_is(id, "running").await;
    let redeploy = format!("/api/v1/deployments/{id}/redeploy");
    for name in [
        "--upload-pack=touch /tmp/x",
        "-x",
        "a b",
        "main:www",
        "main^{tree}",
        "../x",
        "",
    ] {
        let refused = world.post(&redeploy, &json!({"source_ref": name})).await.expect(400);
        assert_eq!(refused["code"], "INVALID_FIELD", "{name}");
    }
    let refused = world.post(&redeploy, &json!({"source_ref": "v9"})).await.expect(422);
    assert_eq!(refused["code"], "SOURCE_REF_NOT_FOUND");

    // The remote is asked by the build, and its protocol is not among the usual ones.
    git(project.path(), &["remote", "add", "origin", "ext::sh -c touch% /tmp/x"]);
    world.post(&redeploy, &json!({"source_ref": "v9"})).await.expect(422);
    git(
        project.path(),
        &["remote", "set-url", "origin", "https://127.0.0.1:1/x.git"],
    );
    world.post(&redeploy, &json!({"source_ref": "v9"})).await.expect(202);
    let failed = eventually("the release failed", async || {
        let release = newest_release(&world, id).await;
        if release["status"] == "failed" {
            Ok(release)
        } else {
            Err(release)
        }
    })
    .await;
    let reason = failed["reason"].as_str().unwrap();
    assert!(
        reason.contains("v9") && reason.contains("cannot be checked out"),
        "{reason}"
    );
    answers(port, "two").await;

    let bare = world.project("bare", "one");
    let project_id = world.create_project("bare", bare.path()).await;
    let body = json!({"project_id": project_id, "port": free_port(), "source_ref": "main"});
    assert_eq!(
        world.post("/api/v1/deploy", &body).await.expect(422)["code"],
        "NOT_A_REPOSITORY"
    );
    let body = json!({"project_id": project_id, "port": free_port(), "source_ref": "main", "image": "app:1"});
    assert_eq!(
        world.post("/api/v1/deploy", &body).await.expect(400)["code"],
        "INVALID_FIELD"
    );
    world.close().await;
}

#[tokio::test]
async fn a_process_runs_where_its_project_is() {
    let world = Setup::new(Runtime::Process).start().await;
    let project = versioned(&world);
    let project_id = world.create_project("versioned", project.path()).await;
    let body = json!({"project_id": project_id, "port": free_port(), "source_ref": "v1"});
    let refused = world.post("/api/v1/deploy", &body).await.expect(422);
    assert_eq!(refused["code"], "SOURCE_REF_NEEDS_DOCKER");
    world.close().await;
}
