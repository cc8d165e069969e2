//! A model of everything around the machine: the row, the runtime, the edge and the build.

use super::*;
use crate::id::DeploymentId;

/// What happens to the world between two steps.
#[derive(Debug, Clone)]
pub(super) enum Happening {
    StepTaken,
    /// BorgOS dies in the middle of the next step, after this many of its writes.
    StepTornAfter(usize),
    BuildEnds,
    BuildFails,
    LiveExits,
    CandidateExits,
    LiveStaysUnhealthy,
    RemovedFromOutside,
    StopRequested,
    RestartRequested,
    ReleaseRequested,
    HealthFails,
    ActorRestarts,
}

/// One write, or one thing that the runtime does.
type Change = Box<dyn FnOnce(&mut World)>;

#[derive(Debug)]
pub(super) struct World {
    pub(super) desired: Desired,
    pub(super) status: Status,
    pub(super) target: ReleaseState,
    /// Whether another release than the target served last, so that there is one to go back to.
    pub(super) has_earlier: bool,
    /// Whether what was begun last is of the release that served before.
    pub(super) is_earlier: bool,
    pub(super) is_replacing: bool,
    pub(super) generation: Generation,
    pub(super) live: Option<InstanceRef>,
    pub(super) candidate: Option<InstanceRef>,
    pub(super) instances: Vec<Observation>,
    pub(super) route: Option<InstanceRef>,
    pub(super) is_route_known: bool,
    pub(super) is_held: bool,
    pub(super) is_exclusive: bool,
    has_run: bool,
    pub(super) num_created: usize,
}

impl World {
    pub(super) fn new() -> Self {
        Self {
            desired: Desired::Running,
            status: Status::Pending,
            target: ReleaseState::Unbuilt,
            has_earlier: false,
            is_earlier: false,
            is_replacing: false,
            generation: Generation::default(),
            live: None,
            candidate: None,
            instances: Vec::new(),
            route: None,
            is_route_known: false,
            is_held: false,
            is_exclusive: false,
            has_run: false,
            num_created: 0,
        }
    }

    fn facts(&self) -> Facts<'_> {
        Facts {
            desired: self.desired,
            status: self.status,
            target: self.target,
            rests_as: Status::Stopped,
            has_earlier: self.has_earlier,
            is_exclusive: self.is_exclusive,
            is_rolling_out: self.is_rolling_out(),
            generation: self.generation,
            live: self.live.as_ref(),
            candidate: self.candidate.as_ref(),
            instances: &self.instances,
            retiring: None,
            routed: match &self.route {
                _ if !self.is_route_known => Routed::Unknown,
                None if self.is_held => Routed::Held,
                None => Routed::Nowhere,
                Some(instance) => Routed::To(instance),
            },
            has_unroute_failed: false,
            is_retry_due: true,
        }
    }

    fn is_rolling_out(&self) -> bool {
        self.live.is_some() && (self.is_replacing || self.has_earlier)
    }

    pub(super) fn next(&self) -> Step {
        next(&self.facts())
    }

    pub(super) fn apply(&mut self, happening: &Happening) {
        match happening {
            Happening::StepTaken => self.take(usize::MAX),
            Happening::StepTornAfter(num_writes) => {
                self.take(*num_writes);
                self.is_route_known = false;
            }
            Happening::BuildEnds if is_build_due(&self.facts()) => self.target = ReleaseState::Ready,
            Happening::BuildFails if is_build_due(&self.facts()) => self.fail_target(true),
            Happening::BuildEnds | Happening::BuildFails => {}
            Happening::LiveExits => self.exit(self.live.clone()),
            Happening::CandidateExits => self.exit(self.candidate.clone()),
            Happening::LiveStaysUnhealthy if self.live.is_some() && self.desired == Desired::Running => {
                self.fail_live()
            }
            Happening::LiveStaysUnhealthy => {}
            Happening::RemovedFromOutside => self.instances.clear(),
            Happening::StopRequested => self.desired = Desired::Stopped,
            Happening::RestartRequested => self.request_restart(),
            Happening::ReleaseRequested => self.request_release(),
            Happening::HealthFails if matches!(self.next(), Step::AwaitHealth { .. }) => self.fail_candidate(),
            Happening::HealthFails => {}
            Happening::ActorRestarts => self.is_route_known = false,
        }
    }

    fn exit(&mut self, instance: Option<InstanceRef>) {
        let ended = self
            .instances
            .iter_mut()
            .find(|seen| Some(&seen.instance) == instance.as_ref());
        if let Some(seen) = ended {
            seen.state = exited();
        }
    }

    fn request_restart(&mut self) {
        self.desired = Desired::Running;
        if self.is_rolling_out() {
            return;
        }
        if self.live.is_some() {
            self.is_replacing = true;
            self.generation = self.generation.next();
            return;
        }
        if !matches!(self.status, Status::Pending | Status::Building | Status::Starting) {
            self.status = Status::Restarting;
            self.generation = self.generation.next();
        }
        if self.target == ReleaseState::Failed {
            self.target = ReleaseState::Unbuilt;
        }
    }

    fn request_release(&mut self) {
        let is_down = matches!(self.status, Status::Starting | Status::Restarting);
        let is_on_its_way = self.desired == Desired::Running && is_down;
        let is_back = self.is_earlier || (self.has_run && !self.has_earlier);
        if is_on_its_way && self.live.is_none() && self.status == Status::Starting && is_back {
            // It goes on starting until the new one is built.
            self.has_earlier = true;
            self.is_earlier = true;
            self.target = ReleaseState::Unbuilt;
            return;
        }
        self.has_earlier |= self.has_run;
        self.desired = Desired::Running;
        self.target = ReleaseState::Unbuilt;
        self.generation = self.generation.next();
        self.candidate = None;
        if self.live.is_none() {
            self.status = if is_on_its_way {
                Status::Restarting
            } else {
                Status::Building
            };
        }
    }

    fn fail_live(&mut self) {
        if !self.is_rolling_out() {
            self.generation = self.generation.next();
        }
        self.live = None;
        self.candidate = None;
        self.status = Status::Restarting;
    }

    fn is_starting_earlier(&self) -> bool {
        self.live.is_none() && self.is_earlier && self.status == Status::Starting
    }

    /// What the actor records when what was begun cannot be started or does not become healthy.
    fn fail_candidate(&mut self) {
        if self.is_starting_earlier() {
            self.fail_live();
        } else {
            self.fail_target(false);
        }
    }

    /// What the actor records when the target cannot be built or run.
    fn fail_target(&mut self, is_build: bool) {
        if self.is_starting_earlier() {
            self.has_earlier = false;
            self.is_earlier = false;
            self.target = ReleaseState::Ready;
            return;
        }
        self.generation = self.generation.next();
        self.candidate = None;
        self.is_replacing = false;
        if self.has_earlier {
            self.has_earlier = false;
            self.target = ReleaseState::Ready;
            if self.live.is_none() {
                self.status = Status::Restarting;
            }
        } else if self.live.is_none() {
            let is_over = is_build || !self.has_run;
            self.status = if is_over { Status::Failed } else { Status::Restarting };
            if is_build {
                self.target = ReleaseState::Failed;
            }
        }
    }

    /// Takes the next step as the actor does, but stops after `num_writes` changes of the world.
    pub(super) fn take(&mut self, num_writes: usize) {
        let changes = changes(self.next());
        changes.into_iter().take(num_writes).for_each(|change| change(self));
    }

    fn begin_earlier(&mut self) {
        self.begin_generation();
        self.is_earlier = true;
    }

    fn begin_generation(&mut self) {
        self.is_earlier = false;
        self.generation = self.generation.next();
        self.candidate = None;
        if self.live.is_none() {
            self.status = Status::Starting;
        }
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
            endpoint: None,
        });
    }

    fn record_candidate(&mut self) {
        self.candidate = self.instances.last().map(|seen| seen.instance.clone());
    }

    fn lead_to(&mut self, instance: Option<InstanceRef>) {
        self.is_held = true;
        self.route = instance;
        self.is_route_known = true;
    }

    fn close(&mut self) {
        self.lead_to(None);
        self.is_held = false;
    }

    fn promote(&mut self) {
        self.live = self.candidate.take();
        self.status = Status::Running;
        self.is_replacing = false;
        self.has_earlier &= self.is_earlier;
        self.has_run = true;
    }

    fn make_way(&mut self) {
        self.live = None;
        self.is_replacing = false;
        self.generation = self.generation.next();
        self.status = Status::Restarting;
    }

    fn record_end(&mut self, instance: &InstanceRef) {
        if self.live.as_ref() == Some(instance) {
            self.fail_live();
        } else {
            self.fail_candidate();
        }
    }

    fn record(&mut self, status: Status) {
        self.status = status;
        if matches!(status, Status::Stopping | Status::Stopped) {
            self.live = None;
            self.candidate = None;
        }
    }

    fn remove(&mut self, instance: &InstanceRef) {
        self.instances.retain(|seen| seen.instance != *instance);
    }

    pub(super) fn num_running(&self) -> usize {
        self.instances.iter().filter(|seen| is_running(seen)).count()
    }

    pub(super) fn num_running_of(&self, generation: Generation) -> usize {
        let of = self.instances.iter().filter(|seen| seen.generation == generation);
        of.filter(|seen| is_running(seen)).count()
    }

    /// Takes steps until there is nothing to do and returns whether that came to an end.
    pub(super) fn settle(&mut self) -> bool {
        for _ in 0..100 {
            match self.next() {
                Step::Rest if is_build_due(&self.facts()) => self.target = ReleaseState::Ready,
                Step::Rest => return true,
                _ => self.take(usize::MAX),
            }
        }
        false
    }
}

fn changes(step: Step) -> Vec<Change> {
    match step {
        Step::Rest | Step::AwaitRetry | Step::AwaitRoom | Step::AwaitEdge => vec![],
        Step::MakeWay(_) => vec![Box::new(World::make_way)],
        Step::Start => vec![
            Box::new(World::begin_generation),
            Box::new(World::create),
            Box::new(World::record_candidate),
        ],
        Step::StartEarlier => vec![
            Box::new(World::begin_earlier),
            Box::new(World::create),
            Box::new(World::record_candidate),
        ],
        Step::Adopt(_) => vec![Box::new(World::record_candidate)],
        Step::AwaitHealth { instance, .. } => {
            vec![
                Box::new(move |world| world.lead_to(Some(instance))),
                Box::new(World::promote),
            ]
        }
        Step::Route(instance) => vec![Box::new(move |world| world.lead_to(Some(instance)))],
        Step::Hold => vec![Box::new(|world| world.lead_to(None))],
        Step::Unroute => vec![Box::new(World::close)],
        Step::RecordExit { instance, .. } | Step::RecordVanished(instance) => {
            vec![Box::new(move |world| world.record_end(&instance))]
        }
        Step::Record(status) => vec![Box::new(move |world| world.record(status))],
        Step::Stop(instance) => vec![Box::new(move |world| world.exit(Some(instance)))],
        Step::Remove(instance) | Step::Retire(instance) => vec![Box::new(move |world| world.remove(&instance))],
    }
}

fn is_running(seen: &Observation) -> bool {
    matches!(seen.state, InstanceState::Running { .. })
}

fn exited() -> InstanceState {
    InstanceState::Exited(Exit {
        code: 1,
        is_oom: false,
        at: DateTime::UNIX_EPOCH,
    })
}
