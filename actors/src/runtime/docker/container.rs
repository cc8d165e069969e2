//! Containers: how they are made, started, stopped and removed. Always by exact id, and never one that is not ours.

use std::{collections::HashMap, net::Ipv4Addr, time::Duration};

use bollard::{
    Docker as Client,
    errors::Error as ClientError,
    models::{
        ContainerCreateBody, HostConfig, HostConfigLogConfig, Mount, MountType, MountVolumeOptions, PortBinding,
        RestartPolicy, RestartPolicyNameEnum,
    },
    query_parameters::{
        CreateContainerOptionsBuilder, RemoveContainerOptionsBuilder, StartContainerOptions,
        StopContainerOptionsBuilder,
    },
};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use super::{
    connect::{SLOW, answer, failed, is_absent, within},
    labels::{Labels, container_name, volume_labels, volume_name},
    observe::{inspect, labels_of, state},
};
use crate::{
    runtime::{Artifact, Error, InstanceRef, InstanceSpec, InstanceState},
    value::{Volume, VolumeSource},
};

/// Where a program listens when neither the request nor the image says so.
const DEFAULT_CONTAINER_PORT: u16 = 8080;
const MAX_PROCESSES: i64 = 2048;
/// What web servers need of root's powers: to take over files, to give up being root, and to bind a low port.
const CAPABILITIES: [&str; 7] = [
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "SETGID",
    "SETUID",
    "NET_BIND_SERVICE",
    "KILL",
];
const MAX_LOG_FILE: &str = "5m";
const NUM_LOG_FILES: &str = "2";

/// Creates a container and starts it; on failure it is removed.
pub(super) async fn start(client: &Client, instance: Uuid, spec: &InstanceSpec) -> Result<InstanceRef, Error> {
    let id = create(client, instance, spec).await?;
    match within(SLOW, client.start_container(&id, None::<StartContainerOptions>)).await {
        Ok(()) => Ok(InstanceRef(id)),
        Err(cause) => {
            remove_by_id(client, &id).await?;
            Err(start_failure(cause))
        }
    }
}

async fn create(client: &Client, instance: Uuid, spec: &InstanceSpec) -> Result<String, Error> {
    let name = container_name(instance, spec.deployment, spec.generation);
    let options = CreateContainerOptionsBuilder::default().name(&name).build();
    let body = body(instance, spec)?;
    match within(SLOW, client.create_container(Some(options), body)).await {
        Ok(created) => Ok(created.id),
        Err(cause) => Err(match answer(&cause) {
            Some((404, message)) => Error::ImageUnavailable {
                image: image_of(spec).to_owned(),
                message: message.to_owned(),
            },
            Some((409, _)) => Error::Refused(format!("a container named `{name}` exists already")),
            _ => failed(cause),
        }),
    }
}

fn image_of(spec: &InstanceSpec) -> &str {
    match &spec.artifact {
        Artifact::Image { id, .. } => id,
        Artifact::Command { .. } => "",
    }
}

fn body(instance: Uuid, spec: &InstanceSpec) -> Result<ContainerCreateBody, Error> {
    let Artifact::Image {
        id: image,
        exposed_port,
    } = &spec.artifact
    else {
        return Err(Error::Refused("a container needs an image".to_owned()));
    };
    let port = spec
        .container_port
        .map(u16::from)
        .or(*exposed_port)
        .unwrap_or(DEFAULT_CONTAINER_PORT);
    let labels = Labels {
        deployment: spec.deployment,
        release: spec.release,
        generation: spec.generation,
    };
    let variables = spec.environment.iter().filter(|(name, _)| *name != "PORT");
    let mut environment: Vec<String> = variables.map(|(name, value)| format!("{name}={value}")).collect();
    environment.push(format!("PORT={port}"));
    Ok(ContainerCreateBody {
        image: Some(image.clone()),
        cmd: spec.command.as_ref().map(|command| command.as_argv().to_vec()),
        env: Some(environment),
        labels: Some(labels.write(instance)),
        exposed_ports: Some(vec![format!("{port}/tcp")]),
        host_config: Some(HostConfig {
            mounts: Some(
                spec.volumes
                    .iter()
                    .map(|volume| mount(instance, spec, volume))
                    .collect(),
            ),
            ..host_config(spec, port)
        }),
        ..Default::default()
    })
}

/// A named volume is the deployment's own, and stays when its containers go. A directory must be there.
fn mount(instance: Uuid, spec: &InstanceSpec, volume: &Volume) -> Mount {
    let mount = Mount {
        target: Some(volume.target.clone()),
        read_only: Some(volume.is_read_only),
        ..Default::default()
    };
    match &volume.source {
        VolumeSource::Host(path) => Mount {
            typ: Some(MountType::BIND),
            source: Some(path.clone()),
            ..mount
        },
        VolumeSource::Named(name) => Mount {
            typ: Some(MountType::VOLUME),
            source: Some(volume_name(instance, spec.deployment, name)),
            volume_options: Some(MountVolumeOptions {
                labels: Some(volume_labels(instance, spec.deployment)),
                ..Default::default()
            }),
            ..mount
        },
    }
}

fn host_config(spec: &InstanceSpec, container_port: u16) -> HostConfig {
    // The engine chooses a free port. Only the edge leads anybody there.
    let binding = PortBinding {
        host_ip: Some(Ipv4Addr::LOCALHOST.to_string()),
        host_port: None,
    };
    let memory = spec
        .memory_limit
        .as_ref()
        .and_then(|limit| i64::try_from(limit.bytes()).ok());
    let log_options = [("max-size", MAX_LOG_FILE), ("max-file", NUM_LOG_FILES)];
    HostConfig {
        port_bindings: Some(HashMap::from([(format!("{container_port}/tcp"), Some(vec![binding]))])),
        nano_cpus: spec
            .cpu_limit
            .as_ref()
            .map(|limit| i64::from(limit.millicpus()) * 1_000_000),
        memory,
        // The sum of memory and swap: the limit is a limit.
        memory_swap: memory,
        init: Some(true),
        pids_limit: Some(MAX_PROCESSES),
        security_opt: Some(vec!["no-new-privileges".to_owned()]),
        cap_drop: Some(vec!["ALL".to_owned()]),
        cap_add: Some(CAPABILITIES.map(str::to_owned).to_vec()),
        // Whether it runs is ours to decide.
        restart_policy: Some(RestartPolicy {
            name: Some(RestartPolicyNameEnum::NO),
            maximum_retry_count: None,
        }),
        log_config: Some(HostConfigLogConfig {
            typ: Some("json-file".to_owned()),
            config: Some(
                log_options
                    .map(|(name, value)| (name.to_owned(), value.to_owned()))
                    .into(),
            ),
        }),
        ..Default::default()
    }
}

/// Engines have no code for why a start failed, so the text must tell.
fn start_failure(cause: ClientError) -> Error {
    let Some((_, message)) = answer(&cause) else {
        return failed(cause);
    };
    let says = |parts: &[&str]| parts.iter().any(|part| message.contains(part));
    if says(&[
        "bind source path does not exist",
        "OCI runtime",
        "executable file not found",
        "exec:",
    ]) {
        return Error::StartFailed(message.to_owned());
    }
    failed(cause)
}

/// Stops a container of ours and checks that it did stop.
pub(super) async fn stop(client: &Client, instance: Uuid, id: &str, grace: Duration) -> Result<(), Error> {
    if !is_ours(client, instance, id).await? {
        return Ok(());
    }
    let seconds = i32::try_from(grace.as_millis().div_ceil(1000)).unwrap_or(i32::MAX);
    let options = StopContainerOptionsBuilder::default().t(seconds).build();
    match within(grace + SLOW, client.stop_container(id, Some(options))).await {
        Ok(()) => {}
        Err(cause) if is_absent(&cause) => return Ok(()),
        Err(cause) => return Err(failed(cause)),
    }
    let after = inspect(client, id).await?.and_then(|container| container.state);
    match after.map(|after| state(&after)) {
        Some(InstanceState::Running { .. }) => Err(Error::Refused(
            "the engine says that it stopped the container, which still runs".to_owned(),
        )),
        _ => Ok(()),
    }
}

/// Removes a container of ours and the unnamed volumes that were made for it.
pub(super) async fn remove(client: &Client, instance: Uuid, id: &str) -> Result<(), Error> {
    match is_ours(client, instance, id).await? {
        true => remove_by_id(client, id).await,
        false => Ok(()),
    }
}

/// Tells whether there is such a container, and refuses to touch one that is not ours.
async fn is_ours(client: &Client, instance: Uuid, id: &str) -> Result<bool, Error> {
    match inspect(client, id).await? {
        None => Ok(false),
        Some(container) if labels_of(&container, instance).is_some() => Ok(true),
        Some(_) => Err(Error::Refused(format!("container {id} was not created by this BorgOS"))),
    }
}

async fn remove_by_id(client: &Client, id: &str) -> Result<(), Error> {
    let deadline = Instant::now() + SLOW;
    loop {
        let options = RemoveContainerOptionsBuilder::default().force(true).v(true).build();
        match within(SLOW, client.remove_container(id, Some(options))).await {
            Ok(()) => return Ok(()),
            Err(cause) if is_absent(&cause) => return Ok(()),
            // Somebody else is removing it: look again until it is gone.
            Err(cause) if matches!(answer(&cause), Some((409, _))) && Instant::now() < deadline => {
                sleep(Duration::from_millis(100)).await;
            }
            Err(cause) => return Err(failed(cause)),
        }
    }
}
