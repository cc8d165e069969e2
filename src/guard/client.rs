//! Which address a request comes from, when proxies stand in between.
//!
//! What `Forwarded` and `X-Forwarded-For` say is believed only of trusted proxies. Each proxy appends whom it was asked by,
//! so the list is read from its end: the first address that is no trusted proxy is the client, and what comes before it
//! may be invented.

use std::net::{IpAddr, SocketAddr};

use borgos_actors::value::Network;
use warp::http::{HeaderMap, HeaderName, header::FORWARDED};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// No chain of proxies is longer.
const MAX_HOPS: usize = 32;

/// The proxies whose word counts.
#[derive(Debug, Clone, Default)]
pub struct Proxies(Vec<Network>);

impl Proxies {
    /// Trusts the proxies in these networks.
    pub fn new(networks: Vec<Network>) -> Self {
        Self(networks)
    }

    /// Says whether an address is that of a trusted proxy.
    pub fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(address))
    }

    /// Returns the client's address.
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let peer = peer.to_canonical();
        if !self.trusts(peer) {
            return peer;
        }
        let mut client = peer;
        // The nearest proxy comes last.
        for hop in hops(headers).into_iter().rev().take(MAX_HOPS) {
            match hop {
                Some(address) => client = address.to_canonical(),
                // It hides whom it was asked by.
                None => break,
            }
            if !self.trusts(client) {
                break;
            }
        }
        client
    }
}

/// Lists who asked whom, as the proxies say; `Forwarded` is the standard and counts before the older header.
fn hops(headers: &HeaderMap) -> Vec<Option<IpAddr>> {
    if headers.contains_key(FORWARDED) {
        let elements = values(headers, &FORWARDED);
        return elements.map(forwarded_for).collect();
    }
    values(headers, &X_FORWARDED_FOR).map(address).collect()
}

fn values<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    let values = headers.get_all(name).iter();
    values.flat_map(|value| value.to_str().unwrap_or_default().split(','))
}

/// Reads the `for` of an element such as `for="[2001:db8::1]:4711";proto=https`.
fn forwarded_for(element: &str) -> Option<IpAddr> {
    let mut pairs = element.split(';').filter_map(|pair| pair.split_once('='));
    let (_, node) = pairs.find(|(name, _)| name.trim().eq_ignore_ascii_case("for"))?;
    address(node.trim().trim_matches('"'))
}

/// Reads an address with or without a port.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    let plain = bare.unwrap_or(text).parse().ok();
    plain.or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()))
}

#[cfg(test)]
mod tests {
    use warp::http::HeaderValue;

    use super::*;

    fn client(peer: &str, headers: &[(&'static str, &'static str)]) -> String {
        let proxies = Proxies::new(vec!["10.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()]);
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_static(value));
        }
        proxies.client(peer.parse().unwrap(), &map).to_string()
    }

    #[test]
    fn only_a_trusted_proxy_is_believed() {
        let says = [("x-forwarded-for", "192.0.2.7")];
        assert_eq!(client("203.0.113.1", &says), "203.0.113.1");
        assert_eq!(client("10.0.0.1", &says), "192.0.2.7");
        assert_eq!(client("::ffff:10.0.0.1", &says), "192.0.2.7");
        assert_eq!(client("10.0.0.1", &[]), "10.0.0.1");
    }

    #[test]
    fn what_the_client_invented_does_not_count() {
        let chain = [("x-forwarded-for", "127.0.0.1, 192.0.2.7, 10.1.1.1")];
        assert_eq!(client("10.0.0.1", &chain), "192.0.2.7");
        let lines = [("x-forwarded-for", "127.0.0.1"), ("x-forwarded-for", "192.0.2.7")];
        assert_eq!(client("10.0.0.1", &lines), "192.0.2.7");
        assert_eq!(
            client("10.0.0.1", &[("x-forwarded-for", "192.0.2.7, unknown")]),
            "10.0.0.1"
        );
    }

    #[test]
    fn the_standard_header_is_read_in_all_its_forms() {
        for (value, expected) in [
            ("for=192.0.2.7", "192.0.2.7"),
            ("proto=https;For=\"192.0.2.7:80\"", "192.0.2.7"),
            ("for=\"[2001:db8::1]:4711\"", "2001:db8::1"),
            ("for=192.0.2.7, for=\"[::1]\"", "192.0.2.7"),
            ("for=_hidden", "10.0.0.1"),
            ("by=10.0.0.1", "10.0.0.1"),
        ] {
            let headers = [("forwarded", value), ("x-forwarded-for", "198.51.100.1")];
            assert_eq!(client("10.0.0.1", &headers), expected, "{value}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_header_leads_to_an_address(value in "[ -~]{0,100}") {
            let proxies = Proxies::new(vec!["10.0.0.0/8".parse().unwrap()]);
            for name in [FORWARDED, X_FORWARDED_FOR] {
                let headers = HeaderMap::from_iter([(name, HeaderValue::from_str(&value).unwrap())]);
                proxies.client([10, 0, 0, 1].into(), &headers);
            }
        }
    }
}
