//! The table of links.

use std::collections::BTreeMap;

use cairn_node::PeerId;
use cairn_protocol::messages::InstanceId;
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::frames::Frame;
use crate::inbox::{Command, Goal, LinkId, Opened};

/// A link that stands.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) peer: PeerId,
    pub(crate) opened: Opened,
    /// The node at the other end.
    pub(crate) instance: InstanceId,
    /// Dropping this ends the link.
    pub(crate) commands: mpsc::Sender<Command>,
    /// When it was opened or last answered a question.
    pub(crate) useful_at: Instant,
}

impl Entry {
    /// Whether it takes one of the places for peers found by broadcast.
    fn is_found(&self) -> bool {
        matches!(self.opened, Opened::ByUs(Goal::Found(_)))
    }
}

/// What became of a new link.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    /// It stands; the other one to the same node, if any, is to be given up.
    Stands { id: LinkId, rival: Option<LinkId> },
    /// Another link to the same node is kept instead.
    Surplus,
}

/// All links that stand.
#[derive(Debug, Default)]
pub(crate) struct Links {
    entries: BTreeMap<LinkId, Entry>,
    next_id: u64,
}

impl Links {
    /// Takes in a link. Of two to the same node both ends keep the same: the one that the smaller
    /// instance opened; of two opened by the same side the newer, since that side would not have
    /// opened it beside a link that works.
    pub(crate) fn admit(&mut self, entry: Entry, ours: InstanceId) -> Admission {
        let by_us = |opened: Opened| matches!(opened, Opened::ByUs(_));
        let rival = self.of_peer(entry.peer).find(|(_, old)| old.instance == entry.instance);
        if let Some((_, old)) = rival {
            let keep_ours = ours < entry.instance;
            let same_side = by_us(old.opened) == by_us(entry.opened);
            if !same_side && by_us(entry.opened) != keep_ours {
                return Admission::Surplus;
            }
        }
        let rival = rival.map(|(id, _)| id);
        let id = LinkId(self.next_id);
        self.next_id += 1;
        self.entries.insert(id, entry);
        Admission::Stands { id, rival }
    }

    /// Takes out a link; dropping it ends it.
    pub(crate) fn remove(&mut self, id: LinkId) -> Option<Entry> {
        self.entries.remove(&id)
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// How many were opened to peers found by broadcast.
    pub(crate) fn found(&self) -> usize {
        self.entries.values().filter(|entry| entry.is_found()).count()
    }

    /// All links.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (LinkId, &Entry)> {
        self.entries.iter().map(|(id, entry)| (*id, entry))
    }

    /// The peer at the other end.
    pub(crate) fn peer(&self, id: LinkId) -> Option<PeerId> {
        self.entries.get(&id).map(|entry| entry.peer)
    }

    /// The links to a peer, the oldest first.
    pub(crate) fn of_peer(&self, peer: PeerId) -> impl Iterator<Item = (LinkId, &Entry)> {
        self.iter().filter(move |(_, entry)| entry.peer == peer)
    }

    /// Whether there is one to this peer.
    pub(crate) fn reaches(&self, peer: PeerId) -> bool {
        self.of_peer(peer).next().is_some()
    }

    /// The link to ask a peer by: one that we opened, since its other end is surely at the peer's
    /// address, else the newest.
    pub(crate) fn best(&self, peer: PeerId) -> Option<LinkId> {
        let by_us = |entry: &Entry| matches!(entry.opened, Opened::ByUs(_));
        self.of_peer(peer).max_by_key(|(id, entry)| (by_us(entry), *id)).map(|(id, _)| id)
    }

    /// The link to give up for another peer: of those to peers found by broadcast that are not
    /// `busy`, the one that was of no use for longest.
    pub(crate) fn least_useful(&self, busy: impl Fn(LinkId) -> bool) -> Option<LinkId> {
        let spare = self.iter().filter(|(id, entry)| entry.is_found() && !busy(*id));
        spare.min_by_key(|(_, entry)| entry.useful_at).map(|(id, _)| id)
    }

    /// Notes that a link answered a question.
    pub(crate) fn was_useful(&mut self, id: LinkId, now: Instant) {
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.useful_at = now;
        }
    }

    /// Gives a link's task an order; false if it has ended or is hopelessly behind.
    pub(crate) fn order(&self, id: LinkId, command: Command) -> bool {
        self.entries.get(&id).is_some_and(|entry| entry.commands.try_send(command).is_ok())
    }

    /// Sends a frame by the links that `choose` names. Returns those that took it, and those that
    /// did not.
    #[must_use]
    pub(crate) fn send(
        &self,
        frame: &Frame,
        choose: impl Fn(&Entry) -> bool,
    ) -> (Vec<LinkId>, Vec<LinkId>) {
        let chosen = self.iter().filter(|(_, entry)| choose(entry)).map(|(id, _)| id);
        chosen.partition(|id| self.order(*id, Command::Send(frame.clone())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEER: PeerId = PeerId(1);
    const FOUND: Opened = Opened::ByUs(Goal::Found(PEER));

    fn entry(peer: PeerId, opened: Opened, instance: u8) -> Entry {
        let instance = InstanceId([instance; 16]);
        let commands = mpsc::channel(1).0;
        Entry { peer, opened, instance, commands, useful_at: Instant::now() }
    }

    /// Which of two links between the instances 1 and 2 each side keeps, by who opened it.
    fn kept(first: u8, second: u8, side: u8) -> u8 {
        let mut links = Links::default();
        let other = 3 - side;
        let opened = |by: u8| if by == side { FOUND } else { Opened::ByThem };
        let ours = InstanceId([side; 16]);
        let stands = links.admit(entry(PEER, opened(first), other), ours);
        assert_eq!(stands, Admission::Stands { id: LinkId(0), rival: None });
        match links.admit(entry(PEER, opened(second), other), ours) {
            Admission::Stands { rival, .. } => {
                assert_eq!(rival, Some(LinkId(0)));
                second
            }
            Admission::Surplus => first,
        }
    }

    #[test]
    fn rule_l12_of_two_links_both_sides_keep_the_one_that_the_smaller_opened() {
        for (first, second) in [(1, 2), (2, 1)] {
            for side in [1, 2] {
                assert_eq!(kept(first, second, side), 1);
            }
        }
    }

    #[test]
    fn rule_l12_a_link_opened_anew_replaces_the_old_one() {
        for opener in [1, 2] {
            for side in [1, 2] {
                let mut links = Links::default();
                let opened = if opener == side { FOUND } else { Opened::ByThem };
                let ours = InstanceId([side; 16]);
                links.admit(entry(PEER, opened, 3 - side), ours);
                let again = links.admit(entry(PEER, opened, 3 - side), ours);
                assert_eq!(again, Admission::Stands { id: LinkId(1), rival: Some(LinkId(0)) });
            }
        }
    }

    #[test]
    fn another_instance_at_the_same_address_is_no_rival() {
        let mut links = Links::default();
        let ours = InstanceId([1; 16]);
        links.admit(entry(PEER, FOUND, 2), ours);
        let other = links.admit(entry(PEER, Opened::ByThem, 3), ours);
        assert_eq!(other, Admission::Stands { id: LinkId(1), rival: None });
        assert_eq!(links.best(PEER), Some(LinkId(0)));
    }

    #[test]
    fn rule_n10_the_least_useful_link_is_neither_busy_nor_static_nor_theirs() {
        let mut links = Links::default();
        let ours = InstanceId([1; 16]);
        let opened = [Opened::ByThem, Opened::ByUs(Goal::Static(0)), FOUND, FOUND, FOUND];
        for (number, opened) in (2..).zip(opened) {
            links.admit(entry(PeerId(number.into()), opened, number), ours);
        }
        links.was_useful(LinkId(3), Instant::now() + std::time::Duration::from_secs(1));
        assert_eq!(links.found(), 3);
        assert_eq!(links.least_useful(|id| id == LinkId(2)), Some(LinkId(4)));
        assert_eq!(links.least_useful(|id| id != LinkId(3)), Some(LinkId(3)));
        assert_eq!(links.least_useful(|_| true), None);
    }
}
