//! [`Event`]: what a user is told; [`Counters`]: what happened how often.

use cairn_protocol::{Amount, BlockRef};

use crate::input::PeerId;

/// What a user is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A block of our own is the new tip.
    BlockMined {
        /// Which.
        block: BlockRef,
        /// How many transactions it has, its reward included.
        transactions: usize,
        /// What the reward pays.
        reward: Amount,
    },
    /// A block of another node is the new tip, and nothing was given up for it. One event for all
    /// blocks that were connected together.
    BlockAdopted {
        /// The new tip.
        block: BlockRef,
        /// How many transactions that one has, its reward included.
        transactions: usize,
        /// How many blocks were connected.
        blocks: usize,
        /// Who sent the new tip's body.
        from: Option<PeerId>,
    },
    /// Another branch has more work than ours had. Comes instead of [`Event::BlockAdopted`].
    Reorg {
        /// How many blocks were given up.
        disconnected: usize,
        /// How many were connected in their place.
        connected: usize,
        /// The new tip.
        block: BlockRef,
    },
    /// Something that a user may want to look into.
    Warning {
        /// One word: `clock_off`, `invalid_block`, `invalid_chain` or `own_block_refused`.
        code: &'static str,
        /// What happened and what to do.
        message: String,
    },
}

/// What a node holds now, and what happened since it started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Payments in the mempool.
    pub mempool: usize,
    /// Peers remembered.
    pub peers: usize,
    /// Peers with a link.
    pub links: usize,
    /// Questions in flight.
    pub questions: usize,
    /// Headers that wait for our clock.
    pub deferred: usize,
    /// Payments admitted to the mempool.
    pub admitted: u64,
    /// Payments that the mempool refused, those it had already included.
    pub refused: u64,
    /// Blocks connected.
    pub connected: u64,
    /// Blocks disconnected.
    pub disconnected: u64,
    /// Changes of the tip that disconnected something.
    pub reorgs: u64,
    /// Blocks of our own that became the tip.
    pub mined: u64,
    /// Blocks of our own that came too late to become the tip.
    pub stale: u64,
    /// Peers cut off.
    pub dropped: u64,
}
