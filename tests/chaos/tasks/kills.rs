//! Tasks that BorgOS is killed over again and again, and programs that work on them as well.

use rustix::process::{Signal, kill_process};

use super::*;
use crate::chaos::chance::Chance;

/// Kills BorgOS again and again, each time at a moment of more tasks, and one of the programs just before that.
async fn tasks_survive_kills(setup: Setup, num_tasks: usize, num_kills: usize) {
    let mut random = Chance::new();
    let mut world = setup.config(&agents()).start().await;
    let scene = Scene::new(&world).await;
    let mut ids = Vec::new();
    for _ in 0..num_kills {
        let before = num_completed(&world).await;
        ids.extend(scene.create_many(&world, "ledger", num_tasks / num_kills).await);
        eventually("more tasks are done", async || match num_completed(&world).await {
            seen if seen > before => Ok(()),
            seen => Err(seen),
        })
        .await;
        sleep(random.moment(Duration::from_millis(600))).await;
        let programs = world.deployed_processes();
        if let Some((program, _)) = programs.iter().find(|(_, command)| command.starts_with("sh ")) {
            // It may have ended meanwhile.
            let _ = kill_process(*program, Signal::KILL);
        }
        world.kill_9().await;
        world.boot().await;
    }
    all_completed(&world, num_tasks).await;

    let ledger = ledger(&scene.directory);
    let lines_of = |kind: &str, id: i64| {
        let prefix = format!("{kind} {id} ");
        let lines = ledger.iter().filter(move |(line, _)| line.starts_with(&prefix));
        lines.map(|(line, count)| (line.clone(), *count)).collect::<Vec<_>>()
    };
    let mut num_repeated = 0;
    for id in ids {
        let task = task(&world, id).await;
        let attempts = task["attempts"].as_array().unwrap();
        let (last, broken) = attempts.split_last().unwrap();
        assert_eq!(last["outcome"], "completed", "{task}");
        let is_of_a_kill = |attempt: &Value| attempt["outcome"] == "lost" || attempt["error_kind"] == "exit_code";
        assert!(broken.iter().all(is_of_a_kill), "{task}");
        num_repeated += broken.len();
        // No attempt ran twice, and whatever the ledger has was an attempt.
        let (begun, ended) = (lines_of("begin", id), lines_of("end", id));
        assert!(begun.iter().chain(&ended).all(|(_, count)| *count == 1), "{begun:?}");
        assert!(
            begun.len() <= attempts.len() && ended.len() <= begun.len(),
            "{begun:?} {task}"
        );
        assert!(
            ended.contains(&(format!("end {id} {}", last["number"]), 1)),
            "{ended:?} {task}"
        );
    }
    eprintln!("{num_repeated} attempts were repeated");
    assert!(num_repeated <= num_kills * (CONCURRENCY + 1), "{num_repeated}");
    world.close().await;
}

#[tokio::test]
async fn no_task_is_lost_or_repeated_without_a_crash() {
    tasks_survive_kills(Setup::new(Runtime::Process), 1000, 10).await;
}

#[tokio::test]
async fn no_task_is_lost_or_repeated_without_a_crash_on_postgresql() {
    tasks_survive_kills(Setup::new(Runtime::Process).backend(Backend::Postgres), 300, 5).await;
}
