//! This host's addresses: where a broadcast to the local network goes, and which are our own.

use std::net::{IpAddr, Ipv4Addr};
use tokio::time::Instant;

use if_addrs::{IfAddr, Interface};

use crate::limits::INTERFACES_EVERY;

/// The addresses of this host's interfaces, read again now and then: a cable may be plugged in.
#[derive(Debug)]
pub(crate) struct Interfaces {
    read_at: Instant,
    own: Vec<IpAddr>,
    broadcast: Vec<Ipv4Addr>,
}

impl Interfaces {
    /// Reads them.
    pub(crate) fn read(now: Instant) -> Self {
        let interfaces = if_addrs::get_if_addrs().unwrap_or_else(|error| {
            tracing::warn!("cannot read the network interfaces: {error}");
            Vec::new()
        });
        let own = interfaces.iter().map(Interface::ip).collect();
        let broadcast = interfaces.iter().filter_map(directed_broadcast).collect();
        Self { read_at: now, own, broadcast }
    }

    /// Reads them again if that was long ago.
    pub(crate) fn refresh(&mut self, now: Instant) {
        if now.duration_since(self.read_at) >= INTERFACES_EVERY {
            *self = Self::read(now);
        }
    }

    /// The directed broadcast addresses of the local networks.
    pub(crate) fn broadcast(&self) -> &[Ipv4Addr] {
        &self.broadcast
    }

    /// One address for each host: this one's is loopback, whichever of its addresses is meant.
    pub(crate) fn canonical(&self, address: IpAddr) -> IpAddr {
        let address = address.to_canonical();
        let ours = !address.is_loopback() && self.own.contains(&address);
        if ours { Ipv4Addr::LOCALHOST.into() } else { address }
    }
}

fn directed_broadcast(interface: &Interface) -> Option<Ipv4Addr> {
    match &interface.addr {
        IfAddr::V4(address) if !interface.is_loopback() && !interface.is_p2p => address.broadcast,
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_addresses_are_all_loopback() {
        let ours = IpAddr::from([192, 0, 2, 7]);
        let other = IpAddr::from([192, 0, 2, 8]);
        let interfaces =
            Interfaces { read_at: Instant::now(), own: vec![ours], broadcast: Vec::new() };
        assert_eq!(interfaces.canonical(ours), IpAddr::from([127, 0, 0, 1]));
        assert_eq!(interfaces.canonical(other), other);
        let loopback = IpAddr::from([127, 0, 0, 9]);
        assert_eq!(interfaces.canonical(loopback), loopback);
        assert_eq!(interfaces.canonical("::ffff:192.0.2.8".parse().expect("mapped")), other);
    }

    #[test]
    fn loopback_is_no_local_network() {
        let interfaces = Interfaces::read(Instant::now());
        assert!(interfaces.broadcast().iter().all(|address| !address.is_loopback()));
    }
}
