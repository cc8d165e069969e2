//! How it is started: after what is left of earlier starts is gone, and after a look at what stands in the way.

use std::time::Duration;

use super::{Life, Next, Phase, Reply, answer};
use crate::{
    Error,
    agent_zero::{
        check::{AS_ROOT, NOT_CONFIGURED, check},
        crashes::Verdict,
        installation::Installation,
        intent::Intent,
        output,
        process::{Instance, secrets},
        status::State,
    },
    runtime::process::From,
};

/// How long one that was left over may take to end by itself.
const LEFTOVER_GRACE: Duration = Duration::from_secs(2);

impl Life {
    /// Starts it, or says why that is not possible.
    pub(super) async fn launch(&mut self, reply: Option<Reply>) -> Phase {
        match (self.try_launch().await, reply) {
            (Ok(instance), reply) => {
                if let Some(reply) = reply {
                    answer(reply, Ok(()));
                }
                Phase::Awaiting(instance)
            }
            (Err(error), Some(reply)) => {
                self.fail(error.to_string()).await;
                answer(reply, Err(error));
                Phase::Idle
            }
            // Nobody looks after it, so what may go by is given time.
            (Err(error), None) if !is_lasting(&error) => {
                let reason = format!("it could not be started: {error}");
                self.try_later(reason, Next::Launch).await
            }
            (Err(error), None) => {
                self.fail(error.to_string()).await;
                Phase::Idle
            }
        }
    }

    /// Does something again after a pause, unless it has gone wrong too often.
    pub(in crate::agent_zero) async fn try_later(&mut self, reason: String, next: Next) -> Phase {
        match self.crashes.note(Duration::ZERO, rand::random()) {
            Verdict::Pause(pause) => {
                self.tell_of_pause(reason, pause).await;
                Phase::Pausing(pause, next)
            }
            Verdict::GiveUp => {
                self.fail(format!(
                    "{reason}; that was too often, so it is left until it is started again"
                ))
                .await;
                Phase::Idle
            }
        }
    }

    async fn try_launch(&mut self) -> Result<Instance, Error> {
        // What is left of us may hold the port.
        self.clear().await?;
        let plan = check(&self.parts.settings, self.parts.process.environment()).await?;
        self.write_intent(Intent::Running {
            directory: plan.installation.directory().to_owned(),
            port: plan.port,
        })
        .await?;
        let instance = self.parts.process.start(&plan, self.last_run.next()).await?;
        self.last_run = instance.run;
        self.follow(&instance, &plan.installation, From::Start, Vec::new())
            .await;
        self.tell_of(State::Starting, Some(&instance)).await;
        Ok(instance)
    }

    /// Ends whatever is left of earlier starts.
    pub(super) async fn clear(&mut self) -> Result<(), Error> {
        for (instance, exit) in self.parts.process.find().await? {
            self.last_run = self.last_run.max(instance.run);
            if exit.is_none() {
                tracing::info!(
                    agent_zero.pid = instance.process_id,
                    "an Agent Zero that was left over is ended"
                );
                self.parts.process.end(&instance, LEFTOVER_GRACE).await?;
            }
            self.parts.process.forget(&instance).await?;
        }
        // What it had started may have outlived it.
        self.parts.process.sweep().await
    }

    /// Has the output of an instance read.
    pub(in crate::agent_zero) async fn follow(
        &self,
        instance: &Instance,
        installation: &Installation,
        from: From,
        earlier: Vec<String>,
    ) {
        let secrets = secrets(installation).await;
        if let Some(follower) = self.parts.process.follow(instance, from) {
            let order = output::Order::Follow {
                follower,
                earlier,
                secrets,
            };
            // An error means that the reader is gone, and so will this job be.
            let _ = self.parts.output.send(order).await;
        }
    }
}

/// Tells whether a start would be refused again before somebody has changed how BorgOS is run. Everything else goes by, or
/// may: a disk that is not there yet, a machine that is too busy, a port that another program still has.
fn is_lasting(error: &Error) -> bool {
    [NOT_CONFIGURED, AS_ROOT].contains(&error.code())
}
