//! One runtime with a data directory, an id and a port of its own, and the app that all cases run.

use std::{
    fs,
    net::SocketAddr,
    panic::{AssertUnwindSafe, resume_unwind},
    path::Path,
    sync::{
        Once,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use borgos_actors::{
    id::{DeploymentId, Generation},
    runtime::{
        Artifact, Exit, InstanceSpec, InstanceState, Kind, Observation, Runtime, Wanted, docker::Docker, port,
        process::Processes,
    },
    value::{Command, Environment, Port, Secrets, Volumes},
};
use futures_util::FutureExt;
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::OnceCell,
    time::timeout,
};
use uuid::Uuid;

use crate::support::{docker, eventually, free_port};

/// A web server that shows its environment, and what it does instead when it is told so by an argument.
const APP: &str = r#"
echo "the app begins: $*"
echo "a complaint" >&2
case "$1" in
stubborn) trap '' TERM; echo "up"; while :; do busybox sleep 1; done ;;
exit) exit "$2" ;;
hog) busybox tail /dev/zero; exit $? ;;
flood) busybox yes "a line of a flood" | busybox head -c 100000000; echo; echo "the flood is over" ;;
crowd) busybox sleep 86399 & ;;
escape) busybox setsid busybox sleep 86399 & busybox sleep 86399 & ;;
esac
busybox mkdir -p "www$PORT"
busybox env >"www$PORT/env"
exec busybox httpd -f -p "$PORT" -h "www$PORT"
"#;
const DOCKERFILE: &str = "FROM borgos-test-base:1\nWORKDIR /app\nCOPY app.sh .\nEXPOSE 9999 8099 53/udp\nCMD [\"busybox\", \"sh\", \"app.sh\", \"serve\"]\n";
const ANSWER_DEADLINE: Duration = Duration::from_secs(5);

/// A runtime under test and what belongs to it.
pub(super) struct Fixture {
    pub(super) runtime: Box<dyn Runtime>,
    pub(super) instance: Uuid,
    pub(super) deployment: DeploymentId,
    pub(super) port: Port,
    directory: TempDir,
}

/// Runs a case and removes what it left, also when it failed. Without an engine, cases for containers are skipped.
pub(super) async fn run(kind: Kind, case: impl AsyncFnOnce(&Fixture)) {
    if kind == Kind::Docker && std::env::var_os("BORGOS_TEST_DOCKER_HOST").is_none() {
        static SAID: Once = Once::new();
        SAID.call_once(|| {
            eprintln!("containers are not tested: BORGOS_TEST_DOCKER_HOST names no engine, see tests/run")
        });
        return;
    }
    let fixture = Fixture::new(kind);
    let outcome = AssertUnwindSafe(case(&fixture)).catch_unwind().await;
    fixture.clean_up().await;
    if let Err(panic) = outcome {
        resume_unwind(panic);
    }
}

impl Fixture {
    pub(super) fn new(kind: Kind) -> Self {
        static NEXT: AtomicI64 = AtomicI64::new(1);
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("app.sh"), APP).unwrap();
        fs::write(directory.path().join("Dockerfile"), DOCKERFILE).unwrap();
        let instance = Uuid::new_v4();
        Self {
            runtime: runtime(kind, instance, directory.path()),
            instance,
            deployment: DeploymentId(NEXT.fetch_add(1, Ordering::Relaxed)),
            port: Port::try_from(i64::from(free_port())).unwrap(),
            directory,
        }
    }

    /// Returns the project's directory.
    pub(super) fn path(&self) -> &Path {
        self.directory.path()
    }

    pub(super) fn is_docker(&self) -> bool {
        self.runtime.kind() == Kind::Docker
    }

    /// Makes another runtime that knows no more than what was left outside: the one after a crash.
    pub(super) fn another_runtime(&self) -> Box<dyn Runtime> {
        runtime(self.runtime.kind(), self.instance, self.path())
    }

    /// Describes the first start of the app. `arguments` are the app's; without, it serves.
    pub(super) async fn spec(&self, arguments: &[&str]) -> InstanceSpec {
        let command = (!arguments.is_empty()).then(|| app_command(arguments));
        InstanceSpec {
            deployment: self.deployment,
            release: 4,
            generation: Generation(1),
            artifact: self.artifact().await,
            command,
            container_port: None,
            environment: Environment::default(),
            volumes: Volumes::default(),
            cpu_limit: None,
            memory_limit: None,
        }
    }

    /// Prepares the app as a client's request would. All cases share one image, since its content is the same.
    async fn artifact(&self) -> Artifact {
        static IMAGE: OnceCell<Artifact> = OnceCell::const_new();
        match self.runtime.kind() {
            Kind::Docker => IMAGE.get_or_init(|| self.build_image()).await.clone(),
            Kind::Process => self.prepare(Some(app_command(&["serve"]))).await,
        }
    }

    /// Its tag is the same each time, so that repeated runs leave one image.
    async fn build_image(&self) -> Artifact {
        docker::base_image().await;
        let shared = Self {
            runtime: runtime(Kind::Docker, Uuid::nil(), self.path()),
            deployment: DeploymentId(0),
            ..Self::new(Kind::Docker)
        };
        shared.prepare(None).await
    }

    pub(super) async fn prepare(&self, command: Option<Command>) -> Artifact {
        let wanted = Wanted {
            directory: self.path().to_owned(),
            image: None,
            command,
        };
        let plan = self.runtime.plan(&wanted).await.unwrap();
        let mut lines = Vec::new();
        let mut log = |line: &str| lines.push(line.to_owned());
        let prepared = self
            .runtime
            .prepare(
                self.deployment,
                1,
                plan.source().unwrap(),
                &Secrets::default(),
                &mut log,
            )
            .await;
        prepared.unwrap_or_else(|cause| panic!("{cause:?}\n{lines:#?}"))
    }

    /// Returns the only instance of the deployment.
    pub(super) async fn the_instance(&self) -> Observation {
        let mut seen = self.runtime.instances(self.deployment).await.unwrap();
        assert_eq!(seen.len(), 1, "{seen:?}");
        seen.remove(0)
    }

    /// Waits until the only instance has ended, and returns how.
    pub(super) async fn exit(&self) -> Exit {
        eventually("the instance has ended", async || {
            match self.the_instance().await.state {
                InstanceState::Exited(exit) => Ok(exit),
                other => Err(other),
            }
        })
        .await
    }

    /// Returns where the newest instance is reached.
    pub(super) async fn endpoint(&self) -> Result<SocketAddr, String> {
        let seen = self.runtime.instances(self.deployment).await.unwrap();
        let newest = seen.iter().max_by_key(|seen| seen.generation);
        newest
            .and_then(|newest| newest.endpoint)
            .ok_or_else(|| format!("{seen:?}"))
    }

    /// Waits until the newest instance answers, and returns what it says is its environment.
    pub(super) async fn served_environment(&self) -> String {
        eventually("the app answers", async || get(self.endpoint().await?, "/env").await).await
    }

    /// Returns the process that listens where the newest instance is reached, for process runtimes.
    pub(super) async fn app_pid(&self) -> rustix::process::Pid {
        let holder = port::holder(self.endpoint().await.unwrap().port()).unwrap();
        let pid = holder
            .split_once("(pid ")
            .unwrap()
            .1
            .trim_end_matches(')')
            .parse()
            .unwrap();
        rustix::process::Pid::from_raw(pid).unwrap()
    }

    pub(super) async fn clean_up(&self) {
        for left in self.runtime.list().await.unwrap() {
            self.runtime.remove(&left.instance).await.unwrap();
        }
        assert_eq!(self.runtime.list().await.unwrap(), []);
    }
}

pub(super) fn app_command(arguments: &[&str]) -> Command {
    let argv = ["busybox", "sh", "app.sh"]
        .iter()
        .chain(arguments)
        .map(|argument| (*argument).to_owned());
    Command::try_from(argv.collect::<Vec<_>>()).unwrap()
}

fn runtime(kind: Kind, instance: Uuid, data_dir: &Path) -> Box<dyn Runtime> {
    match kind {
        Kind::Docker => Box::new(Docker::connect_to(&docker::host(), instance).unwrap()),
        Kind::Process => {
            let program = env!("CARGO_BIN_EXE_borgos").into();
            Box::new(Processes::new(data_dir, program, vec!["keeper".into()]).unwrap())
        }
    }
}

/// Asks for a file, and returns what came when that is a success.
pub(super) async fn get(address: SocketAddr, path: &str) -> Result<String, String> {
    let exchange = async {
        let mut connection = TcpStream::connect(address).await?;
        connection
            .write_all(format!("GET {path} HTTP/1.0\r\n\r\n").as_bytes())
            .await?;
        let mut answer = String::new();
        connection.read_to_string(&mut answer).await?;
        Ok::<_, std::io::Error>(answer)
    };
    let answer = timeout(ANSWER_DEADLINE, exchange)
        .await
        .map_err(|late| late.to_string())?;
    let answer = answer.map_err(|cause| cause.to_string())?;
    match answer.split_once("\r\n\r\n") {
        Some((head, body)) if head.contains(" 200 ") => Ok(body.to_owned()),
        _ => Err(answer),
    }
}
