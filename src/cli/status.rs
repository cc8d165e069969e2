//! `borgos status`.

use reqwest::StatusCode;
use serde::Deserialize;
use serde_json::Value;

use super::{
    Failure,
    client::{Client, Remote},
    output::{self, Color, colored, duration, line, plain, sentence},
};

#[derive(Default, Deserialize)]
#[serde(default)]
struct Health {
    status: Option<String>,
    reason: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Status {
    cpu_percent: Option<f64>,
    memory_percent: Option<f64>,
    disk_percent: Option<f64>,
    active_deployments: Option<u64>,
    total_projects: Option<u64>,
    recent_errors: Option<u64>,
    uptime_seconds: Option<u64>,
    service_uptime_seconds: Option<u64>,
    version: Option<String>,
}

/// Shows how a service is. An unwell one is a failure, so that scripts notice.
pub(super) async fn run(remote: &Remote, is_json: bool) -> Result<(), Failure> {
    let client = Client::new(remote)?;
    let (health_status, health) = client.get_any("/health").await?;
    let status = client.get("/api/v1/status").await?;
    if is_json {
        line(&output::json(&status))?;
    } else {
        for text in describe(&health, status)? {
            line(&text)?;
        }
    }
    match health_status {
        StatusCode::OK => Ok(()),
        _ => Err(Failure::Reported),
    }
}

fn describe(health: &Value, status: Value) -> Result<Vec<String>, Failure> {
    let status: Status = serde_json::from_value(status)
        .map_err(|error| Failure::General(format!("the status cannot be understood: {error}")))?;
    let health = Health::deserialize(health).unwrap_or_default();
    let number = |value: Option<u64>| value.map_or("?".to_owned(), |value| value.to_string());
    let percent = |value: Option<f64>| value.map_or("?".to_owned(), |value| format!("{value:.1} %"));
    let time = |value: Option<u64>| value.map_or("?".to_owned(), duration);
    Ok(vec![
        format!("service      {}", describe_health(&health)),
        format!(
            "version      {}",
            status.version.as_deref().map_or("?".to_owned(), plain)
        ),
        format!("running for  {}", time(status.service_uptime_seconds)),
        format!("machine up   {}", time(status.uptime_seconds)),
        format!("projects     {}", number(status.total_projects)),
        format!("deployments  {} running", number(status.active_deployments)),
        format!("errors       {} in the last hour", number(status.recent_errors)),
        format!(
            "machine      cpu {}, memory {}, disk {}",
            percent(status.cpu_percent),
            percent(status.memory_percent),
            percent(status.disk_percent)
        ),
    ])
}

fn describe_health(health: &Health) -> String {
    match (health.status.as_deref(), &health.reason) {
        (Some("healthy"), _) => colored("healthy", Color::Green),
        (_, Some(reason)) => format!("{}: {}", colored("unhealthy", Color::Red), sentence(reason)),
        _ => colored("unhealthy", Color::Red),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_status_reads_at_a_glance() {
        let status = json!({"cpu_percent": 45.23, "active_deployments": 5, "uptime_seconds": 86_400, "new_field": []});
        let lines = describe(&json!({"status": "unhealthy", "reason": "`root` ended"}), status).unwrap();
        assert_eq!(lines[0], "service      unhealthy: `root` ended");
        assert_eq!(lines[3], "machine up   1d 0h");
        assert_eq!(lines[5], "deployments  5 running");
        assert_eq!(lines[7], "machine      cpu 45.2 %, memory ?, disk ?");
    }
}
