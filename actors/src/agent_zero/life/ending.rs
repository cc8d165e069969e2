//! How it ends: as it is told to, by itself, or because it is lost.

use std::time::Duration;

use serde_json::json;
use tokio::{sync::oneshot, time::timeout};

use super::{Interruption, Life, Next, Phase, answer};
use crate::{
    Error,
    agent_zero::{
        check::conflict,
        client,
        crashes::Verdict,
        exit::{Ended, Stage, explain},
        intent::Intent,
        output,
        process::Instance,
        status::State,
    },
    runtime::Exit,
    store::error_log::{NewEntry, Severity},
};

/// How long it may take to end by itself. With a call of its page open it would wait without limit.
const GRACE: Duration = Duration::from_secs(10);
/// One that does not answer is not given as long.
const LOST_GRACE: Duration = Duration::from_secs(2);
/// How long the chats of our tasks may take to be ended.
const CHATS_DEADLINE: Duration = Duration::from_secs(5);
/// How long the rest of its output may take to be read.
const DRAIN_DEADLINE: Duration = Duration::from_secs(10);
/// How many lines an entry of the error log has.
const MAX_TRACE_LINES: usize = 30;

impl Life {
    /// Carries out the order that ended a wait.
    pub(super) async fn interrupted(&mut self, instance: Instance, interruption: Interruption) -> Phase {
        match interruption {
            Interruption::Over => Phase::Over,
            Interruption::Stop(reply) => match self.write_intent(Intent::Stopped).await {
                Ok(()) => {
                    answer(reply, self.stop(&instance).await);
                    Phase::Idle
                }
                // The next BorgOS would start it again, so this one does not stop it either.
                Err(error) => {
                    answer(reply, Err(error));
                    self.stay_with(instance)
                }
            },
            Interruption::Restart(reply) => {
                self.begin_anew();
                match self.stop(&instance).await {
                    Ok(()) => Phase::Launching(Some(reply)),
                    Err(error) => {
                        answer(reply, Err(error));
                        Phase::Idle
                    }
                }
            }
        }
    }

    /// Goes on with a process as before.
    fn stay_with(&self, instance: Instance) -> Phase {
        match self.parts.status.borrow().is_ready() {
            true => Phase::Watching(instance),
            false => Phase::Awaiting(instance),
        }
    }

    /// Ends it in order. What cannot be ended is said, and is looked for again by the next stop, and before the next start.
    pub(in crate::agent_zero) async fn stop(&mut self, instance: &Instance) -> Result<(), Error> {
        let api = self.parts.status.borrow().api.clone();
        // From here on it takes no more work.
        self.tell_of(State::Stopping, Some(instance)).await;
        if let Some(api) = api
            && timeout(CHATS_DEADLINE, client::end_all_chats(&api)).await.is_err()
        {
            tracing::warn!("the chats of Agent Zero were not ended within {CHATS_DEADLINE:?}");
        }
        match self.end(instance).await {
            Ok(()) => {
                self.tell(State::Stopped, None).await;
                Ok(())
            }
            Err(error) => {
                self.fail(format!("it could not be stopped: {error}")).await;
                Err(error)
            }
        }
    }

    async fn end(&self, instance: &Instance) -> Result<(), Error> {
        let port = self.parts.settings.port;
        self.parts.process.end(instance, GRACE).await?;
        self.drain().await;
        self.parts.process.forget(instance).await?;
        self.parts.process.until_port_is_free(port).await.map_err(|error| {
            let reason = format!("it has ended, and its port cannot be used: {error}");
            conflict("AGENT_ZERO_PORT_HELD", reason)
        })
    }

    /// Ends what it has left behind.
    async fn clear_away(&self, instance: &Instance) -> Result<(), Error> {
        self.parts.process.end(instance, Duration::ZERO).await?;
        self.parts.process.forget(instance).await
    }

    /// It has ended, and nobody told it to.
    pub(super) async fn exited(&mut self, instance: Instance, stage: Stage, exit: &Exit, ready_for: Duration) -> Phase {
        let last_lines = self.drain().await;
        let ended = explain(exit, stage, &last_lines, self.parts.settings.port);
        self.recover(&instance, ended, last_lines, ready_for).await
    }

    /// It is there and of no use.
    pub(super) async fn lost(&mut self, instance: Instance, reason: String, ready_for: Duration) -> Phase {
        self.tell_of(State::Stopping, Some(&instance)).await;
        if let Err(error) = self.parts.process.end(&instance, LOST_GRACE).await {
            self.fail(format!("{reason}, and it could not be ended: {error}")).await;
            return Phase::Idle;
        }
        let last_lines = self.drain().await;
        self.recover(&instance, Ended::passing(reason), last_lines, ready_for)
            .await
    }

    /// Clears away what is left of it, writes down what happened, and decides what is next.
    async fn recover(
        &mut self,
        instance: &Instance,
        ended: Ended,
        last_lines: Vec<String>,
        ready_for: Duration,
    ) -> Phase {
        if let Err(error) = self.clear_away(instance).await {
            tracing::warn!(%error, "something is left of Agent Zero: {error}");
        }
        self.write_down(&ended, last_lines).await;
        let verdict = match ended.is_final {
            true => Verdict::GiveUp,
            false => self.crashes.note(ready_for, rand::random()),
        };
        match verdict {
            Verdict::Pause(pause) => {
                self.parts.status.send_modify(|status| status.restarts += 1);
                self.tell_of_pause(ended.reason, pause).await;
                Phase::Pausing(pause, Next::Launch)
            }
            Verdict::GiveUp => {
                let advice = match ended.is_final {
                    true => "it would do so again",
                    false => "it did so too often",
                };
                self.fail(format!(
                    "{}; {advice}, so it is left until it is started again",
                    ended.reason
                ))
                .await;
                Phase::Idle
            }
        }
    }

    async fn write_down(&self, ended: &Ended, mut last_lines: Vec<String>) {
        last_lines.drain(..last_lines.len().saturating_sub(MAX_TRACE_LINES));
        let entry = NewEntry {
            project_id: None,
            deployment_id: None,
            error_type: "agent_zero_ended".to_owned(),
            severity: Severity::Error,
            message: format!("Agent Zero: {}", ended.reason),
            stack_trace: (!last_lines.is_empty()).then(|| last_lines.join("\n")),
            context: json!({"source": "agent-zero"}),
        };
        self.parts.publisher.log(entry).await;
    }

    /// Has the rest of its output read, and returns the last lines.
    async fn drain(&self) -> Vec<String> {
        let (reply, lines) = oneshot::channel();
        let order = output::Order::Drain { reply: reply.into() };
        let drained = async {
            self.parts.output.send(order).await.ok()?;
            lines.await.ok()
        };
        match timeout(DRAIN_DEADLINE, drained).await {
            Ok(Some(lines)) => lines,
            Ok(None) | Err(_) => {
                tracing::warn!("the last output of Agent Zero was not read");
                Vec::new()
            }
        }
    }
}
