//! A port belongs to one deployment, whatever the timing.

use std::net::TcpListener;

use futures_util::future::join_all;
use serde_json::json;

use super::{answers, deploy};
use crate::{
    api::everywhere::on_both_databases,
    support::{Runtime, Setup, free_port},
};

/// As many deploys at once.
const NUM_RACERS: usize = 200;

#[tokio::test]
async fn of_many_deploys_to_one_port_exactly_one_wins() {
    on_both_databases(async |world| {
        let directory = world.project("raced", "one");
        let project_id = world.create_project("raced", directory.path()).await;
        let port = free_port();
        let bodies: Vec<_> = (0..NUM_RACERS)
            .map(|racer| json!({"project_id": project_id, "name": format!("racer-{racer}"), "port": port}))
            .collect();
        let answers_to_all = join_all(bodies.iter().map(|body| world.post("/api/v1/deploy", body))).await;
        let (winners, losers): (Vec<_>, Vec<_>) = answers_to_all.into_iter().partition(|answer| answer.status == 201);
        assert_eq!(winners.len(), 1, "not exactly one won");
        for loser in losers {
            let body = loser.expect(400);
            assert_eq!(body["code"], "PORT_IN_USE");
            assert_eq!(body["error"], "Invalid request");
            let message = body["message"].as_str().unwrap();
            assert!(
                message.starts_with(&format!("Port {port} is already in use")),
                "{message}"
            );
        }
        let list = world.get("/api/v1/deployments").await;
        assert_eq!(list.header("x-total-count"), "1");
        answers(port, "one").await;
    })
    .await;
}

#[tokio::test]
async fn of_many_deploys_by_one_name_exactly_one_wins() {
    on_both_databases(async |world| {
        let directory = world.project("named", "one");
        let project_id = world.create_project("named", directory.path()).await;
        let bodies: Vec<_> = (0..20)
            .map(|_| json!({"project_id": project_id, "name": "the-one", "port": free_port()}))
            .collect();
        let answers_to_all = join_all(bodies.iter().map(|body| world.post("/api/v1/deploy", body))).await;
        let (winners, losers): (Vec<_>, Vec<_>) = answers_to_all.into_iter().partition(|answer| answer.status == 201);
        assert_eq!(winners.len(), 1, "not exactly one won");
        for loser in losers {
            assert_eq!(loser.expect(409)["code"], "NAME_IN_USE");
        }
    })
    .await;
}

#[tokio::test]
async fn a_port_that_another_program_holds_is_refused_with_its_name() {
    let world = Setup::new(Runtime::Process).start().await;
    let directory = world.project("late", "one");
    let project_id = world.create_project("late", directory.path()).await;
    let held = TcpListener::bind(("127.0.0.1", 8080)).unwrap();
    let num_rows = world.num_rows().await;

    let body = json!({"project_id": project_id, "port": 8080});
    let refused = world.post("/api/v1/deploy", &body).await.expect(400);
    assert_eq!(
        (&refused["code"], &refused["error"]),
        (&json!("PORT_IN_USE"), &json!("Invalid request"))
    );
    let message = refused["message"].as_str().unwrap();
    assert!(message.starts_with("Port 8080 is already in use"), "{message}");
    let holder = format!("(pid {})", std::process::id());
    assert!(message.contains(&holder), "{message} does not name {holder}");
    assert_eq!(world.num_rows().await, num_rows);

    drop(held);
    world.post("/api/v1/deploy", &body).await.expect(201);
    answers(8080, "one").await;
    world.close().await;
}

#[tokio::test]
async fn a_port_of_another_deployment_is_refused_with_its_name() {
    let world = Setup::new(Runtime::Process).start().await;
    let directory = world.project("first", "one");
    let port = free_port();
    let id = deploy(&world, directory.path(), json!({"port": port, "name": "first"})).await;
    world.deployment_is(id, "running").await;
    world
        .post(&format!("/api/v1/deployments/{id}/stop"), &json!({}))
        .await
        .expect(200);
    let body = json!({"project_id": 1, "port": port, "name": "second"});
    let refused = world.post("/api/v1/deploy", &body).await.expect(400);
    assert_eq!(refused["code"], "PORT_IN_USE", "a stopped deployment keeps its port");
    assert_eq!(
        refused["message"],
        format!("Port {port} is already in use by deployment `first`")
    );
    world.close().await;
}
