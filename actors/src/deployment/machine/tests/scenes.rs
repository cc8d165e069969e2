//! What is expected in so many words.

use super::*;

fn settled() -> World {
    let mut world = World::new();
    assert!(world.settle());
    world
}

fn steps_to_rest(world: &mut World) -> Vec<Step> {
    let mut steps = Vec::new();
    while world.next() != Step::Rest {
        steps.push(world.next());
        world.take(usize::MAX);
    }
    steps
}

#[test]
fn a_first_deploy_goes_through_its_states_once() {
    let mut world = World::new();
    assert_eq!(world.next(), Step::Hold);
    world.take(usize::MAX);
    world.take(usize::MAX);
    assert_eq!((world.status, world.next()), (Status::Building, Step::Rest));
    world.apply(&Happening::BuildEnds);
    let steps = steps_to_rest(&mut world);
    assert!(
        matches!(steps[..], [Step::Start, Step::AwaitHealth { .. }]),
        "{steps:?}"
    );
    assert_eq!(world.status, Status::Running);
}

#[test]
fn a_running_instance_is_adopted_and_not_started_again() {
    let mut world = settled();
    world.apply(&Happening::ActorRestarts);
    let steps = steps_to_rest(&mut world);
    assert!(matches!(steps[..], [Step::Route(_)]), "{steps:?}");
    assert_eq!(world.num_created, 1);
}

#[test]
fn a_restart_on_request_starts_a_new_instance_before_the_old_one_is_retired() {
    let mut world = settled();
    world.apply(&Happening::RestartRequested);
    let steps = steps_to_rest(&mut world);
    assert!(
        matches!(steps[..], [Step::Start, Step::AwaitHealth { .. }, Step::Retire(_)]),
        "{steps:?}"
    );
}

#[test]
fn a_release_that_does_not_become_healthy_is_retired_and_the_old_one_stays() {
    let mut world = settled();
    let live = world.live.clone();
    world.apply(&Happening::ReleaseRequested);
    assert_eq!(world.next(), Step::Rest);
    world.apply(&Happening::BuildEnds);
    world.take(usize::MAX);
    world.apply(&Happening::HealthFails);
    let steps = steps_to_rest(&mut world);
    assert!(matches!(steps[..], [Step::Retire(_)]), "{steps:?}");
    assert_eq!((&world.live, &world.route), (&live, &live));
}

#[test]
fn a_live_instance_that_ends_during_a_rollout_leaves_the_candidate_to_take_over() {
    let mut world = settled();
    world.apply(&Happening::ReleaseRequested);
    world.apply(&Happening::BuildEnds);
    world.take(usize::MAX);
    world.apply(&Happening::LiveExits);
    let steps = steps_to_rest(&mut world);
    assert!(
        matches!(
            steps[..],
            [
                Step::RecordExit { .. },
                Step::Hold,
                Step::Retire(_),
                Step::Record(Status::Starting),
                Step::Adopt(_),
                Step::AwaitHealth { .. }
            ]
        ),
        "{steps:?}"
    );
}

#[test]
fn a_live_instance_that_ends_during_a_build_is_started_again_meanwhile() {
    let mut world = settled();
    world.apply(&Happening::ReleaseRequested);
    world.apply(&Happening::LiveExits);
    let steps = steps_to_rest(&mut world);
    assert!(
        matches!(
            steps[..],
            [
                Step::RecordExit { .. },
                Step::Hold,
                Step::Retire(_),
                Step::StartEarlier,
                Step::AwaitHealth { .. }
            ]
        ),
        "{steps:?}"
    );
    assert_eq!((world.status, world.target), (Status::Running, ReleaseState::Unbuilt));
    world.apply(&Happening::BuildEnds);
    let steps = steps_to_rest(&mut world);
    assert!(
        matches!(steps[..], [Step::Start, Step::AwaitHealth { .. }, Step::Retire(_)]),
        "{steps:?}"
    );
}

#[test]
fn an_earlier_release_that_does_not_come_up_again_is_no_failure_of_the_one_being_built() {
    let mut world = settled();
    world.apply(&Happening::ReleaseRequested);
    world.apply(&Happening::LiveExits);
    while !matches!(world.next(), Step::AwaitHealth { .. }) {
        world.take(usize::MAX);
    }
    world.apply(&Happening::HealthFails);
    assert_eq!(
        (world.status, world.target),
        (Status::Restarting, ReleaseState::Unbuilt)
    );
    world.apply(&Happening::BuildEnds);
    let steps = steps_to_rest(&mut world);
    assert!(steps.contains(&Step::Start), "{steps:?}");
    assert_eq!(world.status, Status::Running);
}

#[test]
fn what_was_told_to_stop_waits_for_the_build_of_its_next_release() {
    let mut world = settled();
    world.apply(&Happening::StopRequested);
    steps_to_rest(&mut world);
    world.apply(&Happening::ReleaseRequested);
    let steps = steps_to_rest(&mut world);
    assert_eq!((steps, world.status), (vec![Step::Hold], Status::Building));
}

#[test]
fn an_instance_that_stays_unhealthy_is_retired_and_not_tried_again() {
    let mut world = settled();
    world.apply(&Happening::LiveStaysUnhealthy);
    let steps = steps_to_rest(&mut world);
    assert!(
        matches!(
            steps[..],
            [Step::Hold, Step::Retire(_), Step::Start, Step::AwaitHealth { .. }]
        ),
        "{steps:?}"
    );
}

#[test]
fn a_second_restart_leaves_the_first_one_its_candidate() {
    let mut world = settled();
    world.apply(&Happening::RestartRequested);
    world.take(usize::MAX);
    world.apply(&Happening::RestartRequested);
    let steps = steps_to_rest(&mut world);
    assert!(
        matches!(steps[..], [Step::AwaitHealth { .. }, Step::Retire(_)]),
        "{steps:?}"
    );
}

#[test]
fn a_start_that_was_begun_but_not_made_is_no_loss() {
    let mut world = World::new();
    world.take(usize::MAX);
    world.take(usize::MAX);
    world.apply(&Happening::BuildEnds);
    world.take(1);
    assert_eq!((world.status, world.next()), (Status::Starting, Step::Start));
}

#[test]
fn an_instance_that_disappears_is_recorded_before_it_is_replaced() {
    let mut world = settled();
    world.apply(&Happening::RemovedFromOutside);
    assert!(matches!(world.next(), Step::RecordVanished(_)));
}

#[test]
fn a_leftover_of_an_older_generation_is_retired_first() {
    let mut world = settled();
    let mut leftover = world.instances[0].clone();
    leftover.generation = Generation(0);
    leftover.instance = InstanceRef("leftover".to_owned());
    world.instances.push(leftover.clone());
    assert_eq!(world.next(), Step::Retire(leftover.instance));
}

#[test]
fn the_port_is_free_before_the_instance_is_stopped() {
    let mut world = settled();
    world.apply(&Happening::StopRequested);
    let steps = steps_to_rest(&mut world);
    assert!(
        matches!(
            steps[..],
            [
                Step::Record(Status::Stopping),
                Step::Unroute,
                Step::Stop(_),
                Step::Remove(_),
                Step::Record(Status::Stopped)
            ]
        ),
        "{steps:?}"
    );
}

#[test]
fn a_failed_build_rests_until_a_restart_is_asked_for() {
    let mut world = World::new();
    world.take(usize::MAX);
    world.take(usize::MAX);
    world.apply(&Happening::BuildFails);
    assert_eq!((world.status, world.next()), (Status::Failed, Step::Unroute));
    world.take(usize::MAX);
    assert_eq!(world.next(), Step::Rest);
    world.apply(&Happening::RestartRequested);
    assert_eq!(world.next(), Step::Hold);
}

#[test]
fn no_start_before_the_back_off_is_over() {
    let facts = Facts {
        desired: Desired::Running,
        status: Status::CrashLooping,
        target: ReleaseState::Ready,
        rests_as: Status::Stopped,
        is_exclusive: false,
        has_earlier: false,
        is_rolling_out: false,
        generation: Generation(3),
        live: None,
        candidate: None,
        instances: &[],
        retiring: None,
        routed: Routed::Held,
        has_unroute_failed: false,
        is_retry_due: false,
    };
    assert_eq!(next(&facts), Step::AwaitRetry);
    assert_eq!(
        next(&Facts {
            is_retry_due: true,
            ..facts
        }),
        Step::Start
    );
}
