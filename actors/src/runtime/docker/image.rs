//! Images: found, pulled when missing, asked for their port, and removed when no release needs them any more.

use std::{collections::HashMap, time::Duration};

use bollard::{
    Docker as Client,
    errors::Error as ClientError,
    models::ImageInspect,
    query_parameters::{CreateImageOptions, CreateImageOptionsBuilder, ListImagesOptionsBuilder, RemoveImageOptions},
};
use futures_util::StreamExt;
use tokio::time::timeout;
use uuid::Uuid;

use super::{
    connect::{QUICK, SLOW, answer, failed, is_absent, within},
    labels,
};
use crate::{
    id::DeploymentId,
    runtime::{Artifact, BuildLog, Built, Error},
    value::ImageRef,
};

const PULL_DEADLINE: Duration = Duration::from_secs(15 * 60);

/// Returns the image as the engine has it, and pulls it when it has not.
pub(super) async fn find_or_pull(client: &Client, image: &ImageRef, log: BuildLog<'_>) -> Result<Artifact, Error> {
    match within(QUICK, client.inspect_image(image.as_str())).await {
        Ok(found) => return artifact(found),
        Err(cause) if is_absent(&cause) => {}
        Err(cause) => return Err(failed(cause)),
    }
    log(&format!("pulling {}", image.as_str()));
    match timeout(PULL_DEADLINE, pull(client, image, log)).await {
        Ok(pulled) => pulled.map_err(|cause| unavailable(image, cause))?,
        // The engine answered all the time; it is the registry, or the way to it, that is too slow.
        Err(_) => {
            return Err(Error::ImageUnavailable {
                image: image.as_str().to_owned(),
                message: format!("pulling it took longer than {} minutes", PULL_DEADLINE.as_secs() / 60),
            });
        }
    }
    inspect(client, image.as_str())
        .await
        .map_err(|cause| unavailable(image, cause))
        .and_then(artifact)
}

/// Looks at an image that should be there.
pub(super) async fn inspect(client: &Client, name: &str) -> Result<ImageInspect, ClientError> {
    within(QUICK, client.inspect_image(name)).await
}

/// Describes an image by its id, so that a tag that is moved later changes nothing.
pub(super) fn artifact(image: ImageInspect) -> Result<Artifact, Error> {
    let id = image
        .id
        .ok_or_else(|| Error::Refused("the engine told no id of the image".to_owned()))?;
    let exposed = image.config.and_then(|config| config.exposed_ports).unwrap_or_default();
    Ok(Artifact::Image {
        id,
        exposed_port: lowest_tcp_port(&exposed),
    })
}

/// Lists the releases that images were built for here.
pub(super) async fn list(client: &Client, instance: Uuid) -> Result<Vec<Built>, Error> {
    let label = format!("{}={instance}", labels::INSTANCE);
    let options = ListImagesOptionsBuilder::default()
        .filters(&HashMap::from([("label", vec![label])]))
        .build();
    let images = within(QUICK, client.list_images(Some(options))).await.map_err(failed)?;
    Ok(images.iter().filter_map(|image| built(&image.labels)).collect())
}

fn built(labels: &HashMap<String, String>) -> Option<Built> {
    let number = |name: &str| labels.get(name)?.parse().ok();
    Some(Built {
        deployment: DeploymentId(number(labels::DEPLOYMENT)?),
        release: number(labels::RELEASE)?,
    })
}

/// Removes the image that was built for a release. The engine itself refuses that while a container uses it.
pub(super) async fn discard(client: &Client, instance: Uuid, built: Built) -> Result<(), Error> {
    let tag = labels::image_tag(instance, built);
    match within(SLOW, client.remove_image(&tag, None::<RemoveImageOptions>, None)).await {
        Ok(_) => Ok(()),
        Err(cause) if is_absent(&cause) => Ok(()),
        Err(cause) => Err(failed(cause)),
    }
}

async fn pull(client: &Client, image: &ImageRef, log: BuildLog<'_>) -> Result<(), ClientError> {
    let mut progress = client.create_image(Some(pull_options(image)), None, None);
    while let Some(step) = progress.next().await {
        let step = step?;
        // Progress bars are for terminals.
        if step.progress_detail.is_none_or(|detail| detail.current.is_none())
            && let Some(status) = step.status
        {
            log(&step.id.map_or(status.clone(), |id| format!("{id}: {status}")));
        }
    }
    Ok(())
}

/// Without a tag or digest the engine would pull every tag that there is.
fn pull_options(image: &ImageRef) -> CreateImageOptions {
    let name = image.as_str();
    let options = CreateImageOptionsBuilder::default().from_image(name);
    let last_part = name.rsplit('/').next().unwrap_or(name);
    match last_part.contains([':', '@']) {
        true => options.build(),
        false => options.tag("latest").build(),
    }
}

fn unavailable(image: &ImageRef, cause: ClientError) -> Error {
    let message = match &cause {
        ClientError::DockerStreamError { error } => error.clone(),
        other => match answer(other) {
            Some((_, message)) => message.to_owned(),
            None => return failed(cause),
        },
    };
    Error::ImageUnavailable {
        image: image.as_str().to_owned(),
        message,
    }
}

/// Reads ports as an image declares them, such as `8080/tcp`.
fn lowest_tcp_port(exposed: &[String]) -> Option<u16> {
    let ports = exposed.iter().filter_map(|port| match port.split_once('/') {
        Some((number, "tcp")) => number.parse().ok(),
        Some(_) => None,
        None => port.parse().ok(),
    });
    ports.filter(|port| *port > 0).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_tcp_port_is_the_one() {
        let ports = ["9000/tcp", "53/udp", "8080/tcp", "x", "0/tcp", "1/sctp"].map(str::to_owned);
        assert_eq!(lowest_tcp_port(&ports), Some(8080));
        assert_eq!(lowest_tcp_port(&[]), None);
    }

    #[test]
    fn one_tag_is_pulled_and_never_all() {
        for (name, tag) in [
            ("app", "latest"),
            ("host:5000/team/app", "latest"),
            ("app:1", ""),
            ("host:5000/app@sha256:aa", ""),
        ] {
            let image = ImageRef::try_from(name.replace("aa", &"a1".repeat(32))).unwrap();
            assert_eq!(pull_options(&image).tag.unwrap_or_default(), tag, "{name}");
        }
    }
}
