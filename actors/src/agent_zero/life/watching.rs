//! While it runs: whether it is still there, and still answers.

use std::time::Duration;

use tokio::{
    sync::mpsc,
    time::{Instant, sleep},
};

use super::{Interruption, Life, Order, Phase, interruption};
use crate::{
    agent_zero::{
        exit::Stage,
        liveness::Liveness,
        probe::{self, Health},
        process::Instance,
    },
    runtime::Exit,
};

const LOOK_EVERY: Duration = Duration::from_millis(400);
const PROBE_EVERY: Duration = Duration::from_secs(10);
const PROBE_DEADLINE: Duration = Duration::from_secs(5);

enum Trouble {
    Exited(Exit),
    Silent(String),
    Interrupted(Interruption),
}

impl Life {
    /// Stays with a process that is ready until it ends, is lost, or is told to end.
    pub(super) async fn watch(&mut self, instance: Instance, orders: &mut mpsc::Receiver<Order>) -> Phase {
        let ready_since = Instant::now();
        let trouble = tokio::select! {
            biased;
            interruption = interruption(orders) => Trouble::Interrupted(interruption),
            exit = self.until_exited(&instance) => Trouble::Exited(exit),
            reason = self.until_silent() => Trouble::Silent(reason),
        };
        let ready_for = ready_since.elapsed();
        match trouble {
            Trouble::Interrupted(interruption) => self.interrupted(instance, interruption).await,
            Trouble::Exited(exit) => self.exited(instance, Stage::Ready, &exit, ready_for).await,
            Trouble::Silent(reason) => {
                let reason = format!("it no longer answers: {reason}");
                self.lost(instance, reason, ready_for).await
            }
        }
    }

    async fn until_exited(&self, instance: &Instance) -> Exit {
        loop {
            match self.parts.process.exit(instance).await {
                Ok(Some(exit)) => return exit,
                Ok(None) => {}
                Err(error) => tracing::debug!(%error, "Agent Zero could not be looked at: {error}"),
            }
            sleep(LOOK_EVERY).await;
        }
    }

    async fn until_silent(&self) -> String {
        let mut liveness = Liveness::new();
        loop {
            sleep(PROBE_EVERY).await;
            match probe::health(self.parts.settings.port, PROBE_DEADLINE).await {
                Health::Well { .. } => liveness.note_answer(),
                Health::Absent(reason) => {
                    tracing::debug!("Agent Zero missed a probe: {reason}");
                    if liveness.note_miss(self.load()) {
                        return reason;
                    }
                }
            }
        }
    }
}
