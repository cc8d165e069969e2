//! What a container uses at this moment.

use bollard::{
    Docker as Client,
    models::{ContainerCpuStats, ContainerMemoryStats, ContainerStatsResponse},
    query_parameters::StatsOptionsBuilder,
};
use futures_util::StreamExt;

use super::connect::{QUICK, failed, is_absent, within};
use crate::runtime::{Error, Usage};

/// Measures a container; there may be none, or one that does not run. The engine takes two looks, a second apart.
pub(super) async fn usage(client: &Client, id: &str) -> Result<Option<Usage>, Error> {
    let options = StatsOptionsBuilder::default().stream(false).one_shot(false).build();
    let mut answers = client.stats(id, Some(options));
    let first = async { answers.next().await.transpose() };
    match within(QUICK, first).await {
        Ok(stats) => Ok(stats.and_then(read)),
        Err(cause) if is_absent(&cause) => Ok(None),
        Err(cause) => Err(failed(cause)),
    }
}

/// Reads an answer. Of what does not run the engine knows no memory.
fn read(stats: ContainerStatsResponse) -> Option<Usage> {
    let memory = stats.memory_stats?;
    let memory_bytes = used(&memory)?;
    let networks = || stats.networks.iter().flat_map(|networks| networks.values());
    Some(Usage {
        cpu_percent: cpu_percent(stats.cpu_stats.as_ref(), stats.precpu_stats.as_ref()),
        memory_bytes,
        network_rx_bytes: Some(networks().filter_map(|network| network.rx_bytes).sum()),
        network_tx_bytes: Some(networks().filter_map(|network| network.tx_bytes).sum()),
        num_processes: stats.pids_stats.and_then(|pids| pids.current),
    })
}

/// What is used without what the kernel keeps of files and would give up at once: as `docker stats` shows it.
fn used(memory: &ContainerMemoryStats) -> Option<u64> {
    let details = memory.stats.as_ref();
    let file = |name: &str| details.and_then(|details| details.get(name)).copied();
    let inactive = file("inactive_file").or_else(|| file("total_inactive_file"));
    Some(memory.usage?.saturating_sub(inactive.unwrap_or(0)))
}

fn cpu_percent(now: Option<&ContainerCpuStats>, before: Option<&ContainerCpuStats>) -> Option<f64> {
    let total = |stats: &ContainerCpuStats| stats.cpu_usage.as_ref()?.total_usage;
    let (now, before) = (now?, before?);
    let used = total(now)?.checked_sub(total(before)?)?;
    let passed = now.system_cpu_usage?.checked_sub(before.system_cpu_usage?)?;
    let num_cpus = now.online_cpus?;
    (passed > 0).then(|| used as f64 / passed as f64 * f64::from(num_cpus) * 100.0)
}

#[cfg(test)]
mod tests {
    use bollard::models::ContainerCpuUsage;

    use super::*;

    fn cpu(total: u64, system: u64) -> ContainerCpuStats {
        ContainerCpuStats {
            cpu_usage: Some(ContainerCpuUsage {
                total_usage: Some(total),
                ..Default::default()
            }),
            system_cpu_usage: Some(system),
            online_cpus: Some(4),
            ..Default::default()
        }
    }

    #[test]
    fn a_container_that_keeps_one_cpu_busy_uses_100_percent() {
        assert_eq!(
            cpu_percent(Some(&cpu(1500, 14_000)), Some(&cpu(500, 10_000))),
            Some(100.0)
        );
        assert_eq!(cpu_percent(Some(&cpu(0, 10_000)), Some(&cpu(500, 10_000))), None);
        assert_eq!(cpu_percent(Some(&cpu(500, 10_000)), None), None);
    }
}
