//! How often we connect to an address that a datagram named. A forged datagram must not make us
//! knock at somebody's door again and again.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::time::Instant;

use crate::limits::{MAX_DIALLED_ADDRESSES, MAX_DIALS_PER_ADDRESS};

/// The connections of the last interval.
#[derive(Debug)]
pub(crate) struct Dials {
    interval: Duration,
    made: BTreeMap<IpAddr, Vec<(u16, Instant)>>,
}

impl Dials {
    /// None yet. The interval is that between a node's statuses.
    pub(crate) fn new(interval: Duration) -> Self {
        Self { interval, made: BTreeMap::new() }
    }

    /// Whether one more connection may be opened; if so, it is counted.
    pub(crate) fn allow(&mut self, address: SocketAddr, now: Instant) -> bool {
        if self.made.len() >= MAX_DIALLED_ADDRESSES && !self.made.contains_key(&address.ip()) {
            self.forget_old(now);
        }
        if self.made.len() >= MAX_DIALLED_ADDRESSES && !self.made.contains_key(&address.ip()) {
            return false;
        }
        let interval = self.interval;
        let made = self.made.entry(address.ip()).or_default();
        made.retain(|(_, at)| now.duration_since(*at) < interval);
        let again = made.iter().any(|(port, _)| *port == address.port());
        let allowed = !again && made.len() < MAX_DIALS_PER_ADDRESS;
        if allowed {
            made.push((address.port(), now));
        }
        allowed
    }

    fn forget_old(&mut self, now: Instant) {
        let interval = self.interval;
        self.made.retain(|_, made| made.iter().any(|(_, at)| now.duration_since(*at) < interval));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: Duration = Duration::from_secs(5);

    fn address(host: [u8; 4], port: u16) -> SocketAddr {
        SocketAddr::from((host, port))
    }

    #[test]
    fn rule_d6_each_port_once_and_each_address_eight_times_an_interval() {
        let start = Instant::now();
        let mut dials = Dials::new(INTERVAL);
        let here = [127, 0, 0, 1];
        assert!(dials.allow(address(here, 2_000), start));
        assert!(!dials.allow(address(here, 2_000), start));
        let allowed = (2_000..2_100).filter(|port| dials.allow(address(here, *port), start));
        assert_eq!(allowed.count(), MAX_DIALS_PER_ADDRESS - 1);
        assert!(dials.allow(address([192, 0, 2, 1], 2_000), start));
        assert!(!dials.allow(address(here, 2_000), start + INTERVAL - Duration::from_millis(1)));
        assert!(dials.allow(address(here, 2_000), start + INTERVAL));
    }

    #[test]
    fn the_addresses_that_are_counted_are_bounded() {
        let start = Instant::now();
        let mut dials = Dials::new(INTERVAL);
        let forged = |number: usize| {
            let [.., high, low] = number.to_be_bytes();
            address([10, 0, high, low], 2_000)
        };
        let allowed = (0..2 * MAX_DIALLED_ADDRESSES).filter(|n| dials.allow(forged(*n), start));
        assert_eq!(allowed.count(), MAX_DIALLED_ADDRESSES);
        assert!(dials.allow(forged(2 * MAX_DIALLED_ADDRESSES), start + INTERVAL));
        assert_eq!(dials.made.len(), 1);
    }
}
