//! [`Portion`]: blocks that are written together.

use cairn_protocol::VerifiedBlock;

/// After so many payments a portion is full: each account in it is written once.
const PAYMENTS: u64 = 100_000;
/// After so many blocks, too: their headers take memory while they are connected.
const BLOCKS: usize = 10_000;

/// Blocks that [`Ledger::add_blocks`](crate::Ledger::add_blocks) takes in one transaction.
#[derive(Debug, Default)]
pub(crate) struct Portion {
    blocks: Vec<VerifiedBlock>,
    payments: u64,
}

impl Portion {
    pub(crate) fn push(&mut self, block: VerifiedBlock) {
        self.payments += block.payments().len() as u64;
        self.blocks.push(block);
    }

    pub(crate) fn is_full(&self) -> bool {
        self.payments >= PAYMENTS || self.blocks.len() >= BLOCKS
    }

    pub(crate) fn blocks(&self) -> &[VerifiedBlock] {
        &self.blocks
    }

    pub(crate) fn payments(&self) -> u64 {
        self.payments
    }
}
