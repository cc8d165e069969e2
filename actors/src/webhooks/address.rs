//! Where messages may go: not into this machine or its network, unless that is configured. Whoever makes webhooks could
//! otherwise have BorgOS ask what only BorgOS can reach.
//!
//! A name is resolved here, all that it resolves to is looked at, and the connection goes to exactly these addresses: a
//! name that changes its mind in between gains nothing by it.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
};

use ipnet::IpNet;
use reqwest::{
    Url,
    dns::{Addrs, Name, Resolve, Resolving},
};
use tokio::net::lookup_host;

use crate::value::Network;

/// More addresses than these of one name are not tried.
const MAX_ADDRESSES: usize = 16;

/// What is not an address of the world outside.
const INNER: [IpNet; 26] = [
    v4([0, 0, 0, 0], 8),
    v4([10, 0, 0, 0], 8),
    v4([100, 64, 0, 0], 10),
    v4([127, 0, 0, 0], 8),
    v4([169, 254, 0, 0], 16),
    v4([172, 16, 0, 0], 12),
    v4([192, 0, 0, 0], 24),
    v4([192, 0, 2, 0], 24),
    v4([192, 88, 99, 0], 24),
    v4([192, 168, 0, 0], 16),
    v4([198, 18, 0, 0], 15),
    v4([198, 51, 100, 0], 24),
    v4([203, 0, 113, 0], 24),
    v4([224, 0, 0, 0], 4),
    v4([240, 0, 0, 0], 4),
    // Unspecified, loopback, and IPv4 in its old notation.
    v6([0, 0, 0, 0, 0, 0, 0, 0], 96),
    // IPv4 behind translators and tunnels.
    v6([0x64, 0xff9b, 0, 0, 0, 0, 0, 0], 96),
    v6([0x64, 0xff9b, 1, 0, 0, 0, 0, 0], 48),
    v6([0x100, 0, 0, 0, 0, 0, 0, 0], 64),
    v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 23),
    v6([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32),
    v6([0x2002, 0, 0, 0, 0, 0, 0, 0], 16),
    v6([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7),
    v6([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10),
    v6([0xfec0, 0, 0, 0, 0, 0, 0, 0], 10),
    v6([0xff00, 0, 0, 0, 0, 0, 0, 0], 8),
];

const fn v4(bytes: [u8; 4], prefix: u8) -> IpNet {
    let [a, b, c, d] = bytes;
    IpNet::new_assert(IpAddr::V4(Ipv4Addr::new(a, b, c, d)), prefix)
}

const fn v6(words: [u16; 8], prefix: u8) -> IpNet {
    let [a, b, c, d, e, f, g, h] = words;
    IpNet::new_assert(IpAddr::V6(Ipv6Addr::new(a, b, c, d, e, f, g, h)), prefix)
}

/// An address is not to be connected to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0} is no address of the world outside and not allowed by `--webhook-allow`")]
pub(super) struct Refused(IpAddr);

/// Decides about addresses. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Addresses(Arc<[Network]>);

impl Addresses {
    /// Refuses all inner addresses but these.
    pub(super) fn new(allowed: &[Network]) -> Self {
        Self(allowed.into())
    }

    /// Checks the address that a target names without a name; one with a name is checked when it is resolved.
    ///
    /// # Errors
    /// Names an address that is refused.
    pub(super) fn check(&self, target: &Url) -> Result<(), Refused> {
        let host = target.host_str().unwrap_or_default().trim_matches(['[', ']']);
        match host.parse() {
            Ok(address) => self.check_address(address),
            Err(_) => Ok(()),
        }
    }

    fn check_address(&self, address: IpAddr) -> Result<(), Refused> {
        let address = address.to_canonical();
        let is_inner = INNER.iter().any(|net| net.contains(&address));
        match is_inner && !self.0.iter().any(|network| network.contains(address)) {
            true => Err(Refused(address)),
            false => Ok(()),
        }
    }

    async fn resolve_all(self, name: String) -> io::Result<Vec<SocketAddr>> {
        let found: Vec<SocketAddr> = lookup_host((name.as_str(), 0)).await?.take(MAX_ADDRESSES).collect();
        for address in &found {
            self.check_address(address.ip()).map_err(io::Error::other)?;
        }
        Ok(found)
    }
}

impl Resolve for Addresses {
    fn resolve(&self, name: Name) -> Resolving {
        let resolved = self.clone().resolve_all(name.as_str().to_owned());
        Box::pin(async move { Ok(Box::new(resolved.await?.into_iter()) as Addrs) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(addresses: &Addresses, target: &str) -> Result<(), Refused> {
        addresses.check(&target.parse().unwrap())
    }

    #[test]
    fn inner_addresses_are_refused_in_every_spelling() {
        let addresses = Addresses::new(&[]);
        for inner in [
            "127.0.0.1",
            "127.1",
            "2130706433",
            "0x7f000001",
            "0177.0.0.1",
            "0.0.0.0",
            "10.0.0.1",
            "100.64.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "[::1]",
            "[::]",
            "[::ffff:127.0.0.1]",
            "[::ffff:a9fe:a9fe]",
            "[::127.0.0.1]",
            "[64:ff9b::7f00:1]",
            "[2002:7f00:1::]",
            "[fc00::1]",
            "[fd00:ec2::254]",
            "[fe80::1]",
            "[ff02::1]",
        ] {
            assert!(check(&addresses, &format!("http://{inner}:9000/x")).is_err(), "{inner}");
        }
        for outer in [
            "1.1.1.1",
            "172.32.0.1",
            "100.128.0.1",
            "[2606:4700::1111]",
            "example.com",
        ] {
            assert_eq!(check(&addresses, &format!("https://{outer}/x")), Ok(()), "{outer}");
        }
    }

    #[test]
    fn what_is_configured_is_allowed_and_nothing_beside_it() {
        let addresses = Addresses::new(&["127.0.0.1".parse().unwrap(), "10.1.0.0/16".parse().unwrap()]);
        for allowed in ["127.0.0.1", "[::ffff:127.0.0.1]", "10.1.2.3"] {
            assert_eq!(check(&addresses, &format!("http://{allowed}/")), Ok(()), "{allowed}");
        }
        for refused in ["127.0.0.2", "10.2.0.1", "[::1]"] {
            assert!(check(&addresses, &format!("http://{refused}/")).is_err(), "{refused}");
        }
    }

    #[tokio::test]
    async fn a_name_of_an_inner_address_is_refused_when_it_is_resolved() {
        let refused = Addresses::new(&[])
            .resolve_all("localhost".to_owned())
            .await
            .unwrap_err();
        assert!(refused.to_string().contains("--webhook-allow"), "{refused}");
        let allowed = ["127.0.0.0/8".parse().unwrap(), "::1".parse().unwrap()];
        let found = Addresses::new(&allowed)
            .resolve_all("localhost".to_owned())
            .await
            .unwrap();
        assert!(found.iter().all(|address| address.ip().is_loopback()), "{found:?}");
    }
}
