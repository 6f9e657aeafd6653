//! The follower interface: what happened to the active chain since a cursor.

use cairn_protocol::BlockRef;

use crate::error::Fault;
use crate::tables::{ActiveBlock, Tables};
use crate::types::Changes;

/// The blocks of the cursor's branch that are no longer active, then at most `most` active ones
/// after the last in common.
pub(crate) fn changes_since(
    tables: Tables<'_>,
    cursor: BlockRef,
    most: usize,
) -> Result<Changes, Fault> {
    if !tables.is_active(cursor)? && !tables.has_header(cursor)? {
        return Err(Fault::UnknownCursor(cursor));
    }
    let mut disconnected = Vec::new();
    let mut common = cursor;
    while !tables.is_active(common)? {
        disconnected.push(common);
        common = tables.expect_header(common)?.header().parent_ref();
    }
    let blocks = tables.active_above(common.height, most)?;
    let connected: Vec<_> = blocks.iter().map(ActiveBlock::block_ref).collect();
    let cursor = connected.last().copied().unwrap_or(common);
    Ok(Changes { disconnected, connected, cursor })
}
