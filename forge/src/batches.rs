//! [`batches`]: blocks in portions that a ledger takes fastest.

use cairn_protocol::VerifiedBlock;

/// After so many payments a portion is full.
const PAYMENTS: usize = 100_000;
/// After so many blocks, too: their headers take memory while they are connected.
const BLOCKS: usize = 10_000;

/// Blocks in portions for `Ledger::add_blocks`, which writes each in one commit: about 100,000
/// payments, or 10,000 blocks where those have few.
pub fn batches(
    blocks: impl IntoIterator<Item = VerifiedBlock>,
) -> impl Iterator<Item = Vec<VerifiedBlock>> {
    let mut blocks = blocks.into_iter();
    std::iter::from_fn(move || {
        let (mut batch, mut payments) = (Vec::new(), 0);
        while batch.len() < BLOCKS && payments < PAYMENTS {
            let Some(block) = blocks.next() else { break };
            payments += block.payments().len();
            batch.push(block);
        }
        (!batch.is_empty()).then_some(batch)
    })
}
