//! Plays the machine against a small model of a runtime, with everything that can go wrong in between.

use proptest::prelude::*;

use super::*;
use crate::id::DeploymentId;

/// What happens to the world between two steps.
#[derive(Debug, Clone)]
enum Happening {
    StepTaken,
    /// BorgOS dies in the middle of the next step, after this many of its writes.
    StepTornAfter(usize),
    BuildFails,
    ProgramExits,
    RemovedFromOutside,
    StopRequested,
    RestartRequested,
    HealthFails,
}

/// One write, or one thing that the runtime does.
type Change = Box<dyn FnOnce(&mut World)>;

#[derive(Debug)]
struct World {
    desired: Desired,
    status: Status,
    release: ReleaseState,
    generation: Generation,
    recorded: Option<InstanceRef>,
    instances: Vec<Observation>,
    has_run: bool,
    num_created: usize,
}

impl World {
    fn new() -> Self {
        Self {
            desired: Desired::Running,
            status: Status::Pending,
            release: ReleaseState::Unbuilt,
            generation: Generation::default(),
            recorded: None,
            instances: Vec::new(),
            has_run: false,
            num_created: 0,
        }
    }

    fn next(&self) -> Step {
        next(&Facts {
            desired: self.desired,
            status: self.status,
            release: self.release,
            generation: self.generation,
            recorded: self.recorded.as_ref(),
            instances: &self.instances,
            is_retry_due: true,
        })
    }

    fn apply(&mut self, happening: &Happening) {
        match happening {
            Happening::StepTaken => self.take(usize::MAX),
            Happening::StepTornAfter(num_writes) => self.take(*num_writes),
            Happening::BuildFails if self.next() == Step::Build => {
                self.release = ReleaseState::Failed;
                self.status = Status::Failed;
            }
            Happening::HealthFails => self.fail_health(),
            Happening::ProgramExits => self.instances.iter_mut().for_each(|seen| seen.state = exited()),
            Happening::RemovedFromOutside => self.instances.clear(),
            Happening::StopRequested => self.desired = Desired::Stopped,
            Happening::RestartRequested => {
                self.desired = Desired::Running;
                self.status = Status::Restarting;
            }
            Happening::BuildFails => {}
        }
    }

    fn fail_health(&mut self) {
        if matches!(self.next(), Step::AwaitHealth { .. }) {
            self.status = if self.has_run {
                Status::Restarting
            } else {
                Status::Failed
            };
        }
    }

    /// Takes the next step as the actor does, but stops after `num_writes` changes of the world.
    fn take(&mut self, num_writes: usize) {
        let changes: Vec<Change> = match self.next() {
            Step::Rest | Step::AwaitRetry => vec![],
            Step::Build => vec![
                Box::new(|world| world.status = Status::Building),
                Box::new(|world| world.release = ReleaseState::Ready),
            ],
            Step::Start => vec![
                Box::new(Self::begin_generation),
                Box::new(Self::create),
                Box::new(Self::record_started),
            ],
            Step::Adopt { .. } => vec![Box::new(Self::record_started)],
            Step::AwaitHealth { .. } => vec![Box::new(|world| {
                world.status = Status::Running;
                world.has_run = true;
            })],
            Step::RecordExit { .. } | Step::RecordVanished => vec![Box::new(|world| {
                world.status = Status::Restarting;
                world.recorded = None;
            })],
            Step::Record(status) => vec![Box::new(move |world| world.status = status)],
            Step::Stop(instance) => {
                vec![Box::new(move |world| {
                    world
                        .instances
                        .iter_mut()
                        .filter(|seen| seen.instance == instance)
                        .for_each(|seen| seen.state = exited())
                })]
            }
            Step::Remove(instance) => {
                vec![Box::new(move |world| {
                    world.instances.retain(|seen| seen.instance != instance)
                })]
            }
        };
        changes.into_iter().take(num_writes).for_each(|change| change(self));
    }

    fn begin_generation(&mut self) {
        self.generation = self.generation.next();
        self.status = Status::Starting;
        self.recorded = None;
    }

    fn create(&mut self) {
        self.num_created += 1;
        self.instances.push(Observation {
            instance: InstanceRef(format!("instance-{}", self.num_created)),
            deployment: DeploymentId(1),
            release: 1,
            generation: self.generation,
            state: InstanceState::Running {
                since: DateTime::UNIX_EPOCH,
            },
            address: None,
        });
    }

    fn record_started(&mut self) {
        self.recorded = self.instances.last().map(|seen| seen.instance.clone());
        self.status = Status::Starting;
    }

    fn num_running(&self) -> usize {
        self.instances.iter().filter(|seen| is_running(seen)).count()
    }

    /// Takes steps until there is nothing to do and returns whether that came to an end.
    fn settle(&mut self) -> bool {
        for _ in 0..50 {
            if self.next() == Step::Rest {
                return true;
            }
            self.take(usize::MAX);
        }
        false
    }
}

fn exited() -> InstanceState {
    InstanceState::Exited(Exit {
        code: 1,
        is_oom: false,
        at: DateTime::UNIX_EPOCH,
    })
}

fn happenings() -> impl Strategy<Value = Vec<Happening>> {
    let happening = prop_oneof![
        6 => Just(Happening::StepTaken),
        3 => (0..3_usize).prop_map(Happening::StepTornAfter),
        1 => Just(Happening::BuildFails),
        1 => Just(Happening::ProgramExits),
        1 => Just(Happening::RemovedFromOutside),
        1 => Just(Happening::StopRequested),
        1 => Just(Happening::RestartRequested),
        1 => Just(Happening::HealthFails),
    ];
    prop::collection::vec(happening, 0..60)
}

proptest! {
    #[test]
    fn whatever_happens_there_are_never_two_instances_and_it_settles(happenings in happenings()) {
        let mut world = World::new();
        for happening in &happenings {
            world.apply(happening);
            prop_assert!(world.num_running() <= 1, "{world:?}");
        }
        prop_assert!(world.settle(), "{world:?}");
        match (world.desired, world.status) {
            (Desired::Stopped, status) => {
                prop_assert_eq!(status, Status::Stopped);
                prop_assert!(world.instances.is_empty());
            }
            (Desired::Running, Status::Failed) => prop_assert!(world.instances.is_empty()),
            (Desired::Running, status) => {
                prop_assert_eq!(status, Status::Running);
                prop_assert_eq!(world.num_running(), 1);
                prop_assert_eq!(world.recorded.as_ref(), Some(&world.instances[0].instance));
            }
        }
    }
}

#[test]
fn a_first_deploy_goes_through_its_states_once() {
    let mut world = World::new();
    let mut statuses = vec![world.status];
    while world.next() != Step::Rest {
        world.take(usize::MAX);
        statuses.push(world.status);
    }
    assert_eq!(
        statuses,
        [Status::Pending, Status::Building, Status::Starting, Status::Running]
    );
}

#[test]
fn a_running_instance_is_adopted_and_not_started_again() {
    let mut world = World::new();
    assert!(world.settle());
    assert_eq!((world.next(), world.num_created), (Step::Rest, 1));
}

#[test]
fn a_restart_on_request_replaces_the_instance_without_recording_an_exit() {
    let mut world = World::new();
    assert!(world.settle());
    world.apply(&Happening::RestartRequested);
    let mut steps = Vec::new();
    while world.next() != Step::Rest {
        steps.push(world.next());
        world.take(usize::MAX);
    }
    assert!(
        matches!(
            steps[..],
            [Step::Stop(_), Step::Remove(_), Step::Start, Step::AwaitHealth { .. }]
        ),
        "{steps:?}"
    );
}

#[test]
fn a_start_that_was_begun_but_not_made_is_no_loss() {
    let mut world = World::new();
    world.take(usize::MAX);
    world.take(1);
    assert_eq!((world.status, world.next()), (Status::Starting, Step::Start));
}

#[test]
fn an_instance_that_disappears_is_recorded_before_it_is_replaced() {
    let mut world = World::new();
    assert!(world.settle());
    world.apply(&Happening::RemovedFromOutside);
    assert_eq!(world.next(), Step::RecordVanished);
}

#[test]
fn a_leftover_of_an_older_generation_is_removed_first() {
    let mut world = World::new();
    assert!(world.settle());
    let mut leftover = world.instances[0].clone();
    leftover.generation = Generation(0);
    leftover.instance = InstanceRef("leftover".to_owned());
    world.instances.push(leftover.clone());
    assert_eq!(world.next(), Step::Remove(leftover.instance));
}

#[test]
fn a_failed_build_rests_until_a_restart_is_asked_for() {
    let mut world = World::new();
    world.apply(&Happening::BuildFails);
    assert_eq!(world.next(), Step::Rest);
    world.apply(&Happening::RestartRequested);
    assert_eq!(world.next(), Step::Build);
}

#[test]
fn no_start_before_the_back_off_is_over() {
    let facts = Facts {
        desired: Desired::Running,
        status: Status::CrashLooping,
        release: ReleaseState::Ready,
        generation: Generation(3),
        recorded: None,
        instances: &[],
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
