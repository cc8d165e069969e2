//! Compose files: the images of their services and the ports that they publish.

use serde_json::Value;

use super::{Services, variable};
use crate::manifests::{
    syntax::{self, Broken},
    tree,
};

pub(super) fn read(path: &str, source: &str) -> Result<Services, Broken> {
    let documents: Vec<Value> = syntax::yaml(source)?;
    let mut services = Services {
        path: path.to_owned(),
        tool: "docker-compose",
        images: Vec::new(),
        ports: Vec::new(),
    };
    for (_, service) in documents
        .iter()
        .flat_map(|document| tree::entries(document, &["services"]))
    {
        services
            .images
            .extend(tree::text(service, &["image"]).map(|image| with_defaults(&image)));
        services.ports.extend(tree::items(service, &["ports"]).filter_map(port));
    }
    services.ports.sort_unstable();
    services.ports.dedup();
    Ok(services)
}

/// Reads `8080`, `"8080:80"`, `"127.0.0.1:8080:80/tcp"` or a table: the port of the host where one is named.
fn port(entry: &Value) -> Option<u16> {
    if let Some(number) = entry.as_u64() {
        return u16::try_from(number).ok();
    }
    if entry.is_object() {
        if tree::text(entry, &["protocol"]).is_some_and(|protocol| protocol != "tcp") {
            return None;
        }
        return entry.get("published").or_else(|| entry.get("target")).and_then(port);
    }
    let text = with_defaults(entry.as_str()?);
    let (address, protocol) = text.split_once('/').unwrap_or((&text, "tcp"));
    let mut parts: Vec<&str> = address.split(':').collect();
    let container = parts.pop()?;
    let published = parts.pop().filter(|part| !part.is_empty()).unwrap_or(container);
    let number = published.parse().ok().filter(|port| *port > 0);
    number.filter(|_| protocol == "tcp")
}

/// Puts the defaults of variables in, whose values lie outside of the project.
fn with_defaults(text: &str) -> String {
    variable::filled(text, |_| None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_write_a_port_gives_the_one_of_the_host() {
        let source = "services:\n  a:\n    image: ${REGISTRY:-docker.io}/library/redis:7\n    ports:\n      - 3000\n      \
            - \"8080:80\"\n      - \"127.0.0.1:8443:443/tcp\"\n      - \"53:53/udp\"\n      - \"${PORT:-9000}:9000\"\n      \
            - \"${UNKNOWN}:1234\"\n      - \"7000-7010:7000-7010\"\n      - {target: 80, published: \"8081\"}\n";
        let services = read("compose.yaml", source).unwrap();
        assert_eq!(services.images, ["docker.io/library/redis:7"]);
        assert_eq!(services.ports, [3000, 8080, 8081, 8443, 9000]);
    }
}
