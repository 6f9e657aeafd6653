//! Nodes of other networks: asked for their rules, and shown to the user, once an hour at most.

use std::collections::BTreeMap;
use std::net::IpAddr;

use cairn_node::Event;
use cairn_protocol::NetworkId;
use cairn_protocol::messages::HelloError;
use tokio::time::Instant;

use crate::limits::{FOREIGN_EVERY, MAX_FOREIGN};

/// The foreign nodes of the last hour.
#[derive(Debug, Default)]
pub(crate) struct Foreign {
    asked: Hourly,
    shown: Hourly,
}

impl Foreign {
    /// Whether a node may be asked for its rules.
    pub(crate) fn may_ask(&mut self, address: IpAddr, network: NetworkId, now: Instant) -> bool {
        self.asked.is_allowed(address, network, now)
    }

    /// Notes that it is being asked.
    pub(crate) fn note_asked(&mut self, address: IpAddr, network: NetworkId, now: Instant) {
        self.asked.note(address, network, now);
    }

    /// What to tell the user of a node that we cannot talk to.
    pub(crate) fn warning(
        &mut self,
        address: IpAddr,
        network: NetworkId,
        error: &HelloError,
        now: Instant,
    ) -> Option<Event> {
        let code = match error {
            HelloError::Rules(_) => "other_rules",
            HelloError::Version(_) => "other_version",
            HelloError::Magic | HelloError::Ourselves => return None,
        };
        if !self.shown.is_allowed(address, network, now) {
            return None;
        }
        self.shown.note(address, network, now);
        let message = format!("the node at {address} cannot be talked to: {error}");
        Some(Event::Warning { code, message })
    }
}

/// What happened within the last hour.
#[derive(Debug, Default)]
struct Hourly(BTreeMap<(IpAddr, NetworkId), Instant>);

impl Hourly {
    fn is_allowed(&mut self, address: IpAddr, network: NetworkId, now: Instant) -> bool {
        self.0.retain(|_, at| now.duration_since(*at) < FOREIGN_EVERY);
        self.0.len() < MAX_FOREIGN && !self.0.contains_key(&(address, network))
    }

    fn note(&mut self, address: IpAddr, network: NetworkId, now: Instant) {
        self.0.insert((address, network), now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    fn id(number: usize) -> NetworkId {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&number.to_le_bytes());
        NetworkId(bytes)
    }

    #[test]
    fn rule_n8_a_foreign_network_is_asked_once_an_hour() {
        let start = Instant::now();
        let mut foreign = Foreign::default();
        assert!(foreign.may_ask(HERE, id(1), start));
        foreign.note_asked(HERE, id(1), start);
        assert!(!foreign.may_ask(HERE, id(1), start));
        assert!(foreign.may_ask(HERE, id(2), start));
        assert!(foreign.may_ask(HERE, id(1), start + FOREIGN_EVERY));
    }

    #[test]
    fn invented_networks_are_bounded() {
        let start = Instant::now();
        let mut foreign = Foreign::default();
        let mut asked = 0;
        for number in 0..10 * MAX_FOREIGN {
            if foreign.may_ask(HERE, id(number), start) {
                foreign.note_asked(HERE, id(number), start);
                asked += 1;
            }
        }
        assert_eq!(asked, MAX_FOREIGN);
    }

    #[test]
    fn only_what_the_user_can_mend_is_shown() {
        let now = Instant::now();
        let mut foreign = Foreign::default();
        assert_eq!(foreign.warning(HERE, id(1), &HelloError::Ourselves, now), None);
        let warning = foreign.warning(HERE, id(1), &HelloError::Version(9), now);
        let Some(Event::Warning { code, message }) = warning else { panic!("{warning:?}") };
        assert_eq!(code, "other_version");
        assert!(message.contains("127.0.0.1") && message.contains("version 9"), "{message}");
        assert_eq!(foreign.warning(HERE, id(1), &HelloError::Version(9), now), None);
    }
}
