//! What a new job finds: a process that runs on, one that was to be stopped, or nothing.

use super::{
    installation::Installation,
    intent::Intent,
    life::{Life, Next, Phase},
    output,
    probe::Api,
    process::{Instance, blocking},
    status::State,
};
use crate::{Error, runtime::process::From};

impl Life {
    /// Looks at what there is and at what is wanted.
    pub(super) async fn resume(&mut self) -> Phase {
        match self.try_resume().await {
            Ok(phase) => phase,
            Err(error) => {
                let reason = format!("what was left of it cannot be looked at: {error}");
                self.try_later(reason, Next::Find).await
            }
        }
    }

    async fn try_resume(&mut self) -> Result<Phase, Error> {
        let file = self.parts.intent.clone();
        let intent = blocking(move || file.read()).await?;
        let running = self.running().await?;
        match (intent, running) {
            (intent, Some(instance)) if intent.is_running_as(&self.parts.settings) => self.adopt(instance).await,
            (intent, Some(instance)) => {
                tracing::info!("an Agent Zero that is not wanted as it is will be stopped");
                self.stop(&instance).await?;
                Ok(self.next_for(intent).await)
            }
            (intent, None) => {
                // The last job may have said that it runs.
                self.parts.status.send_modify(|status| status.api = None);
                Ok(self.next_for(intent).await)
            }
        }
    }

    /// Decides what to do while no process is there.
    async fn next_for(&mut self, intent: Intent) -> Phase {
        match intent {
            Intent::Running { .. } if self.parts.settings.directory.is_some() => Phase::Launching(None),
            Intent::Running { .. } | Intent::Stopped => {
                // Nothing has changed, so there is no news.
                self.parts.status.send_modify(|status| status.state = State::Stopped);
                Phase::Idle
            }
            Intent::Failed { reason } => {
                self.tell(State::Failed, Some(reason)).await;
                Phase::Idle
            }
        }
    }

    /// Returns the process that runs, and clears away everything else.
    async fn running(&mut self) -> Result<Option<Instance>, Error> {
        let mut running = None;
        for (instance, exit) in self.parts.process.find().await? {
            self.last_run = self.last_run.max(instance.run);
            if exit.is_none() && instance.process_id.is_some() && running.is_none() {
                running = Some(instance);
            } else {
                self.parts.process.forget(&instance).await?;
            }
        }
        if running.is_none() {
            // What it had started may have outlived it, and may hold its port.
            self.parts.process.sweep().await?;
        }
        Ok(running)
    }

    async fn adopt(&mut self, instance: Instance) -> Result<Phase, Error> {
        tracing::info!(
            agent_zero.pid = instance.process_id,
            "an Agent Zero that runs was found and is kept"
        );
        if let Some(directory) = self.parts.settings.directory.clone() {
            let installation = Installation::new(directory);
            let earlier = self.parts.process.tail(&instance, output::MAX_LINES).await?;
            self.follow(&instance, &installation, From::End, earlier).await;
        }
        if self.is_ready_as(&instance) {
            // The last job of this BorgOS has seen it ready, and tasks go on in it.
            return Ok(Phase::Watching(instance));
        }
        self.tell_of(State::Starting, Some(&instance)).await;
        Ok(Phase::Awaiting(instance))
    }

    fn is_ready_as(&self, instance: &Instance) -> bool {
        let status = self.parts.status.borrow();
        let is_same = |api: &Api| api.run == instance.run.0;
        status.is_ready() && status.api.as_ref().is_some_and(is_same)
    }
}
