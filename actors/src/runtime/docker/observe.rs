//! Looks at containers, and says what is there.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Duration,
};

use bollard::{
    Docker as Client,
    models::{ContainerInspectResponse, ContainerState, ContainerStateStatusEnum as Status},
    query_parameters::ListContainersOptionsBuilder,
};
use chrono::{DateTime, Utc};
use futures_util::{StreamExt, TryStreamExt, stream};
use uuid::Uuid;

use super::{
    connect::{QUICK, failed, is_absent, within},
    labels::{self, Labels},
    oom,
};
use crate::{
    id::DeploymentId,
    runtime::{Error, Exit, InstanceRef, InstanceState, Observation},
};

/// Listing is slower when there are thousands of containers, whoever's they are.
const LIST_DEADLINE: Duration = Duration::from_secs(30);
const MAX_INSPECTIONS_AT_ONCE: usize = 8;

/// Looks at all containers of this BorgOS, or at those of one deployment.
pub(super) async fn observe_all(
    client: &Client,
    instance: Uuid,
    is_local: bool,
    of: Option<DeploymentId>,
) -> Result<Vec<Observation>, Error> {
    let mut wanted = vec![format!("{}={instance}", labels::INSTANCE)];
    wanted.extend(of.map(|deployment| format!("{}={deployment}", labels::DEPLOYMENT)));
    let options = ListContainersOptionsBuilder::default()
        .all(true)
        .filters(&HashMap::from([("label", wanted)]))
        .build();
    let found = within(LIST_DEADLINE, client.list_containers(Some(options)))
        .await
        .map_err(failed)?;
    let ids = found.into_iter().filter_map(|container| container.id);
    let looks = ids.map(|id| async move {
        let Some(container) = inspect(client, &id).await? else {
            return Ok::<_, Error>(None);
        };
        match observation(&container, instance, is_local) {
            Some(seen) => Ok(Some(oom::complete(client, &container, seen).await)),
            None => Ok(None),
        }
    });
    let seen: Vec<Option<Observation>> = stream::iter(looks)
        .buffered(MAX_INSPECTIONS_AT_ONCE)
        .try_collect()
        .await?;
    Ok(seen.into_iter().flatten().collect())
}

/// Looks at one container; there may be none.
pub(super) async fn inspect(client: &Client, id: &str) -> Result<Option<ContainerInspectResponse>, Error> {
    match within(QUICK, client.inspect_container(id, None)).await {
        Ok(container) => Ok(Some(container)),
        Err(cause) if is_absent(&cause) => Ok(None),
        Err(cause) => Err(failed(cause)),
    }
}

/// Reads the labels of a container that we may touch; nothing if it is not ours.
pub(super) fn labels_of(container: &ContainerInspectResponse, instance: Uuid) -> Option<Labels> {
    Labels::read(instance, container.config.as_ref()?.labels.as_ref()?)
}

fn observation(container: &ContainerInspectResponse, instance: Uuid, is_local: bool) -> Option<Observation> {
    let labels = labels_of(container, instance)?;
    let state = state(container.state.as_ref()?);
    let is_reachable = is_local && matches!(state, InstanceState::Running { .. });
    let reachable = is_reachable.then_some(container);
    Some(Observation {
        instance: InstanceRef(container.id.clone()?),
        deployment: labels.deployment,
        release: labels.release,
        generation: labels.generation,
        state,
        address: reachable.and_then(address),
        endpoint: reachable.and_then(endpoint),
    })
}

/// A container that is paused or being restarted still has its processes and its port, so it runs.
pub(super) fn state(state: &ContainerState) -> InstanceState {
    match state.status {
        Some(Status::CREATED) => InstanceState::Created,
        Some(Status::RUNNING | Status::PAUSED | Status::RESTARTING) => InstanceState::Running {
            since: time(state.started_at.as_deref()),
        },
        Some(_) | None => InstanceState::Exited(Exit {
            code: state.exit_code.unwrap_or(Exit::UNSEEN),
            is_oom: state.oom_killed.unwrap_or(false),
            at: time(state.finished_at.as_deref()),
        }),
    }
}

/// Reads a time of the engine; the epoch stands for one that it does not know.
fn time(text: Option<&str>) -> DateTime<Utc> {
    let parsed = text.and_then(|text| DateTime::parse_from_rfc3339(text).ok());
    parsed.map_or(DateTime::UNIX_EPOCH, |time| time.to_utc())
}

/// Reads which port of this machine the engine has published the container's on. It is another one after each start.
fn endpoint(container: &ContainerInspectResponse) -> Option<SocketAddr> {
    let ports = container.network_settings.as_ref()?.ports.as_ref()?;
    let port = ports
        .values()
        .flatten()
        .flatten()
        .find_map(|binding| binding.host_port.as_ref()?.parse().ok())?;
    Some(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
}

/// Puts together the container's own IP address and the port that we published.
fn address(container: &ContainerInspectResponse) -> Option<SocketAddr> {
    let networks = container.network_settings.as_ref()?.networks.as_ref()?;
    let ip: IpAddr = networks
        .values()
        .find_map(|network| network.ip_address.as_ref()?.parse().ok())?;
    let bindings = container.host_config.as_ref()?.port_bindings.as_ref()?;
    let port = bindings
        .keys()
        .find_map(|port| port.strip_suffix("/tcp")?.parse().ok())?;
    Some(SocketAddr::new(ip, port))
}
