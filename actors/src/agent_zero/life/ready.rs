//! From the start of the process until it takes work.

use std::time::Duration;

use tokio::{
    sync::mpsc,
    time::{sleep, timeout},
};

use super::{Interruption, Life, Order, Phase, interruption};
use crate::{
    Error,
    agent_zero::{
        check::not_configured,
        client,
        exit::Stage,
        installation::Installation,
        liveness::Load,
        probe::{self, Api, Health},
        process::{Instance, look_into},
        status::State,
    },
    runtime::Exit,
};

/// A start takes 13 to 35 s on a machine that has nothing else to do.
const READY_DEADLINE: Duration = Duration::from_secs(180);
const LOOK_EVERY: Duration = Duration::from_millis(300);
const PROBE_DEADLINE: Duration = Duration::from_secs(3);
/// How long it may take to end what was left in it; until then it takes no work.
const CHATS_DEADLINE: Duration = Duration::from_secs(5);

enum Awaited {
    Ready(Api),
    Exited(Exit),
    Late,
    Interrupted(Interruption),
}

impl Life {
    /// Waits until it is ready, ends, or is told to.
    pub(super) async fn wait_until_ready(&mut self, instance: Instance, orders: &mut mpsc::Receiver<Order>) -> Phase {
        let awaited = tokio::select! {
            biased;
            interruption = interruption(orders) => Awaited::Interrupted(interruption),
            ready = timeout(READY_DEADLINE, self.until_ready(&instance)) => match ready {
                Ok(Ok(api)) => Awaited::Ready(api),
                Ok(Err(exit)) => Awaited::Exited(exit),
                Err(_) => Awaited::Late,
            },
        };
        match awaited {
            Awaited::Ready(api) => {
                self.end_left_chats(&api).await;
                self.parts.status.send_modify(|status| {
                    status.reason = None;
                    status.api = Some(api);
                });
                self.tell_of(State::Running, Some(&instance)).await;
                Phase::Watching(instance)
            }
            Awaited::Exited(exit) => self.exited(instance, Stage::Starting, &exit, Duration::ZERO).await,
            Awaited::Late => {
                let reason = format!("it was not ready within {} s", READY_DEADLINE.as_secs());
                self.lost(instance, reason, Duration::ZERO).await
            }
            Awaited::Interrupted(interruption) => self.interrupted(instance, interruption).await,
        }
    }

    /// Ends the chats that nobody waits for: those of a BorgOS that was killed work on, those of a process that was killed
    /// are idle, and what was asked in them is asked again.
    async fn end_left_chats(&self, api: &Api) {
        if self.load() == Load::Busy {
            return;
        }
        if timeout(CHATS_DEADLINE, client::end_all_chats(api)).await.is_err() {
            tracing::warn!("the chats of an earlier BorgOS were not ended within {CHATS_DEADLINE:?}");
        }
    }

    async fn until_ready(&self, instance: &Instance) -> Result<Api, Exit> {
        loop {
            match self.look(instance).await {
                Ok(Looked::Ready(api)) => return Ok(api),
                Ok(Looked::Exited(exit)) => return Err(exit),
                Ok(Looked::Unready) => {}
                Err(error) => tracing::debug!(%error, "Agent Zero could not be looked at: {error}"),
            }
            sleep(LOOK_EVERY).await;
        }
    }

    /// Looks once. Who answers is believed only if the port is held by the process that was started: another Agent Zero
    /// may have it, and then this one is about to find out.
    async fn look(&self, instance: &Instance) -> Result<Looked, Error> {
        let port = self.parts.settings.port;
        if let Some(exit) = self.parts.process.exit(instance).await? {
            return Ok(Looked::Exited(exit));
        }
        if !self.parts.process.listens(instance, port).await? {
            return Ok(Looked::Unready);
        }
        let Health::Well { prefix, version } = probe::health(port, PROBE_DEADLINE).await else {
            return Ok(Looked::Unready);
        };
        let directory = self.parts.settings.directory.clone().ok_or_else(not_configured)?;
        let installation = Installation::new(directory);
        // Read now: at its start it may have made a key, or moved its settings.
        let credentials = look_into(&installation, |installation| installation.credentials()).await?;
        let api = probe::identify(port, (prefix, version), credentials, instance.run.0, PROBE_DEADLINE).await;
        api.map(Looked::Ready)
            .map_err(|cause| Error::Internal(format!("it ceased to answer: {cause}")))
    }
}

enum Looked {
    Ready(Api),
    Exited(Exit),
    Unready,
}
