//! Ports that no other test uses.

use std::{
    net::{Ipv4Addr, TcpListener},
    sync::atomic::{AtomicU16, Ordering},
};

/// Below the range that the kernel and Docker hand out by themselves, so that neither takes a port between its choice
/// here and its use.
const RANGE: std::ops::Range<u16> = 10_000..32_000;

/// Returns a port that is free now and that no other test of this process gets.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Test processes that run side by side start far from each other.
    let start = std::process::id().wrapping_mul(997) % u32::from(RANGE.end - RANGE.start);
    for _ in RANGE {
        let offset = (start + u32::from(NEXT.fetch_add(1, Ordering::Relaxed))) % u32::from(RANGE.end - RANGE.start);
        let port = RANGE.start + u16::try_from(offset).expect("an offset into the range of ports");
        if TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).is_ok() {
            return port;
        }
    }
    panic!("all ports of {RANGE:?} are taken");
}

#[test]
fn no_port_is_given_twice() {
    let mut ports: Vec<u16> = (0..100).map(|_| free_port()).collect();
    ports.sort_unstable();
    ports.dedup();
    assert_eq!(ports.len(), 100);
}
