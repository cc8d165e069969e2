//! Gives Agent Zero work, as its own page does: a message into a chat, and looks at the chat's log until it is done.
//!
//! Each prompt has a chat of its own, whose name is ours: a second message into a chat that works is an intervention, and
//! then both callers get the second answer. The call that waits for the answer is not used, since each of those holds one
//! of Agent Zero's ten threads, and with all of them held it cannot even be asked for its health.

mod chat;
mod log;
mod session;

use std::{io, time::Duration};

use serde::Serialize;
use serde_json::json;
use tokio::{
    sync::watch,
    time::{Instant, sleep, timeout},
};
use uuid::Uuid;

pub use self::chat::Arrival;
pub(super) use self::chat::{Chat, end_all_chats, see_ended};
use self::{
    log::{Log, Verdict},
    session::{Session, Trouble},
};
use super::{class::Class, probe::Api, status::Status};

/// A message that is still not in the log so long after it was first missed was lost.
const SEEN_DEADLINE: Duration = Duration::from_secs(10);
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// A process that is busy may be silent for so long; longer than that it would have been restarted.
const SILENCE: Duration = Duration::from_secs(90);

/// Bounds of one prompt. A model that answers in prose instead of its protocol loops for ever, and somebody pays for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How long it may take.
    pub duration: Duration,
    /// How many items its log may have.
    pub num_items: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            duration: Duration::from_secs(3600),
            num_items: 500,
        }
    }
}

/// Something that Agent Zero did or says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// Its place in the log. One that is still being written comes again.
    pub number: i64,
    /// Its kind: `agent`, `code_exe`, `tool`, `progress`, `response`, `error` and others.
    pub kind: String,
    /// Its title.
    pub heading: String,
    /// Its text, cut.
    pub content: String,
}

/// What came of a prompt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// The answer.
    pub text: String,
    /// How many items the log had in the end.
    pub num_items: usize,
}

/// Why nothing came of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// What kind of failure it is; it says whether and when another attempt could help.
    pub class: Class,
    /// What happened.
    pub message: String,
}

impl Failure {
    fn new(class: Class, message: impl Into<String>) -> Self {
        Self {
            class,
            message: message.into(),
        }
    }

    /// What Agent Zero itself says.
    fn told(text: String) -> Self {
        Self::new(Class::of(&text), text)
    }
}

impl From<Trouble> for Failure {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Refused { status: 500, text } => Self::told(text),
            other => Self::new(Class::Unusable, other.to_string()),
        }
    }
}

/// Carries out one prompt in a chat, and ends the chat whatever comes of it.
pub(super) async fn work(
    status: watch::Receiver<Status>,
    prompt: &str,
    mut chat: Chat,
    limits: &Limits,
    progress: &mut (dyn FnMut(Step) + Send),
    cancelled: impl Future<Output = ()>,
) -> Result<Outcome, Failure> {
    let Some(api) = status.borrow().api.clone() else {
        return Err(Failure::new(Class::NotRunning, "Agent Zero does not run"));
    };
    let outcome = tokio::select! {
        biased;
        () = cancelled => Err(Failure::new(Class::Cancelled, "it was called off")),
        () = lost(status, api.run) => Err(Failure::new(Class::Interrupted, "Agent Zero ended while it worked on it")),
        outcome = timeout(limits.duration, drive(&api, prompt, &mut chat, limits, progress)) => {
            outcome.unwrap_or_else(|_| {
                let reason = format!("it was not done within {} s", limits.duration.as_secs());
                Err(Failure::new(Class::TimedOut, reason))
            })
        }
    };
    chat.end(&api).await;
    outcome
}

/// Resolves when the process that was given the work is gone.
async fn lost(mut status: watch::Receiver<Status>, run: i64) {
    let is_gone = |status: &Status| status.api.as_ref().is_none_or(|api| api.run != run);
    // An error means that BorgOS is ending, and nobody knows of the process any more.
    let _ = status.wait_for(is_gone).await;
}

/// It may have ended a moment ago, before anybody has noticed.
fn not_begun(trouble: Trouble) -> Failure {
    match trouble {
        Trouble::Unreachable(_) => Failure::new(Class::NotRunning, trouble.to_string()),
        other => other.into(),
    }
}

async fn drive(
    api: &Api,
    prompt: &str,
    chat: &mut Chat,
    limits: &Limits,
    progress: &mut (dyn FnMut(Step) + Send),
) -> Result<Outcome, Failure> {
    let mut session = Session::open(api).await.map_err(not_begun)?;
    let mut log = Log::default();
    if !submit(&mut session, prompt, chat, &mut log).await? {
        tracing::warn!(
            chat = chat.id(),
            "a message to Agent Zero was lost and is sent again in another chat"
        );
        chat.replace(api).await;
        log = Log::default();
        if !submit(&mut session, prompt, chat, &mut log).await? {
            return Err(Failure::new(
                Class::Unusable,
                "Agent Zero takes messages and does not work on them",
            ));
        }
    }
    follow(&mut session, chat.id(), &mut log, limits, progress).await
}

/// Sends the message, and returns whether it was seen to have arrived.
async fn submit(session: &mut Session<'_>, prompt: &str, chat: &mut Chat, log: &mut Log) -> Result<bool, Failure> {
    let message = json!({"text": prompt, "context": chat.id(), "message_id": Uuid::new_v4().to_string()});
    chat.note(Arrival::Unknown);
    match session.call("message_async", &message).await {
        Ok(_) => chat.note(Arrival::Known),
        // Nobody knows whether it has arrived, so that is looked at.
        Err(Trouble::Unreachable(_)) => {}
        Err(trouble) => {
            chat.note(Arrival::Known);
            return Err(trouble.into());
        }
    }
    let mut answered_at = Instant::now();
    let mut missed_since: Option<Instant> = None;
    loop {
        match look(session, chat.id(), log).await {
            Ok(_) if log.verdict() != Verdict::Unseen => {
                chat.note(Arrival::Known);
                return Ok(true);
            }
            // Only an answer shows that it is not there. One that is busy may have it and not say so.
            Ok(_) => {
                answered_at = Instant::now();
                if missed_since.get_or_insert(answered_at).elapsed() >= SEEN_DEADLINE {
                    return Ok(false);
                }
            }
            Err(trouble) if trouble.is_passing() && answered_at.elapsed() < SILENCE => {}
            Err(trouble) => return Err(trouble.into()),
        }
        sleep(FIRST_PAUSE).await;
    }
}

/// Looks at the chat until it is done.
async fn follow(
    session: &mut Session<'_>,
    chat: &str,
    log: &mut Log,
    limits: &Limits,
    progress: &mut (dyn FnMut(Step) + Send),
) -> Result<Outcome, Failure> {
    let mut pause = FIRST_PAUSE;
    let mut answered_at = Instant::now();
    log.take_unreported().into_iter().for_each(&mut *progress);
    loop {
        match log.verdict() {
            Verdict::Done(text) => {
                let num_items = log.num_items();
                return Ok(Outcome { text, num_items });
            }
            Verdict::Failed(text) => return Err(Failure::told(text)),
            Verdict::Gone => return Err(Failure::new(Class::ChatReset, "its chat was ended or emptied")),
            Verdict::Idle => return Err(Failure::new(Class::AgentError, "it ended without an answer")),
            Verdict::Unseen | Verdict::Working => {}
        }
        if log.num_items() > limits.num_items {
            let reason = format!("it did more than {} steps without an answer", limits.num_items);
            return Err(Failure::new(Class::TooManySteps, reason));
        }
        sleep(pause).await;
        match look(session, chat, log).await {
            Ok(has_news) => {
                answered_at = Instant::now();
                pause = if has_news {
                    FIRST_PAUSE
                } else {
                    (pause * 2).min(LONGEST_PAUSE)
                };
                log.take_unreported().into_iter().for_each(&mut *progress);
            }
            Err(trouble) if trouble.is_passing() && answered_at.elapsed() < SILENCE => {}
            Err(trouble) => return Err(trouble.into()),
        }
    }
}

/// Reads what is new in the log, and returns whether anything is.
async fn look(session: &mut Session<'_>, chat: &str, log: &mut Log) -> Result<bool, Trouble> {
    let answer = session
        .call("poll", &log.question(Some(chat), session.timezone()))
        .await?;
    log.update(chat, answer)
        .map_err(|cause| Trouble::Unreadable(io::Error::other(cause)))
}

/// Asks the page what only it knows. What it does not answer is not known.
pub(super) struct Asker<'a>(Option<Session<'a>>);

impl<'a> Asker<'a> {
    pub(super) async fn new(api: &'a Api) -> Self {
        Self(Session::open(api).await.ok())
    }

    pub(super) async fn ask(&mut self, name: &str, question: &serde_json::Value) -> Option<serde_json::Value> {
        let session = self.0.as_mut()?;
        match session.call(name, question).await {
            Ok(answer) => Some(answer),
            Err(trouble) => {
                tracing::debug!("`{name}` of Agent Zero is not known: {trouble}");
                None
            }
        }
    }
}
