//! `deploy/borgos.service`, judged by systemd.

use std::{fs, process::Output};

use tokio::process::Command;

const UNIT: &str = include_str!("../../deploy/borgos.service");

/// Runs `systemd-analyze` on the unit, pointed at the program under test.
async fn analyze(arguments: &[&str]) -> Output {
    let directory = tempfile::tempdir().unwrap();
    let unit = directory.path().join("borgos.service");
    fs::write(
        &unit,
        UNIT.replace("/usr/local/bin/borgos", env!("CARGO_BIN_EXE_borgos")),
    )
    .unwrap();
    let output = Command::new("systemd-analyze")
        .args(arguments)
        .arg(&unit)
        .output()
        .await;
    output.expect("systemd-analyze can be started")
}

#[tokio::test]
async fn systemd_accepts_the_unit_without_a_warning() {
    let output = analyze(&["verify", "--man=no"]).await;
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && !complaints.contains("borgos.service"),
        "{complaints}"
    );
}

/// The scale goes from 0 (locked up) to 10 (as root without any limit).
#[tokio::test]
async fn the_unit_is_hardened() {
    let output = analyze(&["security", "--offline=true", "--threshold=25"]).await;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

/// Keepers and what they keep must survive a stop; BorgOS itself needs 10 s at most.
#[test]
fn a_stop_ends_only_borgos_and_waits_long_enough() {
    assert!(UNIT.lines().any(|line| line == "KillMode=process"));
    let timeout = UNIT
        .lines()
        .find_map(|line| line.strip_prefix("TimeoutStopSec="))
        .unwrap();
    assert!(timeout.parse::<u64>().unwrap() > 10, "{timeout}");
}
