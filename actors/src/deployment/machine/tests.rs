//! Plays the machine against a small model of a runtime, with everything that can go wrong in between.

use super::*;

mod model;
mod scenes;

use model::{Happening, World};

use proptest::prelude::*;

fn happenings() -> impl Strategy<Value = Vec<Happening>> {
    let happening = prop_oneof![
        6 => Just(Happening::StepTaken),
        3 => (0..3_usize).prop_map(Happening::StepTornAfter),
        2 => Just(Happening::BuildEnds),
        1 => Just(Happening::BuildFails),
        1 => Just(Happening::LiveExits),
        1 => Just(Happening::CandidateExits),
        1 => Just(Happening::LiveStaysUnhealthy),
        1 => Just(Happening::RemovedFromOutside),
        1 => Just(Happening::StopRequested),
        1 => Just(Happening::RestartRequested),
        1 => Just(Happening::ReleaseRequested),
        1 => Just(Happening::HealthFails),
        1 => Just(Happening::ActorRestarts),
    ];
    prop::collection::vec(happening, 0..80)
}

proptest! {
    #[test]
    fn whatever_happens_there_are_never_more_than_two_instances_and_it_settles(happenings in happenings()) {
        let mut world = World::new();
        for happening in &happenings {
            world.apply(happening);
            prop_assert!(world.num_running() <= 2, "{world:?}");
            prop_assert!(world.num_running_of(world.generation) <= 1, "{world:?}");
        }
        prop_assert!(world.settle(), "{world:?}");
        match (world.desired, world.status) {
            (Desired::Stopped, status) => {
                prop_assert_eq!(status, Status::Stopped);
                prop_assert!(world.instances.is_empty());
                prop_assert_eq!(world.route, None);
            }
            (Desired::Running, Status::Failed) => {
                prop_assert!(world.instances.is_empty());
                prop_assert!(world.route.is_none() && !world.is_held);
            }
            (Desired::Running, status) => {
                prop_assert_eq!(status, Status::Running);
                prop_assert_eq!(world.instances.len(), 1);
                prop_assert_eq!(world.live.as_ref(), Some(&world.instances[0].instance));
                prop_assert_eq!(&world.route, &world.live);
            }
        }
    }

    #[test]
    fn whatever_happens_no_two_instances_write_to_the_same_volumes(happenings in happenings()) {
        let mut world = World::new();
        world.is_exclusive = true;
        for happening in &happenings {
            world.apply(happening);
            prop_assert!(world.num_running() <= 1, "{world:?}");
        }
        prop_assert!(world.settle(), "{world:?}");
        let is_up = world.desired == Desired::Running && world.status != Status::Failed;
        prop_assert_eq!(world.instances.len(), usize::from(is_up));
    }

    #[test]
    fn while_only_releases_come_and_fail_the_app_is_never_without_an_instance(
        happenings in prop::collection::vec(
            prop_oneof![
                4 => Just(Happening::StepTaken),
                2 => (0..3_usize).prop_map(Happening::StepTornAfter),
                1 => Just(Happening::BuildEnds),
                1 => Just(Happening::BuildFails),
                1 => Just(Happening::CandidateExits),
                1 => Just(Happening::RestartRequested),
                1 => Just(Happening::ReleaseRequested),
                1 => Just(Happening::HealthFails),
                1 => Just(Happening::ActorRestarts),
            ],
            0..80,
        )
    ) {
        let mut world = World::new();
        prop_assert!(world.settle());
        for happening in &happenings {
            world.apply(happening);
            prop_assert_eq!(world.status, Status::Running);
            // A candidate that took over and ended before that was recorded is served until the next look.
            if !world.is_route_known {
                continue;
            }
            let route = world.route.as_ref();
            let served = world.instances.iter().find(|seen| Some(&seen.instance) == route);
            prop_assert!(
                served.is_some_and(|seen| matches!(seen.state, InstanceState::Running { .. })),
                "{world:?}"
            );
        }
    }
}
