//! Builds images with the engine's classic builder, which every engine has.

use std::{
    collections::{HashMap, VecDeque},
    io::ErrorKind,
    time::Duration,
};

use bollard::{
    Docker as Client, body_try_stream,
    errors::Error as ClientError,
    models::BuildInfo,
    query_parameters::{BuildImageOptions, BuildImageOptionsBuilder},
};
use futures_util::{StreamExt, stream};
use tokio::{
    task::{JoinHandle, spawn_blocking},
    time::timeout,
};

use super::{
    connect::{QUICK, answer, failed},
    context::{self, Context},
    image,
};
use crate::{
    runtime::{Artifact, BuildLog, Error, lines::Lines},
    value::Secrets,
};

const BUILD_DEADLINE: Duration = Duration::from_secs(30 * 60);
/// What the steps of a build may use, so that it does not starve what runs: as much as the API type can say.
const MEMORY_BYTES: i32 = i32::MAX;
const NUM_KEPT_LINES: usize = 50;
const MAX_LINE_BYTES: usize = 2000;

/// What is built.
pub(super) struct Build<'a> {
    pub(super) context: Context,
    pub(super) tag: String,
    pub(super) labels: HashMap<String, String>,
    /// Masked in what it says.
    pub(super) secrets: &'a Secrets,
}

/// Builds an image and returns it. Dropping the future closes the connection, upon which the engine ends the build.
pub(super) async fn build(client: &Client, build: Build<'_>, log: BuildLog<'_>) -> Result<Artifact, Error> {
    let mut output = Output {
        log,
        lines: Lines::new(build.secrets.clone(), MAX_LINE_BYTES),
        kept: VecDeque::new(),
    };
    let built = match timeout(BUILD_DEADLINE, run(client, &build, &mut output)).await {
        Ok(built) => built,
        Err(_) => Err(Failure::Build(format!(
            "it took longer than {} minutes",
            BUILD_DEADLINE.as_secs() / 60
        ))),
    };
    output.end();
    match built {
        Ok(()) => image::artifact(image::inspect(client, &build.tag).await.map_err(failed)?),
        Err(Failure::Engine(cause)) => Err(failed(cause)),
        Err(Failure::Build(message)) => Err(Error::BuildFailed {
            message,
            log: output.kept.into(),
        }),
    }
}

enum Failure {
    /// The project's fault.
    Build(String),
    /// Not the project's fault.
    Engine(ClientError),
}

async fn run(client: &Client, build: &Build<'_>, output: &mut Output<'_>) -> Result<(), Failure> {
    let (sender, receiver) = context::channel();
    let context = build.context.clone();
    let sending = spawn_blocking(move || context.send(sender));
    let chunks = stream::unfold(receiver, |mut receiver| async {
        receiver.recv().await.map(|chunk| (chunk, receiver))
    });

    let mut steps = client.build_image(options(build), None, Some(body_try_stream(chunks)));
    let mut outcome = Ok(());
    while let Some(step) = steps.next().await {
        match step {
            Ok(step) => output.take(step),
            Err(cause) => {
                outcome = Err(cause);
                break;
            }
        }
    }
    // Ends the sending of a context that the engine had no more use for.
    drop(steps);
    explain(outcome, sending).await
}

fn options(build: &Build<'_>) -> BuildImageOptions {
    BuildImageOptionsBuilder::default()
        .dockerfile(build.context.dockerfile())
        .t(&build.tag)
        .labels(&build.labels)
        .rm(true)
        .forcerm(true)
        .memory(MEMORY_BYTES)
        .memswap(MEMORY_BYTES)
        .build()
}

/// Finds out whose fault a failure was. A context that could not be read makes the engine complain as well, about less.
async fn explain(outcome: Result<(), ClientError>, sending: JoinHandle<std::io::Result<()>>) -> Result<(), Failure> {
    let Err(cause) = outcome else { return Ok(()) };
    if let Ok(Ok(Err(unsent))) = timeout(QUICK, sending).await
        && unsent.kind() != ErrorKind::BrokenPipe
    {
        return Err(Failure::Build(format!(
            "the project cannot be sent to the builder: {unsent}"
        )));
    }
    Err(match &cause {
        ClientError::DockerStreamError { error } => Failure::Build(error.clone()),
        other => match answer(other) {
            Some((_, message)) => Failure::Build(message.to_owned()),
            None => Failure::Engine(cause),
        },
    })
}

/// Passes lines on and keeps the last.
struct Output<'a> {
    log: BuildLog<'a>,
    /// A line comes in as many parts as the step has written it.
    lines: Lines,
    kept: VecDeque<String>,
}

impl Output<'_> {
    fn take(&mut self, step: BuildInfo) {
        // Progress bars are for terminals.
        let is_progress = step.progress_detail.is_some_and(|detail| detail.current.is_some());
        let status = step.status.filter(|_| !is_progress);
        let whole = status.map(|status| format!("{status}\n"));
        let lines = self.lines.push(step.stream.or(whole).unwrap_or_default().as_bytes());
        self.keep(&lines);
    }

    fn end(&mut self) {
        let lines = self.lines.end();
        self.keep(&lines);
    }

    fn keep(&mut self, lines: &[String]) {
        let shown = lines.iter().flat_map(|line| line.split('\r')).map(str::trim_end);
        for line in shown.filter(|line| !line.is_empty()) {
            (self.log)(line);
            if self.kept.len() == NUM_KEPT_LINES {
                self.kept.pop_front();
            }
            self.kept.push_back(line.to_owned());
        }
    }
}
