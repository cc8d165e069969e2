//! Scans, asked for and waited for.

use serde_json::{Value, json};

use super::{World, eventually};

/// Asks for a scan and waits for its end. Returns the project.
pub(crate) async fn scan(world: &World, id: i64) -> Value {
    let before = started_at(&world.get(&format!("/api/v1/projects/{id}")).await.expect(200));
    let answer = world
        .post_nothing(&format!("/api/v1/projects/{id}/scan"))
        .await
        .expect(202);
    assert_eq!(answer, json!({"message": format!("Scan initiated for project {id}")}));
    scanned_since(world, id, &before).await
}

/// Waits until a scan has begun that is not the one of before, and has ended.
pub(crate) async fn scanned_since(world: &World, id: i64, before: &Value) -> Value {
    eventually("the project is scanned", async || {
        let project = world.get(&format!("/api/v1/projects/{id}")).await.expect(200);
        let is_done = !started_at(&project).is_null() && started_at(&project) != *before;
        if is_done { Ok(project) } else { Err(project) }
    })
    .await
}

fn started_at(project: &Value) -> Value {
    project["metadata"]["scan"]["started_at"].clone()
}
