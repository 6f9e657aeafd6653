//! Bodies after headers: which blocks are missing, whom we ask for them, and in which order they
//! go to the ledger.
//!
//! The window is the start of what is missing between the active chain and the header with the
//! most work. It is shared out among all peers that are high enough, two questions each at most.
//! Blocks that come before their turn wait here, within [`MAX_WAITING_BYTES`].
//!
//! Headers whose bodies nobody gives would keep a miner resting for ever. So when the first block
//! of the window has not come for [`PATIENCE`], the branch counts as out of reach: the node mines
//! on its own tip, and goes on asking those who announce the branch, at a leisurely pace. As soon
//! as the block comes, the branch is in reach again.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use cairn_ledger::LedgerError;
use cairn_protocol::limits::MAX_BLOCKS;
use cairn_protocol::messages::Request;
use cairn_protocol::{BlockRef, Bounded, Height, VerifiedBlock, Work};

use crate::input::PeerId;
use crate::node::Node;
use crate::questions::Topic;
use crate::time::Moment;

/// The most missing blocks that are looked at, asked for or waiting.
pub(crate) const WINDOW: usize = 1_024;
/// The most bytes of blocks that wait for their turn.
pub(crate) const MAX_WAITING_BYTES: usize = 32 << 20;
/// The most questions for blocks in flight to one peer.
const QUESTIONS_PER_PEER: usize = 2;
/// The fewest blocks in a question, if so many are missing.
const FEWEST_ASKED: usize = 16;
/// How long the first missing block may take before its branch counts as out of reach.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// What is known of a missing block.
#[derive(Clone, Debug)]
enum Slot {
    Wanted,
    Asked,
    /// It came before its turn, from this peer.
    Waiting(Box<VerifiedBlock>, PeerId),
}

/// The download of bodies. Holds at most [`WINDOW`] blocks and [`MAX_WAITING_BYTES`].
#[derive(Debug, Default)]
pub(crate) struct Bodies {
    /// Missing blocks of one branch, so in the order of their heights.
    window: BTreeMap<BlockRef, Slot>,
    waiting_bytes: usize,
    /// The window may no longer be what is missing.
    outdated: bool,
    /// More is missing behind the window.
    goes_on: bool,
    /// The first missing block, and since when it is.
    first: Option<(BlockRef, Moment)>,
}

impl Bodies {
    /// Headers or blocks were added or found to be invalid, so something else may be missing now.
    pub(crate) fn headers_changed(&mut self) {
        self.outdated = true;
    }

    fn needs_refill(&self) -> bool {
        self.outdated || self.goes_on && self.window.len() < WINDOW / 2
    }

    /// Takes over what is missing now, and keeps what is known of it.
    fn refill(&mut self, missing: Vec<BlockRef>, now: Moment) {
        self.outdated = false;
        self.goes_on = missing.len() >= WINDOW;
        let mut old = std::mem::take(&mut self.window);
        self.window = missing
            .into_iter()
            .map(|block| (block, old.remove(&block).unwrap_or(Slot::Wanted)))
            .collect();
        self.waiting_bytes = self.window.values().map(Slot::waiting_bytes).sum();
        self.note_first(now);
    }

    fn note_first(&mut self, now: Moment) {
        let first = self.window.first_key_value().map(|(block, _)| *block);
        let known = self.first.filter(|(block, _)| Some(*block) == first);
        self.first = known.or(first.map(|block| (block, now)));
    }

    /// Whether nobody gives the first missing block.
    pub(crate) fn is_stuck(&self, now: Moment) -> bool {
        self.first.is_some_and(|(_, since)| now.since(since) >= PATIENCE)
    }

    /// When the first missing block will have taken too long.
    pub(crate) fn deadline(&self) -> Option<Moment> {
        self.first.map(|(_, since)| since.after(PATIENCE))
    }

    fn wanted(&self) -> usize {
        self.window.values().filter(|slot| matches!(slot, Slot::Wanted)).count()
    }

    /// The next blocks to ask for, from this height down; they count as asked for then.
    fn take_wanted(&mut self, most: usize, height: Height) -> BTreeSet<BlockRef> {
        // With much waiting, only what comes before it is of use.
        let is_full = self.waiting_bytes >= MAX_WAITING_BYTES / 2;
        let slots = self.window.iter_mut();
        let reachable = slots
            .take_while(|(block, slot)| block.height <= height && !(is_full && slot.is_waiting()));
        let wanted = reachable.filter(|(_, slot)| matches!(slot, Slot::Wanted)).take(most);
        wanted
            .map(|(block, slot)| {
                *slot = Slot::Asked;
                *block
            })
            .collect()
    }

    /// Blocks that were asked for and did not come.
    fn release<'a>(&mut self, blocks: impl IntoIterator<Item = &'a BlockRef>) {
        for block in blocks {
            if let Some(slot @ Slot::Asked) = self.window.get_mut(block) {
                *slot = Slot::Wanted;
            }
        }
    }

    fn arrived(&mut self, block: VerifiedBlock, from: PeerId) {
        let Some(slot) = self.window.get_mut(&block.block_ref()) else {
            // Another branch has become better in the meantime.
            return;
        };
        if slot.is_waiting() {
            return;
        }
        self.waiting_bytes += block.encoded_len();
        *slot = Slot::Waiting(Box::new(block), from);
        while self.waiting_bytes > MAX_WAITING_BYTES {
            self.give_up_last();
        }
    }

    /// Lets go of the waiting block whose turn comes last.
    fn give_up_last(&mut self) {
        let last = self.window.values_mut().rev().find(|slot| slot.is_waiting());
        let Some(slot) = last else {
            self.waiting_bytes = 0;
            return;
        };
        self.waiting_bytes -= slot.waiting_bytes();
        *slot = Slot::Wanted;
    }

    /// The blocks whose turn it is.
    fn take_ready(&mut self, now: Moment) -> Vec<(VerifiedBlock, PeerId)> {
        let mut ready = Vec::new();
        while let Some(entry) = self.window.first_entry() {
            self.waiting_bytes -= entry.get().waiting_bytes();
            match entry.remove_entry() {
                (_, Slot::Waiting(block, from)) => ready.push((*block, from)),
                (block, slot) => {
                    self.window.insert(block, slot);
                    break;
                }
            }
        }
        self.note_first(now);
        ready
    }
}

impl Slot {
    fn is_waiting(&self) -> bool {
        matches!(self, Self::Waiting(..))
    }

    fn waiting_bytes(&self) -> usize {
        match self {
            Self::Waiting(block, _) => block.encoded_len(),
            Self::Wanted | Self::Asked => 0,
        }
    }
}

impl Node {
    /// Whether verified headers show more work than the tip, and somebody gives their blocks.
    pub(crate) fn is_catching_up(&self) -> bool {
        self.work_in_reach() > self.ledger.tip().work
    }

    /// The work of the best header, or of the tip if nobody gives the blocks up to that header.
    pub(crate) fn work_in_reach(&self) -> Work {
        if self.bodies.is_stuck(self.clock.own()) {
            self.ledger.tip().work
        } else {
            self.ledger.best_header().work
        }
    }

    /// Shares what is missing out among the peers that may have it.
    pub(crate) fn ask_for_blocks(&mut self) -> Result<(), LedgerError> {
        let now = self.clock.own();
        if self.bodies.needs_refill() {
            let is_behind = self.ledger.best_header().work > self.ledger.tip().work;
            let missing = if is_behind { self.ledger.missing_blocks(WINDOW)? } else { Vec::new() };
            self.bodies.refill(missing, now);
        }
        let wanted = self.bodies.wanted();
        if wanted == 0 {
            return Ok(());
        }
        let in_flight = self.questions.blocks();
        let mut peers: Vec<_> = self
            .peers
            .iter()
            .filter(|(_, peer)| peer.is_askable_for_blocks(now))
            .map(|(id, peer)| (peer.failures(), id, peer.status.height))
            .collect();
        peers.sort_unstable();
        let share = wanted / (QUESTIONS_PER_PEER * peers.len().max(1));
        let most = share.clamp(FEWEST_ASKED, MAX_BLOCKS);
        for round in 0..QUESTIONS_PER_PEER {
            for (_, peer, height) in &peers {
                if in_flight.get(peer).is_none_or(|count| *count <= round) {
                    self.ask_peer_for_blocks(*peer, *height, most);
                }
            }
        }
        Ok(())
    }

    fn ask_peer_for_blocks(&mut self, peer: PeerId, height: Height, most: usize) {
        if !self.questions.has_room() {
            return;
        }
        let blocks = self.bodies.take_wanted(most, height);
        if !blocks.is_empty() {
            let request = Request::Blocks(Bounded::first(blocks.iter().copied()));
            self.ask(peer, Topic::Blocks(blocks), request);
        }
    }

    /// Takes the blocks that a peer gave for a question.
    pub(crate) fn on_blocks(
        &mut self,
        peer: PeerId,
        mut asked: BTreeSet<BlockRef>,
        blocks: Vec<VerifiedBlock>,
    ) -> Result<(), LedgerError> {
        let now = self.clock.own();
        let is_empty = blocks.is_empty();
        for block in blocks {
            if !asked.remove(&block.block_ref()) {
                self.bodies.release(&asked);
                self.drop_peer(peer, "it sent a block that it was not asked for");
                return Ok(());
            }
            self.bodies.arrived(block, peer);
        }
        self.bodies.release(&asked);
        if let Some(peer) = self.peers.get_mut(peer) {
            if is_empty {
                peer.was_empty_handed(now);
            } else {
                peer.succeeded();
            }
        }
        let ready = self.bodies.take_ready(now);
        self.connect(ready)
    }

    /// A question for these blocks has failed.
    pub(crate) fn on_blocks_failed(&mut self, asked: &BTreeSet<BlockRef>) {
        self.bodies.release(asked);
    }
}
