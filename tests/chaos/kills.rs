//! `kill -9` of BorgOS at any moment of a deploy: the deployment still ends up as it should, and never twice.

use std::time::Duration;

use serde_json::json;
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};

use super::{
    chance::Chance,
    scene::{Deployed, containers, project},
};
use crate::support::{Backend, Runtime, Setup, World};

/// Kills one deploy after the other, each at a later moment, from right after its request to shortly after its end.
async fn deploys_survive_kills(setup: Setup, num_kills: u32) {
    let mut random = Chance::new();
    let mut world = setup.start().await;
    let project = project(&world, "killed", "0.5");
    let project_id = world.create_project("killed", project.path()).await;

    let start = Instant::now();
    let deployed = Deployed::begin(&world, project_id, "unharmed", &json!({})).await;
    world.deployment_is(deployed.id, "running").await;
    let duration = start.elapsed().mul_f64(1.1);
    world.delete(&deployed.path()).await.expect(200);

    for number in 0..num_kills {
        // No layer of the image may come from the cache.
        project.set_version(&format!("version {number}"));
        let part = duration / num_kills;
        let moment = part * number + random.moment(part);
        eprintln!("kill {number} after {moment:?} of {duration:?}");
        survives_a_kill(&mut world, project_id, moment).await;
    }
    world.close().await;
}

async fn survives_a_kill(world: &mut World, project_id: i64, moment: Duration) {
    let deployed = Deployed::begin(world, project_id, "killed", &json!({})).await;
    let twins = Twins::watch(world, deployed.id).await;
    sleep(moment).await;
    world.kill_9().await;
    world.boot().await;
    let row = deployed.is_truly_running(world).await;
    assert_eq!(row["restarts"], 0, "{row}");
    twins.assert_none().await;
    world.delete(&deployed.path()).await.expect(200);
    let left = deployed.really_there(world).await;
    assert!(left.is_empty(), "{left:?}");
}

/// Looks out for a second instance of a deployment, for as long as it exists.
struct Twins {
    watcher: JoinSet<()>,
}

impl Twins {
    async fn watch(world: &World, deployment: i64) -> Self {
        let mut watcher = JoinSet::new();
        if world.runtime() == Runtime::Docker {
            let instance = world.instance().await;
            watcher.spawn(async move {
                loop {
                    let found = containers(&instance, deployment).await;
                    assert!(found.len() <= 1, "two at a time: {found:?}");
                    sleep(Duration::from_millis(20)).await;
                }
            });
        }
        Self { watcher }
    }

    async fn assert_none(mut self) {
        if let Some(ended) = self.watcher.try_join_next() {
            ended.expect("no deployment has two containers at a time");
        }
    }
}

#[tokio::test]
async fn deploys_of_containers_survive_kills() {
    deploys_survive_kills(Setup::new(Runtime::Docker), 10).await;
}

#[tokio::test]
async fn deploys_of_processes_survive_kills() {
    deploys_survive_kills(Setup::new(Runtime::Process), 12).await;
}

#[tokio::test]
async fn deploys_of_containers_survive_kills_on_postgresql() {
    deploys_survive_kills(Setup::new(Runtime::Docker).backend(Backend::Postgres), 4).await;
}

#[tokio::test]
async fn deploys_of_processes_survive_kills_on_postgresql() {
    deploys_survive_kills(Setup::new(Runtime::Process).backend(Backend::Postgres), 4).await;
}
