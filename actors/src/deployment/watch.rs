//! Whether a running instance is well, from the probes that it got.

use std::time::Duration;

use tokio::time::Instant;

use crate::{runtime::InstanceRef, value::HealthCheck};

/// Counts the probes of one instance that failed in a row. A new incarnation of the actor begins anew, which is patience.
#[derive(Debug)]
pub(super) struct Watch {
    instance: InstanceRef,
    /// How patiently it is asked. It is of the instance's release, which serves since this check found it well.
    check: HealthCheck,
    num_failures: u32,
    due: Instant,
}

/// What the probes of an instance say.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It answered.
    Well,
    /// It did not answer, and may be busy.
    Suspect,
    /// It has not answered often enough to be called unhealthy.
    Unhealthy,
    /// It has been unhealthy for as long again: a fresh one has a better chance.
    Hopeless,
}

impl Watch {
    /// Begins to watch an instance that was healthy just now.
    pub(super) fn new(instance: InstanceRef, check: &HealthCheck) -> Self {
        Self {
            instance,
            check: check.clone(),
            num_failures: 0,
            due: Instant::now() + check.interval_s.duration(),
        }
    }

    /// Whether this is the watch of that instance.
    pub(super) fn is_of(&self, instance: &InstanceRef) -> bool {
        self.instance == *instance
    }

    /// Returns how long to wait until the next probe.
    pub(super) fn pause(&self) -> Duration {
        self.due.duration_since(Instant::now())
    }

    /// Takes the outcome of a probe.
    pub(super) fn note(&mut self, is_well: bool) -> Verdict {
        self.due = Instant::now() + self.check.interval_s.duration();
        if is_well {
            self.num_failures = 0;
            return Verdict::Well;
        }
        self.num_failures = self.num_failures.saturating_add(1);
        let retries = self.check.retries.get();
        match self.num_failures {
            failures if failures >= 2 * retries => Verdict::Hopeless,
            failures if failures >= retries => Verdict::Unhealthy,
            _ => Verdict::Suspect,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_instance_is_given_up_only_after_failing_twice_as_often_as_it_takes_to_be_unhealthy() {
        let check = HealthCheck::default();
        let mut watch = Watch::new(InstanceRef("one".to_owned()), &check);
        let mut verdicts =
            |answers: &[bool]| -> Vec<Verdict> { answers.iter().map(|is_well| watch.note(*is_well)).collect() };
        use Verdict::{Hopeless, Suspect, Unhealthy, Well};
        assert_eq!(verdicts(&[false, false, true]), [Suspect, Suspect, Well]);
        assert_eq!(
            verdicts(&[false, false, false, true]),
            [Suspect, Suspect, Unhealthy, Well]
        );
        assert_eq!(
            verdicts(&[false; 6]),
            [Suspect, Suspect, Unhealthy, Unhealthy, Unhealthy, Hopeless]
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_probe_is_due_an_interval_after_the_last_one() {
        let check = HealthCheck::default();
        let mut watch = Watch::new(InstanceRef("one".to_owned()), &check);
        assert_eq!(watch.pause(), Duration::from_secs(10));
        tokio::time::advance(Duration::from_secs(12)).await;
        assert_eq!(watch.pause(), Duration::ZERO);
        watch.note(true);
        assert_eq!(watch.pause(), Duration::from_secs(10));
    }
}
