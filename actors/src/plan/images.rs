//! The images that written Dockerfiles stand on.

use serde::Deserialize;

use crate::value::ImageRef;

/// The base image of each stack. Those for building need a shell; those that programs run in need none.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Images {
    /// Builds and runs Node.js projects; has `node` and `npm`.
    pub node: ImageRef,
    /// Builds and runs Python projects; has `python` with `venv` and `pip`.
    pub python: ImageRef,
    /// Builds Go modules; has `go`.
    pub go: ImageRef,
    /// Builds Rust packages; has `cargo`.
    pub rust: ImageRef,
    /// Runs what Go and Rust have built; has a C library that fits, and certificates.
    pub run: ImageRef,
    /// Serves files; has a `busybox` with `httpd`, and a shell.
    #[serde(rename = "static")]
    pub site: ImageRef,
}

impl Default for Images {
    fn default() -> Self {
        Self {
            node: image("node:24-slim"),
            python: image("python:3.14-slim"),
            go: image("golang:1-bookworm"),
            rust: image("rust:1-bookworm"),
            run: image("gcr.io/distroless/cc-debian12"),
            site: image("busybox:stable"),
        }
    }
}

fn image(name: &str) -> ImageRef {
    ImageRef::try_from(name.to_owned()).expect("a constant reference is well formed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_image_can_be_replaced() {
        let images: Images = toml::from_str("static = \"mirror.example/busybox:1\"").unwrap();
        assert_eq!(images.site.as_str(), "mirror.example/busybox:1");
        assert_eq!(images.node, Images::default().node);
        for wrong in ["ruby = \"ruby:3\"", "node = \"Node Slim\""] {
            assert!(toml::from_str::<Images>(wrong).is_err(), "{wrong}");
        }
    }
}
