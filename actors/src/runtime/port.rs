//! TCP ports of this machine: whether one is free, and who has it otherwise.
//!
//! [`is_free`] and [`holder`] block, so call them from a blocking task; [`check`] and [`find_holder`] do.

use std::{
    collections::HashSet,
    io::ErrorKind,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
};

use procfs::{
    net::TcpState,
    process::{FDTarget, Process},
};
use tokio::{net::TcpSocket, task::spawn_blocking};

use crate::{Error, value::Port};

/// Tells whether a program could listen on the port on every address.
///
/// The answer comes from the kernel, by binding the port for a moment without listening on it. Where this user may not
/// bind it at all (a port below 1024), the table of listening sockets answers.
pub fn is_free(port: u16) -> bool {
    let addresses = [
        SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)),
        SocketAddr::from((Ipv6Addr::UNSPECIFIED, port)),
    ];
    addresses
        .into_iter()
        .all(|address| match bind(address).map_err(|cause| cause.kind()) {
            Err(ErrorKind::AddrInUse) => false,
            Err(ErrorKind::PermissionDenied) => listening_inodes(port).is_empty(),
            // Anything else says that the machine lacks the address family, which nobody can listen on then.
            _ => true,
        })
}

/// Finds a port of the loopback that nobody listens on. Somebody else may be faster; whoever uses it finds out.
pub(super) fn free() -> std::io::Result<u16> {
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?.port())
}

/// Returns where a program of this machine is reached that listens on the port. Some listen on the IPv6 loopback alone, since
/// that is what `localhost` means to them. Blocks.
pub(super) fn loopback(port: u16) -> SocketAddr {
    let v6 = SocketAddr::from((Ipv6Addr::LOCALHOST, port));
    let is_there = |table: procfs::ProcResult<Vec<procfs::net::TcpNetEntry>>, wanted: &dyn Fn(SocketAddr) -> bool| {
        let entries = table.into_iter().flatten();
        let mut listening = entries.filter(|entry| entry.state == TcpState::Listen);
        listening.any(|entry| entry.local_address.port() == port && wanted(entry.local_address))
    };
    // The first table alone is read where that is not so.
    let is_v6_only = is_there(procfs::net::tcp6(), &|address| address == v6)
        && !is_there(procfs::net::tcp6(), &|address| address.ip().is_unspecified())
        && !is_there(procfs::net::tcp(), &|_| true);
    match is_v6_only {
        true => v6,
        false => SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
    }
}

/// Finds the program that listens on the port, such as `nginx (pid 123)`.
///
/// Returns `None` when nobody does, or when it belongs to a user whose processes this one may not look into.
pub fn holder(port: u16) -> Option<String> {
    let inodes = listening_inodes(port);
    if inodes.is_empty() {
        return None;
    }
    let mut processes = procfs::process::all_processes().ok()?.flatten();
    let process = processes.find(|process| has_any_socket(process, &inodes))?;
    let name = process.stat().ok()?.comm;
    Some(format!("{name} (pid {})", process.pid))
}

/// Checks that a program could listen on the port.
///
/// # Errors
/// [`Error::PortInUse`], with the holder where it can be known.
pub async fn check(port: Port) -> Result<(), Error> {
    let look = move || {
        if is_free(port.get()) {
            None
        } else {
            Some(holder(port.get()))
        }
    };
    match spawn_blocking(look).await {
        Ok(None) => Ok(()),
        Ok(Some(holder)) => Err(Error::PortInUse { port, holder }),
        Err(cause) => Err(Error::Internal(format!("port {port} could not be looked at: {cause}"))),
    }
}

/// Tells whether a process of this group listens on the port. Blocks.
pub(crate) fn is_held_by_group(port: u16, group: i32) -> bool {
    let inodes = listening_inodes(port);
    if inodes.is_empty() {
        return false;
    }
    let Ok(processes) = procfs::process::all_processes() else {
        return false;
    };
    let is_member = |process: &Process| process.stat().is_ok_and(|stat| stat.pgrp == group);
    let mut members = processes.flatten().filter(is_member);
    members.any(|process| has_any_socket(&process, &inodes))
}

/// Finds the program that listens on the port; see [`holder`].
pub async fn find_holder(port: Port) -> Option<String> {
    spawn_blocking(move || holder(port.get())).await.ok().flatten()
}

/// Binds without listening. `SO_REUSEADDR` lets connections that linger after their listener has ended not count.
fn bind(address: SocketAddr) -> std::io::Result<()> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    socket.set_reuseaddr(true)?;
    socket.bind(address)
}

fn listening_inodes(port: u16) -> HashSet<u64> {
    let tables = [procfs::net::tcp(), procfs::net::tcp6()];
    let entries = tables.into_iter().flatten().flatten();
    entries
        .filter(|entry| entry.state == TcpState::Listen && entry.local_address.port() == port)
        .map(|entry| entry.inode)
        .collect()
}

fn has_any_socket(process: &Process, inodes: &HashSet<u64>) -> bool {
    let Ok(descriptors) = process.fd() else { return false };
    descriptors
        .flatten()
        .any(|descriptor| matches!(descriptor.target, FDTarget::Socket(inode) if inodes.contains(&inode)))
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn a_port_that_someone_listens_on_is_not_free_and_its_holder_is_named() {
        for address in ["127.0.0.1:0", "0.0.0.0:0"] {
            let listener = TcpListener::bind(address).unwrap();
            let port = listener.local_addr().unwrap().port();
            assert!(!is_free(port), "{address}");
            let me = std::process::id();
            assert!(holder(port).is_some_and(|holder| holder.ends_with(&format!("(pid {me})"))));
            drop(listener);
            assert!(is_free(port), "{address}");
            assert_eq!(holder(port), None);
        }
    }

    #[test]
    fn who_listens_on_one_loopback_alone_is_found_there() {
        let v4 = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let v6 = SocketAddr::from((Ipv6Addr::LOCALHOST, 0));
        let any = SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0));
        for (listens, is_v6) in [(v4, false), (v6, true), (any, false)] {
            let listener = TcpListener::bind(listens).unwrap();
            let port = listener.local_addr().unwrap().port();
            assert_eq!(loopback(port).is_ipv6(), is_v6, "{listens}");
            std::net::TcpStream::connect(loopback(port)).unwrap();
        }
    }
}
