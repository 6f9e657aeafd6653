//! The payments of stored blocks.

use cairn_home::{Exit, Failure};
use cairn_ledger::LedgerReader;
use cairn_protocol::{Block, BlockRef, Transaction, codec};

/// The payments of a block, in order; `None` if the block is not stored. One that has left the
/// active chain meanwhile still is: the next look at the changes reports it as disconnected.
pub(crate) fn payments_of(
    reader: &LedgerReader,
    block: BlockRef,
) -> Result<Option<Vec<Transaction>>, Failure> {
    let Some(bytes) = reader.block_bytes(block)? else { return Ok(None) };
    let decoded: Block = codec::decode(&bytes).map_err(|error| {
        let message = format!("the stored block {block} cannot be read: {error}");
        Failure::new(Exit::Unexpected, "damaged_chain", message)
    })?;
    Ok(Some(decoded.payments.into_vec()))
}
