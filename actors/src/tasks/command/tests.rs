use std::{path::Path, time::Duration};

use tempfile::TempDir;
use tokio::{
    sync::{mpsc, watch},
    time::{sleep, timeout},
};
use uuid::Uuid;

use super::*;
use crate::{
    id::{ProjectId, TaskId},
    store::tasks::{Fence, Owner, Progress},
    tasks::{Project, Prospect, Stop},
};

const DEADLINE: Duration = Duration::from_secs(10);

struct Scene {
    directory: TempDir,
    attempt: Attempt,
    control: Control,
    stop: watch::Sender<Option<Stop>>,
    reports: mpsc::Receiver<(Fence, Progress)>,
}

impl Scene {
    fn new(description: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let fence = Fence {
            task: TaskId(7),
            attempt: 2,
        };
        let attempt = Attempt {
            key: leftovers::key(&Owner::new(Uuid::new_v4()), fence.task, fence.attempt),
            task: fence.task,
            number: fence.attempt,
            project: Some(Project {
                id: ProjectId(1),
                directory: directory.path().to_owned(),
            }),
            task_type: "test".to_owned(),
            description: description.to_owned(),
            input_data: json!({}),
        };
        let (sender, reports) = mpsc::channel(8);
        let (stop, stopped) = watch::channel(None);
        Self {
            directory,
            attempt,
            control: Control::new(fence, sender, stopped),
            stop,
            reports,
        }
    }

    async fn run(&self, agent: &CommandAgent) -> Result<Output, Failure> {
        timeout(DEADLINE, agent.run(self.attempt.clone(), self.control.clone()))
            .await
            .expect("the program ends")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }
}

fn settings(argv: &[&str]) -> Settings {
    let argv: Vec<String> = argv.iter().map(|text| (*text).to_owned()).collect();
    Settings {
        command: argv.try_into().unwrap(),
        directory: None,
        stdin: None,
        inherit: Vec::new(),
        environment: Environment::default(),
        memory_limit: None,
    }
}

fn agent(argv: &[&str]) -> CommandAgent {
    CommandAgent::new(settings(argv))
}

fn script(text: &str) -> CommandAgent {
    agent(&["sh", "-c", text])
}

async fn until_exists(path: &Path) {
    let waiting = async {
        while !path.exists() {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(DEADLINE, waiting).await.expect("the program writes a file");
}

/// Counts the processes that carry the attempt's key.
fn num_left(attempt: &Attempt) -> usize {
    let mark = format!("{}={}", leftovers::VARIABLE, attempt.key);
    let processes = procfs::process::all_processes().unwrap().flatten();
    let is_marked = |process: &procfs::process::Process| {
        let environment = program::environment(process).unwrap_or_default();
        let is_running = process.stat().is_ok_and(|stat| program::is_running(&stat));
        is_running
            && environment
                .split(|byte| *byte == 0)
                .any(|entry| entry == mark.as_bytes())
    };
    processes.filter(is_marked).count()
}

#[tokio::test]
async fn the_prompt_comes_on_standard_input_or_as_an_argument() {
    let scene = Scene::new("say $HOME `id` -- hello");
    let Output(output) = scene.run(&agent(&["cat"])).await.unwrap();
    assert_eq!(output["stdout"], "say $HOME `id` -- hello");
    let Output(output) = scene
        .run(&agent(&["printf", "%s|", "{prompt}", "x{prompt}"]))
        .await
        .unwrap();
    assert_eq!(output["stdout"], "say $HOME `id` -- hello|x{prompt}|");
}

#[tokio::test]
async fn a_script_can_have_the_whole_task_as_json() {
    let scene = Scene::new("sum");
    let agent = CommandAgent::new(Settings {
        stdin: Some(Stdin::Json),
        ..settings(&["cat"])
    });
    let Output(output) = scene.run(&agent).await.unwrap();
    let task: Value = serde_json::from_str(output["stdout"].as_str().unwrap()).unwrap();
    assert_eq!((&task["task_id"], &task["description"]), (&json!(7), &json!("sum")));
}

#[tokio::test]
async fn it_runs_in_the_project_with_the_allowed_environment_only() {
    let scene = Scene::new("x");
    let agent = CommandAgent::new(Settings {
        environment: serde_json::from_value(json!({"MODE": "test"})).unwrap(),
        inherit: vec!["CARGO_PKG_NAME".to_owned()],
        ..settings(&["sh", "-c", "pwd; env"])
    });
    let Output(output) = scene.run(&agent).await.unwrap();
    let text = output["stdout"].as_str().unwrap();
    let (directory, environment) = text.split_once('\n').unwrap();
    assert_eq!(Path::new(directory), scene.directory.path().canonicalize().unwrap());
    let mut names: Vec<&str> = environment
        .lines()
        .filter_map(|line| Some(line.split_once('=')?.0))
        .collect();
    names.retain(|name| !["HOME", "LANG", "TZ", "PWD", "OLDPWD", "SHLVL", "_"].contains(name));
    names.sort_unstable();
    let expected = [
        "BORGOS_TASK_ATTEMPT",
        "BORGOS_TASK_ID",
        "BORGOS_TASK_RUN",
        "CARGO_PKG_NAME",
        "MODE",
        "PATH",
    ];
    assert_eq!(names, expected);
}

#[tokio::test]
async fn a_failure_says_what_the_program_said() {
    let scene = Scene::new("x");
    let failure = scene
        .run(&script("echo out; echo no such model >&2; exit 3"))
        .await
        .unwrap_err();
    assert_eq!(failure.kind, "exit_code");
    assert!(
        failure.message.contains('3') && failure.message.ends_with("no such model"),
        "{failure}"
    );
    let failure = scene.run(&agent(&["no-such-program"])).await.unwrap_err();
    assert_eq!((failure.kind, failure.prospect), ("not_started", Prospect::Lasting));
}

#[tokio::test]
async fn the_last_line_is_reported_as_it_comes() {
    let mut scene = Scene::new("x");
    let wait = "echo step one; while [ ! -e seen ]; do sleep 0.01; done";
    let agent = script(wait);
    let running = scene.control.clone();
    let mut work = Box::pin(agent.run(scene.attempt.clone(), running));
    let report = tokio::select! {
        report = scene.reports.recv() => report.unwrap(),
        ended = &mut work => panic!("{ended:?}"),
    };
    assert_eq!(report.1, Progress::new("step one"));
    std::fs::write(scene.directory.path().join("seen"), "").unwrap();
    work.await.unwrap();
}

#[tokio::test]
async fn whatever_it_leaves_behind_is_ended() {
    let scene = Scene::new("x");
    let Output(output) = scene
        .run(&script("setsid sleep 600 & sleep 600 & echo done"))
        .await
        .unwrap();
    assert_eq!(output["stdout"], "done\n");
    assert_eq!(num_left(&scene.attempt), 0);
}

#[tokio::test]
async fn a_stop_ends_a_program_that_does_not_want_to() {
    let scene = Scene::new("x");
    let agent = script("trap '' TERM; setsid sleep 600 & touch started; while :; do sleep 0.05; done");
    let stopping = async {
        until_exists(&scene.path("started")).await;
        scene.stop.send_replace(Some(Stop::Interrupted));
    };
    let (failure, ()) = tokio::join!(scene.run(&agent), stopping);
    assert_eq!(failure.unwrap_err(), Failure::stopped());
    assert_eq!(num_left(&scene.attempt), 0);
}

#[tokio::test]
async fn an_attempt_that_is_given_up_leaves_no_process_of_its_group() {
    let scene = Scene::new("x");
    let agent = script("sleep 600 & touch started; wait");
    let started = scene.path("started");
    {
        let mut work = Box::pin(agent.run(scene.attempt.clone(), scene.control.clone()));
        tokio::select! {
            ended = &mut work => panic!("{ended:?}"),
            () = until_exists(&started) => {}
        }
    }
    let gone = async {
        while num_left(&scene.attempt) > 0 {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(DEADLINE, gone).await.expect("all are killed");
}

#[tokio::test]
async fn memory_is_limited() {
    let scene = Scene::new("x");
    let agent = CommandAgent::new(Settings {
        memory_limit: Some("64m".to_owned().try_into().unwrap()),
        // Its first instructions may run without the limit.
        ..settings(&["sh", "-c", "while [ $(ulimit -d) = unlimited ]; do :; done; ulimit -d"])
    });
    let Output(output) = scene.run(&agent).await.unwrap();
    assert_eq!(output["stdout"], "65536\n");
}

#[tokio::test]
async fn a_program_that_is_not_there_makes_the_agent_unavailable() {
    assert_eq!(agent(&["sh"]).health().await, Health::Available);
    for missing in ["no-such-program", "/no/such/program", "/etc/passwd"] {
        let health = agent(&[missing]).health().await;
        assert!(matches!(health, Health::Unavailable(reason) if reason.contains(missing)));
    }
}
