//! An Agent Zero that behaves as the real one does, and misbehaves as it is told: see `agent_zero/run_ui.py`.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use rustix::process::Pid;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Http, Setup, free_port, kill_processes, processes};

const PROGRAM: &str = include_str!("agent_zero/run_ui.py");
/// Says that it is new enough whatever the machine of the tests has.
const PYTHON: &str = "#!/bin/sh\n[ \"$1\" = -c ] && { echo 3 12; exit; }\nexec python3 \"$@\"\n";

/// An installation. Dropping it kills what still runs of it.
#[derive(Debug)]
pub(crate) struct StandIn {
    directory: TempDir,
    pub(crate) port: u16,
}

impl StandIn {
    /// Installs one that misbehaves as `options` say.
    pub(crate) fn install(options: &Value) -> Self {
        let stand_in = Self {
            directory: TempDir::with_prefix("borgos-agent-zero-").expect("a temporary directory"),
            port: free_port(),
        };
        stand_in.write("run_ui.py", PROGRAM);
        stand_in.write_python(PYTHON);
        stand_in.set(options);
        stand_in
    }

    /// Changes how it misbehaves from its next start on.
    pub(crate) fn set(&self, options: &Value) {
        self.write("stand_in.json", &options.to_string());
        let login = options["login"].as_array();
        if let Some([name, password]) = login.map(Vec::as_slice) {
            let settings = format!(
                "AUTH_LOGIN={}\nAUTH_PASSWORD={}\n",
                name.as_str().unwrap_or_default(),
                password.as_str().unwrap_or_default()
            );
            self.write("usr/.env", &settings);
        }
    }

    /// Writes a file of the installation.
    pub(crate) fn write(&self, file: &str, content: &str) {
        let path = self.path().join(file);
        let parent = path.parent().expect("a file is in a directory");
        fs::create_dir_all(parent).expect("a directory can be made");
        fs::write(path, content).expect("a file can be written");
    }

    /// Replaces its interpreter.
    pub(crate) fn write_python(&self, script: &str) {
        self.write("python", script);
        let mode = fs::Permissions::from_mode(0o755);
        fs::set_permissions(self.path().join("python"), mode).expect("a file can be made executable");
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Tells a world of it.
    pub(crate) fn introduce(&self, setup: Setup) -> Setup {
        setup
            .variable("BORGOS_AGENT_ZERO_DIR", &self.path().display().to_string())
            .variable("BORGOS_AGENT_ZERO_PORT", &self.port.to_string())
            .variable("BORGOS_AGENT_ZERO_PYTHON", "./python")
            .variable("BORGOS_AGENT_ZERO_AS_ROOT", "yes")
    }

    /// Has it do something, as a message of somebody else would.
    pub(crate) async fn tell(&self, text: &str) {
        let page = Http::new(&format!("http://127.0.0.1:{}", self.port), None);
        page.post("/stand-in", &json!({"text": text})).await.expect(200);
    }

    /// Returns what it was asked and did, from all of its starts.
    pub(crate) fn ledger(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.path().join("ledger.jsonl")).unwrap_or_default();
        text.lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect()
    }

    /// Counts the entries of the ledger of one kind.
    pub(crate) fn num_in_ledger(&self, what: &str) -> usize {
        self.ledger().iter().filter(|entry| entry["what"] == what).count()
    }

    /// Returns what runs of it: itself and whatever it has started, and not the server that was told of it.
    pub(crate) fn processes(&self) -> Vec<(Pid, String)> {
        let mut found = processes(self.path());
        found.retain(|(_, command)| !command.starts_with(env!("CARGO_BIN_EXE_borgos")));
        found
    }

    /// Fails the test if anything of it is left.
    pub(crate) fn assert_gone(&self) {
        let left = self.processes();
        assert!(left.is_empty(), "left over: {left:?}");
        let listener = std::net::TcpListener::bind(("127.0.0.1", self.port));
        assert!(listener.is_ok(), "port {} is not free: {listener:?}", self.port);
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        kill_processes(self.path());
    }
}
