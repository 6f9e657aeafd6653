//! Bodies after headers: whom we ask for the blocks that are missing, and what becomes of the
//! answers.
//!
//! The window of missing blocks is shared out among all peers that are high enough, two questions
//! each at most. What comes before its turn waits in the window.

use std::collections::BTreeSet;
use std::time::Duration;

use cairn_ledger::LedgerError;
use cairn_protocol::limits::MAX_BLOCKS;
use cairn_protocol::messages::Request;
use cairn_protocol::{BlockRef, Bounded, Height, VerifiedBlock};

use crate::input::PeerId;
use crate::node::Node;
use crate::peers::Peer;
use crate::questions::Topic;
use crate::time::Moment;

/// The most questions for blocks in flight to one peer.
const QUESTIONS_PER_PEER: usize = 2;
/// The fewest blocks in a question, if so many are missing.
const FEWEST_ASKED: usize = 16;
/// After so many bytes of blocks, others have their turn before more are connected: some twenty
/// thousandths of a second's work.
const CONNECTED_AT_ONCE: usize = 1 << 20;

impl Node {
    /// Shares what is missing out among the peers that may have it, the most reliable first.
    pub(crate) fn ask_for_blocks(&mut self) {
        let Some(first) = self.window.first_wanted() else {
            return;
        };
        let wanted = self.window.wanted();
        let in_flight = self.questions.blocks();
        let peers = self.peers_with(first);
        let share = wanted / (QUESTIONS_PER_PEER * peers.len().max(1));
        let most = share.clamp(FEWEST_ASKED, MAX_BLOCKS);
        for round in 0..QUESTIONS_PER_PEER {
            for (_, peer, height) in &peers {
                if self.window.wanted() == 0 {
                    return;
                }
                let has_time = in_flight.get(peer).is_none_or(|count| *count <= round);
                if has_time && self.questions.has_room() {
                    let blocks = self.window.take_wanted(most, *height);
                    self.ask_for(*peer, blocks);
                }
            }
        }
    }

    /// The peers that may have this block and answer, by their failures, with their heights. If
    /// there are any with a link, only those: forged datagrams would take most of the window, and
    /// keep it until nobody answers.
    fn peers_with(&self, block: BlockRef) -> Vec<(u32, PeerId, Height)> {
        let now = self.clock.own();
        let able =
            |peer: &Peer| peer.is_askable_for_blocks(now) && peer.status.height >= block.height;
        let able: Vec<_> = self.peers.iter().filter(|(_, peer)| able(peer)).collect();
        let any_linked = able.iter().any(|(_, peer)| peer.linked);
        let chosen = able.into_iter().filter(|(_, peer)| peer.linked || !any_linked);
        let mut peers: Vec<_> =
            chosen.map(|(id, peer)| (peer.failures(), id, peer.status.height)).collect();
        peers.sort_unstable();
        peers
    }

    /// Asks a peer for these blocks, if there are any.
    pub(crate) fn ask_for(&mut self, peer: PeerId, blocks: BTreeSet<BlockRef>) {
        if !blocks.is_empty() {
            let request = Request::Blocks(Bounded::first(blocks.iter().copied()));
            self.ask(peer, Topic::Blocks(blocks), request);
        }
    }

    /// Takes the blocks that a peer gave for a question.
    pub(crate) fn on_blocks(
        &mut self,
        peer: PeerId,
        asked: &BTreeSet<BlockRef>,
        blocks: Vec<VerifiedBlock>,
    ) -> Result<(), LedgerError> {
        if blocks.iter().any(|block| !asked.contains(&block.block_ref())) {
            self.window.release(asked);
            self.drop_peer(peer, "it sent a block that it was not asked for");
            return Ok(());
        }
        self.note_service(peer, asked, blocks.len());
        let mut regained = Vec::new();
        for block in blocks {
            if self.reach.regains(block.block_ref()) {
                regained.push((block, peer));
            } else {
                self.window.put(block, peer);
            }
        }
        self.window.release(asked);
        self.connect(regained)
    }

    /// Connects the blocks whose turn it is.
    pub(crate) fn connect_ready(&mut self) -> Result<(), LedgerError> {
        let ready = self.window.take_ready(CONNECTED_AT_ONCE, self.clock.own());
        self.connect(ready)
    }

    /// When the next blocks are connected: at once, after whatever else has come in.
    pub(crate) fn connect_deadline(&self) -> Option<Moment> {
        let soon = self.clock.own().after(Duration::from_millis(1));
        self.window.has_ready().then_some(soon)
    }

    fn note_service(&mut self, peer: PeerId, asked: &BTreeSet<BlockRef>, given: usize) {
        // Nobody is expected to have what is out of reach.
        let is_expected = asked.iter().any(|block| self.window.contains(block));
        let now = self.clock.own();
        match self.peers.get_mut(peer) {
            Some(peer) if given > 0 => peer.succeeded(),
            Some(peer) if is_expected => peer.was_empty_handed(now),
            _ => {}
        }
    }
}
