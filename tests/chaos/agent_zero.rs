//! Agent Zero killed, frozen and in a crash loop, and BorgOS killed while it runs.

use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::chance::Chance;
use crate::support::{Runtime, Setup, StandIn, World, eventually, eventually_within, processes};

async fn running(options: &Value) -> (World, StandIn) {
    let stand_in = StandIn::install(options);
    let world = stand_in.introduce(Setup::new(Runtime::Process)).start().await;
    world.post_nothing("/api/v1/agent-zero/start").await.expect(200);
    (world, stand_in)
}

async fn status(world: &World) -> Value {
    world.get("/api/v1/agent-zero/status").await.expect(200)
}

fn pid(status: &Value) -> Pid {
    let number = status["process_id"]
        .as_i64()
        .and_then(|number| i32::try_from(number).ok());
    number
        .and_then(Pid::from_raw)
        .unwrap_or_else(|| panic!("no process: {status}"))
}

/// Waits until it runs as another process than before.
async fn running_again(world: &World, before: &Value) -> Value {
    eventually_within(
        Duration::from_secs(90),
        "Agent Zero runs again",
        async || match status(world).await {
            now if now["running"] == true && now["process_id"] != before["process_id"] => Ok(now),
            now => Err(now),
        },
    )
    .await
}

async fn close(world: World, stand_in: &StandIn) {
    world.post_nothing("/api/v1/agent-zero/stop").await.expect(200);
    stand_in.assert_gone();
    world.close().await;
}

/// Has it start children, one of which leaves its session, and returns when both run.
async fn with_children(stand_in: &StandIn) {
    stand_in.tell("spawn").await;
    eventually("its children run", async || {
        let sleepers = stand_in.processes();
        let sleepers = sleepers
            .into_iter()
            .filter(|(_, command)| command.contains("sleep 100"));
        match sleepers.count() {
            2 => Ok(()),
            number => Err(number),
        }
    })
    .await;
}

#[tokio::test]
async fn it_is_started_again_when_it_is_killed_and_leaves_no_children() {
    let (world, stand_in) = running(&json!({})).await;
    let before = status(&world).await;
    with_children(&stand_in).await;
    kill_process(pid(&before), Signal::KILL).unwrap();
    let after = running_again(&world, &before).await;
    assert_eq!(after["restarts"], 1);
    let sleepers = stand_in
        .processes()
        .into_iter()
        .filter(|(_, command)| command.contains("sleep 100"));
    assert_eq!(sleepers.count(), 0, "{:?}", stand_in.processes());
    let errors = world
        .get("/api/v1/errors?error_type=agent_zero_ended")
        .await
        .expect(200);
    assert_eq!(errors[0]["message"], "Agent Zero: it was killed by signal 9");
    with_children(&stand_in).await;
    close(world, &stand_in).await;
}

#[tokio::test]
async fn an_end_by_itself_is_no_reason_to_stay_away() {
    let (world, stand_in) = running(&json!({})).await;
    let before = status(&world).await;
    stand_in.tell("crash 0").await;
    running_again(&world, &before).await;
    close(world, &stand_in).await;
}

#[tokio::test]
async fn it_outlives_borgos_and_is_adopted() {
    let (mut world, stand_in) = running(&json!({})).await;
    let before = status(&world).await;
    with_children(&stand_in).await;
    for is_killed in [true, false, true] {
        match is_killed {
            true => world.kill_9().await,
            false => world.terminate().await,
        }
        world.boot().await;
        let after = eventually("it is adopted", async || match status(&world).await {
            now if now["running"] == true => Ok(now),
            now => Err(now),
        })
        .await;
        assert_eq!(after["process_id"], before["process_id"]);
    }
    world
        .post_nothing("/api/v1/actors/agent-zero/restart")
        .await
        .expect(200);
    let after = eventually("the new actor has it", async || match status(&world).await {
        now if now["running"] == true && now["since"] != before["since"] => Ok(now),
        now => Err(now),
    })
    .await;
    assert_eq!(after["process_id"], before["process_id"]);
    stand_in.tell("complain").await;
    eventually("its output is read", async || {
        let errors = world.get("/api/v1/errors?error_type=rate_limited").await.expect(200);
        match errors.as_array().map(Vec::len) {
            Some(1) => Ok(()),
            _ => Err(errors),
        }
    })
    .await;
    assert_eq!(stand_in.num_in_ledger("started"), 1);
    close(world, &stand_in).await;
}

/// From right after the request to when it is ready: the next BorgOS has one of it, whatever this one had come to.
#[tokio::test]
async fn a_start_survives_a_kill_of_borgos_at_any_moment() {
    let mut random = Chance::new();
    let stand_in = StandIn::install(&json!({"start_seconds": 0.3}));
    let mut world = stand_in.introduce(Setup::new(Runtime::Process)).start().await;
    for number in 0..6 {
        let moment = Duration::from_millis(150 * number) + random.moment(Duration::from_millis(150));
        let starting = world.post_nothing("/api/v1/agent-zero/start");
        let is_ready = timeout(moment, starting).await.is_ok();
        world.kill_9().await;
        world.boot().await;
        // The kill may have come before the order was written down, or even taken.
        let state = eventually("it has settled", async || match status(&world).await {
            now if now["running"] == true => Ok(now),
            now if now["state"] == "stopped" && !is_ready => Ok(now),
            now => Err(now),
        })
        .await;
        let num_running = stand_in.processes().len();
        assert_eq!(
            num_running == 1,
            state["running"] == true,
            "after {moment:?}: {state} {:?}",
            stand_in.processes()
        );
        world.post_nothing("/api/v1/agent-zero/stop").await.expect(200);
        stand_in.assert_gone();
    }
    world.close().await;
}

/// Nobody is left who could see how it ends; what it has started runs on by itself.
#[tokio::test]
async fn nothing_is_left_unowned_when_borgos_and_the_keeper_and_it_are_killed() {
    let (mut world, stand_in) = running(&json!({})).await;
    let before = status(&world).await;
    with_children(&stand_in).await;
    world.kill_9().await;
    let keepers = processes(&world.data_dir()).into_iter();
    for (keeper, _) in keepers.filter(|(_, command)| command.contains(" keeper ")) {
        kill_process(keeper, Signal::KILL).unwrap();
    }
    kill_process(pid(&before), Signal::KILL).unwrap();
    world.boot().await;
    running_again(&world, &before).await;
    let left = stand_in.processes();
    assert_eq!(left.len(), 1, "{left:?}");
    close(world, &stand_in).await;
}

#[tokio::test]
async fn a_stop_does_not_wait_for_one_that_hangs() {
    let (world, stand_in) = running(&json!({})).await;
    with_children(&stand_in).await;
    stand_in.tell("hang").await;
    close(world, &stand_in).await;
}

#[tokio::test]
async fn a_stop_that_borgos_did_not_survive_is_carried_out_by_the_next() {
    let (mut world, stand_in) = running(&json!({})).await;
    stand_in.tell("hang").await;
    let stopping = world.post_nothing("/api/v1/agent-zero/stop");
    let is_stopping = eventually("it is being stopped", async || match status(&world).await {
        now if now["state"] == "stopping" => Ok(()),
        now => Err(now),
    });
    tokio::select! {
        answer = stopping => panic!("too early: {answer:?}"),
        () = is_stopping => {}
    }
    world.kill_9().await;
    world.boot().await;
    eventually("it was stopped", async || match status(&world).await {
        now if now["state"] == "stopped" && stand_in.processes().is_empty() => Ok(()),
        now => Err(now),
    })
    .await;
    close(world, &stand_in).await;
}

#[tokio::test]
async fn one_that_does_not_answer_is_replaced() {
    let (world, stand_in) = running(&json!({})).await;
    let before = status(&world).await;
    kill_process(pid(&before), Signal::STOP).unwrap();
    let after = running_again(&world, &before).await;
    assert_eq!(after["restarts"], 1);
    close(world, &stand_in).await;
}

#[tokio::test]
async fn a_crash_loop_is_given_up_until_somebody_starts_it() {
    let (mut world, stand_in) = running(&json!({})).await;
    stand_in.set(&json!({"fault": "crash"}));
    kill_process(pid(&status(&world).await), Signal::KILL).unwrap();
    let failed = eventually_within(Duration::from_secs(60), "it is given up", async || {
        match status(&world).await {
            now if now["state"] == "failed" => Ok(now),
            now => Err(now),
        }
    })
    .await;
    assert!(failed["reason"].as_str().unwrap().contains("code 9"), "{failed}");
    assert_eq!(stand_in.num_in_ledger("started"), 5);
    // The next BorgOS does not try either.
    world.restart().await;
    eventually("it is still given up", async || match status(&world).await {
        now if now["state"] == "failed" => Ok(()),
        now => Err(now),
    })
    .await;
    assert_eq!(stand_in.num_in_ledger("started"), 5);
    stand_in.set(&json!({}));
    world.post_nothing("/api/v1/agent-zero/start").await.expect(200);
    close(world, &stand_in).await;
}
