//! The peers that can be asked: their numbers, which the node knows them by, and their addresses.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use cairn_node::PeerId;
use tokio::time::Instant;

use crate::limits::{MAX_PEERS, SHUN_FOR};

/// A peer.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    /// Where its block server is; for a peer without one, the other end of its link.
    pub(crate) address: SocketAddr,
    /// Whether it was heard by broadcast, and so hears ours.
    pub(crate) by_broadcast: bool,
    /// Whether a connection to its address can be opened.
    pub(crate) has_server: bool,
    /// Whether its last link was opened by us, so that it is surely at its address.
    pub(crate) is_reached: bool,
    first_heard: Instant,
    last_heard: Instant,
    shunned_until: Option<Instant>,
}

/// All peers, at most [`MAX_PEERS`] and those that are kept.
#[derive(Debug, Default)]
pub(crate) struct Peers {
    by_address: BTreeMap<SocketAddr, PeerId>,
    by_id: BTreeMap<PeerId, Peer>,
    next_id: u64,
}

impl Peers {
    /// The peer at this address, heard now. If there are too many, half of those that `keep` does
    /// not name go, the longest silent first.
    pub(crate) fn at(
        &mut self,
        address: SocketAddr,
        now: Instant,
        keep: impl Fn(PeerId) -> bool,
    ) -> PeerId {
        if let Some(id) = self.by_address.get(&address) {
            self.by_id.entry(*id).and_modify(|peer| peer.last_heard = now);
            return *id;
        }
        if self.by_id.len() >= MAX_PEERS {
            self.forget_half(keep);
        }
        let id = PeerId(self.next_id);
        self.next_id += 1;
        self.by_address.insert(address, id);
        let peer = Peer {
            address,
            by_broadcast: false,
            has_server: true,
            is_reached: false,
            first_heard: now,
            last_heard: now,
            shunned_until: None,
        };
        self.by_id.insert(id, peer);
        id
    }

    fn forget_half(&mut self, keep: impl Fn(PeerId) -> bool) {
        let idle = self.by_id.iter().filter(|(id, _)| !keep(**id));
        let mut idle: Vec<_> = idle.map(|(id, peer)| (peer.last_heard, *id)).collect();
        idle.sort_unstable();
        for (_, id) in &idle[..idle.len().div_ceil(2)] {
            self.forget(*id);
        }
    }

    /// Forgets a peer: whoever is heard at its address next is another one.
    pub(crate) fn forget(&mut self, id: PeerId) {
        if let Some(peer) = self.by_id.remove(&id) {
            self.by_address.remove(&peer.address);
        }
    }

    /// What is known of a peer.
    pub(crate) fn get(&self, id: PeerId) -> Option<&Peer> {
        self.by_id.get(&id)
    }

    /// Notes something about a peer.
    pub(crate) fn note(&mut self, id: PeerId, change: impl FnOnce(&mut Peer)) {
        if let Some(peer) = self.by_id.get_mut(&id) {
            change(peer);
        }
    }

    /// How many peers were heard since the start. One that was forgotten and heard again counts
    /// again.
    pub(crate) fn heard(&self) -> usize {
        usize::try_from(self.next_id).unwrap_or(usize::MAX)
    }
}

impl Peer {
    /// Leaves it alone for a while.
    pub(crate) fn shun(&mut self, now: Instant) {
        self.shunned_until = Some(now + SHUN_FOR);
    }

    /// Whether it is left alone.
    pub(crate) fn is_shunned(&self, now: Instant) -> bool {
        self.shunned_until.is_some_and(|until| now < until)
    }

    /// For how long it has been known.
    pub(crate) fn known_for(&self, now: Instant) -> Duration {
        now.duration_since(self.first_heard)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(number: usize) -> SocketAddr {
        let number = u16::try_from(number).expect("small");
        SocketAddr::from(([127, 0, 0, 1], 2_000 + number))
    }

    #[test]
    fn an_address_is_one_peer() {
        let now = Instant::now();
        let mut peers = Peers::default();
        let [one, two] = [1, 2].map(|number| peers.at(address(number), now, |_| false));
        assert_ne!(one, two);
        assert_eq!(peers.at(address(1), now, |_| false), one);
        assert_eq!(peers.get(two).expect("known").address, address(2));
        assert_eq!(peers.heard(), 2);
    }

    #[test]
    fn forged_peers_push_out_the_longest_silent_but_none_with_a_link() {
        let start = Instant::now();
        let mut peers = Peers::default();
        let linked = peers.at(address(0), start, |_| false);
        let silent = peers.at(address(1), start, |_| false);
        for number in 2..3 * MAX_PEERS {
            let now = start + Duration::from_millis(number as u64);
            peers.at(address(number), now, |id| id == linked);
            assert!(peers.by_id.len() <= MAX_PEERS && peers.by_address.len() <= MAX_PEERS);
        }
        assert!(peers.get(linked).is_some());
        assert!(peers.get(silent).is_none());
        let last = 3 * MAX_PEERS - 1;
        assert!(peers.by_address.contains_key(&address(last)));
    }

    #[test]
    fn who_comes_after_a_forgotten_peer_is_another_one() {
        let now = Instant::now();
        let mut peers = Peers::default();
        let id = peers.at(address(1), now, |_| false);
        peers.forget(id);
        assert!(peers.get(id).is_none());
        assert_ne!(peers.at(address(1), now, |_| false), id);
    }

    #[test]
    fn a_shunned_peer_is_forgiven_after_a_while() {
        let now = Instant::now();
        let mut peers = Peers::default();
        let id = peers.at(address(1), now, |_| false);
        peers.note(id, |peer| peer.shun(now));
        let peer = peers.get(id).expect("known");
        assert!(peer.is_shunned(now + SHUN_FOR / 2));
        assert!(!peer.is_shunned(now + SHUN_FOR));
    }
}
