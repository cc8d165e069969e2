//! The client examples of the API reference, as they stand there but for the server's address.

use std::{fs, path::Path};

use serde_json::{Value, json};
use tokio::{
    process::Command,
    sync::{Mutex, MutexGuard},
};

use crate::support::{Http, Runtime, Setup, World, eventually};

/// All examples deploy on this port, so they take turns.
const PORT: u16 = 8090;
static TURN: Mutex<()> = Mutex::const_new(());

/// A world as the examples expect it: project 1 exists, and nobody else uses their port.
struct Stage {
    world: World,
    _turn: MutexGuard<'static, ()>,
}

impl Stage {
    async fn set() -> Self {
        let turn = TURN.lock().await;
        let world = Setup::new(Runtime::Docker).start().await;
        let project = world.project("example", "the example runs");
        assert_eq!(world.create_project("example", project.path()).await, 1);
        Self { world, _turn: turn }
    }

    /// Writes an example with this world's address in it, and `more` at its end.
    fn write(&self, name: &str, example: &str, more: &str) -> std::path::PathBuf {
        let path = self.world.data_dir().with_file_name(name);
        let text = example.replace("http://localhost:8081", &self.world.base_url());
        assert_ne!(text, example, "the example names no server");
        fs::write(&path, text + more).unwrap();
        path
    }

    /// Waits until what an example deployed under this name answers, then ends the world.
    async fn finish(self, name: &str) {
        let deployment = self.world.deployment_is(1, "running").await;
        assert_eq!(deployment["name"], name);
        assert_eq!(deployment["port"], PORT);
        let app = Http::new(&format!("http://localhost:{PORT}"), None);
        eventually("the deployed example answers", async || {
            match app.try_send(reqwest::Method::GET, "/", None).await {
                Ok(answer) if answer.text == "the example runs" => Ok(()),
                other => Err(other),
            }
        })
        .await;
        self.world.close().await;
    }
}

/// Runs a program on a file and returns what it printed.
async fn run(program: &str, arguments: &[&str], file: &Path) -> String {
    let output = Command::new(program).args(arguments).arg(file).output().await.unwrap();
    assert!(
        output.status.success(),
        "{program} failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// Checks what the examples hold in their variables at the end, printed as `[projects, deployment]`.
fn check(printed: &str) {
    let results: Value = serde_json::from_str(printed).unwrap();
    assert_eq!(results[0][0]["name"], "example", "{printed}");
    assert_eq!(
        results[1],
        json!({"message": "Deployment created on port 8090", "id": 1})
    );
}

#[tokio::test]
async fn the_python_example_works() {
    let stage = Stage::set().await;
    let show = "\nimport json\nprint(json.dumps([projects, deployment]))\n";
    let script = stage.write("example.py", include_str!("clients/python.py"), show);
    check(&run("python3", &[], &script).await);
    stage.finish("deployment-8090").await;
}

#[tokio::test]
async fn the_typescript_example_works() {
    let stage = Stage::set().await;
    let show = "\nconsole.log(JSON.stringify([projects, deployment]));\n";
    let typed = stage.write("example.ts", include_str!("clients/javascript.ts"), show);
    // Only takes the types away, which Node 20 cannot read.
    let script = typed.with_extension("mjs");
    fs::write(&script, run("esbuild", &["--log-level=warning"], &typed).await).unwrap();
    check(&run("node", &[], &script).await);
    stage.finish("deployment-8090").await;
}

#[tokio::test]
async fn the_curl_examples_work() {
    let stage = Stage::set().await;
    let script = stage.write("example.sh", include_str!("clients/curl.sh"), "");
    let printed = run("bash", &[], &script).await;
    assert!(
        printed.contains(r#""message":"Deployment created on port 8090""#),
        "{printed}"
    );
    assert!(printed.contains(r#""name":"example""#), "{printed}");
    stage.finish("my-deployment").await;
}
