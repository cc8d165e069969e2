//! The labels by which we know our containers, whatever happened to our own memory of them.

use std::collections::HashMap;

use uuid::Uuid;

use crate::{
    id::{DeploymentId, Generation},
    runtime::Built,
};

pub(super) const INSTANCE: &str = "borgos.instance";
pub(super) const DEPLOYMENT: &str = "borgos.deployment";
pub(super) const RELEASE: &str = "borgos.release";
pub(super) const GENERATION: &str = "borgos.generation";

/// What the labels of a container of ours say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Labels {
    pub(super) deployment: DeploymentId,
    pub(super) release: i64,
    pub(super) generation: Generation,
}

impl Labels {
    pub(super) fn write(self, instance: Uuid) -> HashMap<String, String> {
        let labels = [
            (INSTANCE, instance.to_string()),
            (DEPLOYMENT, self.deployment.to_string()),
            (RELEASE, self.release.to_string()),
            (GENERATION, self.generation.0.to_string()),
        ];
        labels
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    }

    /// Reads the labels of a container. It is not ours unless the instance is exactly this one and the rest is whole.
    pub(super) fn read(instance: Uuid, labels: &HashMap<String, String>) -> Option<Self> {
        let number = |name: &str| labels.get(name)?.parse::<i64>().ok();
        if *labels.get(INSTANCE)? != instance.to_string() {
            return None;
        }
        Some(Self {
            deployment: DeploymentId(number(DEPLOYMENT)?),
            release: number(RELEASE)?,
            generation: Generation(number(GENERATION)?),
        })
    }
}

/// Returns the name of a volume of a deployment.
pub(super) fn volume_name(instance: Uuid, deployment: DeploymentId, name: &str) -> String {
    format!("borgos-{}-{deployment}-{name}", short(instance))
}

/// Labels a volume. It is of no release.
pub(super) fn volume_labels(instance: Uuid, deployment: DeploymentId) -> HashMap<String, String> {
    let labels = [(INSTANCE, instance.to_string()), (DEPLOYMENT, deployment.to_string())];
    labels.map(|(name, value)| (name.to_owned(), value)).into()
}

/// Returns the first eight digits of the instance's id: enough to tell two BorgOS on one engine apart in a name. What is
/// ours is decided by the whole id in the label.
pub(super) fn short(instance: Uuid) -> String {
    let mut text = instance.simple().to_string();
    text.truncate(8);
    text
}

/// Returns the name of the image that is built for a release.
pub(super) fn image_tag(instance: Uuid, built: Built) -> String {
    format!("borgos/{}-{}:{}", short(instance), built.deployment, built.release)
}

/// Returns the name of the one container of a generation, so that the engine itself refuses a twin.
pub(super) fn container_name(instance: Uuid, deployment: DeploymentId, generation: Generation) -> String {
    format!("borgos-{}-{deployment}-{}", short(instance), generation.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_labels_of_this_instance_count() {
        let instance = Uuid::new_v4();
        let labels = Labels {
            deployment: DeploymentId(7),
            release: 2,
            generation: Generation(3),
        };
        let written = labels.write(instance);
        assert_eq!(Labels::read(instance, &written), Some(labels));
        assert_eq!(Labels::read(Uuid::new_v4(), &written), None);
        for name in [INSTANCE, DEPLOYMENT, RELEASE, GENERATION] {
            let mut partial = written.clone();
            partial.remove(name);
            assert_eq!(Labels::read(instance, &partial), None, "{name}");
        }
    }
}
