//! Prompts, given to it through the library as the task queue does.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use borgos_actors::{
    agent_zero::{AgentZero, AsRoot, Class, Failure, Limits, Outcome, Settings, Step},
    plan::Images,
    runtime::Kind,
    store,
    system::{self, RuntimeChoice, System},
};
use serde_json::json;
use tempfile::TempDir;
use tokio::{task::JoinSet, time::timeout};

use crate::support::{StandIn, eventually};

/// A system in this process, with an Agent Zero that is ready.
struct Scene {
    stand_in: StandIn,
    system: System,
    _data: TempDir,
}

impl Scene {
    async fn start(options: &serde_json::Value) -> Self {
        let stand_in = StandIn::install(options);
        let data = TempDir::with_prefix("borgos-prompts-").unwrap();
        let system = System::start(settings(&stand_in, data.path())).await.unwrap();
        system.agent_zero.start().await.unwrap();
        Self {
            stand_in,
            system,
            _data: data,
        }
    }

    fn agent_zero(&self) -> &AgentZero {
        &self.system.agent_zero
    }

    /// Has it work on a prompt, and returns the steps as well.
    async fn run(&self, prompt: &str, limits: &Limits) -> (Result<Outcome, Failure>, Vec<Step>) {
        let chat = uuid::Uuid::new_v4().to_string();
        let mut steps = Vec::new();
        let mut progress = |step| steps.push(step);
        let never = std::future::pending();
        let outcome = self
            .agent_zero()
            .run_prompt(prompt, &chat, limits, &mut progress, never)
            .await;
        (outcome, steps)
    }

    async fn answer(&self, prompt: &str) -> Result<Outcome, Failure> {
        self.run(prompt, &Limits::default()).await.0
    }

    async fn class_of(&self, prompt: &str) -> Class {
        match self.answer(prompt).await {
            Ok(outcome) => panic!("`{prompt}` was answered: {outcome:?}"),
            Err(failure) => failure.class,
        }
    }

    /// Waits until as many chats were ended as were begun.
    async fn no_chat_is_left(&self, num_chats: usize) {
        let what = format!("{num_chats} chats were ended");
        eventually(&what, async || match self.stand_in.num_in_ledger("ended") {
            number if number == num_chats => Ok(()),
            number => Err(number),
        })
        .await;
    }

    async fn close(self) {
        self.system.agent_zero.stop().await.unwrap();
        self.stand_in.assert_gone();
        self.system.stop(Duration::from_secs(5)).await;
    }
}

fn settings(stand_in: &StandIn, data_dir: &Path) -> system::Settings {
    system::Settings {
        database: store::Settings::sqlite(data_dir.to_owned()).unwrap(),
        data_dir: data_dir.to_owned(),
        runtime: RuntimeChoice::Fixed(Kind::Process),
        agents: Vec::new(),
        webhook_allow: Vec::new(),
        zenith_dir: None,
        program: env!("CARGO_BIN_EXE_borgos").into(),
        agent_zero: Settings {
            directory: Some(stand_in.path().to_owned()),
            port: i64::from(stand_in.port).try_into().unwrap(),
            python: "./python".into(),
            as_root: AsRoot::Allow,
        },
        images: Images::default(),
        git_protocols: Vec::new(),
    }
}

#[tokio::test]
async fn a_prompt_is_answered_in_a_chat_of_its_own() {
    let scene = Scene::start(&json!({})).await;
    let (outcome, steps) = scene.run("say hello", &Limits::default()).await;
    assert_eq!(outcome.unwrap().text, "done: hello");
    let kinds: Vec<_> = steps.iter().map(|step| step.kind.as_str()).collect();
    assert_eq!(kinds, ["response", "user", "agent", "response", "response"]);
    let mut both = JoinSet::new();
    for name in ["a", "b"] {
        let agent_zero = scene.agent_zero().clone();
        both.spawn(async move {
            let (limits, never) = (Limits::default(), std::future::pending());
            let prompt = format!("wait 1 {name}");
            agent_zero.run_prompt(&prompt, name, &limits, &mut |_| {}, never).await
        });
    }
    let mut texts: Vec<_> = both
        .join_all()
        .await
        .into_iter()
        .map(|outcome| outcome.unwrap().text)
        .collect();
    texts.sort_unstable();
    assert_eq!(texts, ["done: 1 a", "done: 1 b"]);
    assert_eq!(scene.stand_in.num_in_ledger("message"), 3);
    scene.no_chat_is_left(3).await;
    scene.close().await;
}

#[tokio::test]
async fn every_version_can_be_talked_to() {
    for options in [
        json!({"prefix": ""}),
        json!({"login": ["me", "p&w = ü"]}),
        json!({"no_programs": true}),
        json!({"prefix": "", "no_programs": true, "login": ["me", "pw"]}),
    ] {
        let scene = Scene::start(&options).await;
        assert_eq!(
            scene.answer("say hello").await.unwrap().text,
            "done: hello",
            "{options}"
        );
        scene.no_chat_is_left(1).await;
        scene.close().await;
    }
}

#[tokio::test]
async fn failures_of_the_model_have_their_class() {
    let scene = Scene::start(&json!({})).await;
    for (prompt, class) in [
        ("fail-auth", Class::LlmAuth),
        ("fail-rate", Class::RateLimited),
        ("fail-down", Class::LlmUnavailable),
        ("silent", Class::AgentError),
        ("no-json", Class::RateLimited),
    ] {
        assert_eq!(scene.class_of(prompt).await, class, "{prompt}");
    }
    scene.close().await;
}

#[tokio::test]
async fn a_session_that_ended_is_renewed_and_a_message_that_was_lost_is_sent_again() {
    let scene = Scene::start(&json!({})).await;
    assert_eq!(scene.answer("expire hello").await.unwrap().text, "done: hello");
    assert_eq!(scene.answer("swallow hello").await.unwrap().text, "done: hello");
    let messages = scene
        .stand_in
        .ledger()
        .into_iter()
        .filter(|entry| entry["what"] == "message");
    let chats: Vec<_> = messages
        .map(|entry| entry["chat"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(chats.len(), 3);
    assert_eq!(chats[2], format!("{}-again", chats[1]));
    scene.close().await;
}

#[tokio::test]
async fn what_goes_on_for_ever_is_ended() {
    let scene = Scene::start(&json!({})).await;
    let few_steps = Limits {
        num_items: 40,
        ..Limits::default()
    };
    let (looped, steps) = scene.run("loop", &few_steps).await;
    assert_eq!(looped.unwrap_err().class, Class::TooManySteps);
    assert!(steps.len() > 40, "{}", steps.len());
    let short = Limits {
        duration: Duration::from_secs(1),
        ..Limits::default()
    };
    assert_eq!(
        scene.run("wait 1000", &short).await.0.unwrap_err().class,
        Class::TimedOut
    );
    scene.no_chat_is_left(2).await;
    scene.close().await;
}

#[tokio::test]
async fn work_that_is_called_off_or_dropped_is_ended_at_once() {
    let scene = Scene::start(&json!({})).await;
    let limits = Limits::default();
    let started = Instant::now();
    let mut progress = |_| {};
    let called_off = eventually("the message has arrived", async || {
        match scene.stand_in.num_in_ledger("message") {
            0 => Err(()),
            _ => Ok(()),
        }
    });
    let outcome = scene
        .agent_zero()
        .run_prompt("wait 1000", "one", &limits, &mut progress, called_off)
        .await;
    assert_eq!(outcome.unwrap_err().class, Class::Cancelled);
    scene.no_chat_is_left(1).await;
    assert!(started.elapsed() < Duration::from_secs(10));

    let never = std::future::pending();
    let dropped = scene
        .agent_zero()
        .run_prompt("wait 1000", "two", &limits, &mut progress, never);
    assert!(timeout(Duration::from_secs(2), dropped).await.is_err());
    scene.no_chat_is_left(2).await;
    scene.close().await;
}

#[tokio::test]
async fn work_ends_with_its_process() {
    let scene = Scene::start(&json!({})).await;
    let started = Instant::now();
    assert_eq!(scene.class_of("crash 7").await, Class::Interrupted);
    assert!(started.elapsed() < Duration::from_secs(10));
    scene.agent_zero().stop().await.unwrap();
    assert_eq!(scene.class_of("say hello").await, Class::NotRunning);

    // A stop ends what is worked on, and does not wait for it.
    scene.agent_zero().start().await.unwrap();
    let stop = async {
        eventually("the message has arrived", async || {
            match scene.stand_in.num_in_ledger("message") {
                0 | 1 => Err(()),
                _ => Ok(()),
            }
        })
        .await;
        scene.agent_zero().stop().await.unwrap();
    };
    let (class, ()) = tokio::join!(scene.class_of("wait 1000"), stop);
    assert_eq!(class, Class::Interrupted);
    scene.close().await;
}
