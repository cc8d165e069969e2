//! CI files: who runs them, and the images of the services that they start beside the code.

use serde_json::Value;

use super::{
    docker::Services,
    place,
    syntax::{self, Broken},
    tree,
};

/// A CI system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Service {
    GithubActions,
    GitlabCi,
    CircleCi,
    Travis,
    Jenkins,
    AzurePipelines,
    BitbucketPipelines,
    Drone,
}

impl Service {
    pub(super) fn of(path: &str) -> Option<Self> {
        let name = place::file_name(path);
        let is_yaml = name.ends_with(".yml") || name.ends_with(".yaml");
        match (place::directory(path), name) {
            (".github/workflows", _) if is_yaml => Some(Self::GithubActions),
            (".circleci", "config.yml") => Some(Self::CircleCi),
            ("", ".gitlab-ci.yml") => Some(Self::GitlabCi),
            ("", ".travis.yml") => Some(Self::Travis),
            ("", "Jenkinsfile") => Some(Self::Jenkins),
            ("", "azure-pipelines.yml") => Some(Self::AzurePipelines),
            ("", "bitbucket-pipelines.yml") => Some(Self::BitbucketPipelines),
            ("", ".drone.yml") => Some(Self::Drone),
            _ => None,
        }
    }

    fn tool(self) -> &'static str {
        match self {
            Self::GithubActions => "github-actions",
            Self::GitlabCi => "gitlab-ci",
            Self::CircleCi => "circleci",
            Self::Travis => "travis-ci",
            Self::Jenkins => "jenkins",
            Self::AzurePipelines => "azure-pipelines",
            Self::BitbucketPipelines => "bitbucket-pipelines",
            Self::Drone => "drone",
        }
    }
}

pub(super) fn read(service: Service, path: &str, source: &str) -> Result<Services, Broken> {
    let documents: Vec<Value> = match service {
        // A Jenkinsfile is a program.
        Service::Jenkins => Vec::new(),
        _ => syntax::yaml(source)?,
    };
    Ok(Services {
        path: path.to_owned(),
        tool: service.tool(),
        images: documents.iter().flat_map(images).collect(),
        ports: Vec::new(),
    })
}

/// Collects images: those of `services` at the top and of every job, and what CircleCI lists under `docker`.
fn images(document: &Value) -> Vec<String> {
    let jobs = tree::entries(document, &["jobs"])
        .chain(tree::entries(document, &[]))
        .map(|(_, job)| job);
    let mut found = Vec::new();
    for job in std::iter::once(document).chain(jobs) {
        for key in ["services", "docker"] {
            let listed = tree::items(job, &[key]).chain(tree::entries(job, &[key]).map(|(_, service)| service));
            found.extend(listed.filter_map(image));
        }
    }
    found
}

/// Reads `postgres:16`, or a table with `image` or, at GitLab, `name`.
fn image(service: &Value) -> Option<String> {
    let named = || tree::text(service, &["image"]).or_else(|| tree::text(service, &["name"]));
    service.as_str().map(str::to_owned).or_else(named)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_of_jobs_are_found_in_each_dialect() {
        for (path, source, images) in [
            (
                ".github/workflows/test.yml",
                "on: push\njobs:\n  test:\n    services:\n      db:\n        image: postgres:16\n",
                vec!["postgres:16"],
            ),
            (
                ".gitlab-ci.yml",
                "test:\n  image: python:3\n  services:\n    - redis:7\n    - name: mysql:8\n      alias: db\n  script: !reference [a, b]\n",
                vec!["redis:7", "mysql:8"],
            ),
            (
                ".circleci/config.yml",
                "jobs:\n  build:\n    docker:\n      - image: cimg/go:1.22\n      - image: cimg/postgres:16.0\n",
                vec!["cimg/go:1.22", "cimg/postgres:16.0"],
            ),
            (
                ".travis.yml",
                "language: ruby\nservices:\n  - mongodb\n",
                vec!["mongodb"],
            ),
            ("Jenkinsfile", "pipeline { agent any }", vec![]),
        ] {
            let service = Service::of(path).unwrap();
            assert_eq!(read(service, path, source).unwrap().images, images, "{path}");
        }
    }
}
