//! What a node needs to fetch the rest of a chain: where ours runs, and which bodies are missing.

use cairn_protocol::messages::Locator;
use cairn_protocol::{BlockRef, Bounded, Height, SealedHeader};

use crate::error::Fault;
use crate::tables::{HeaderRow, State, Tables};

/// How many blocks near the tip a locator names one by one.
const DENSE: usize = 10;

/// The locator of the best header's chain: its last blocks, then one for each doubling of the
/// distance, then genesis.
pub(crate) fn locator(tables: Tables<'_>, state: &State) -> Result<Locator, Fault> {
    let mut height = state.best.block.height;
    let mut blocks = vec![tables.expect_best(height)?];
    let mut step = 1;
    while height > Height::GENESIS {
        height = height.checked_sub(step).unwrap_or_default();
        blocks.push(tables.expect_best(height)?);
        if blocks.len() >= DENSE {
            step *= 2;
        }
    }
    Ok(Bounded::first(blocks))
}

/// The headers of the active chain after the first block of a locator that is on it.
pub(crate) fn headers_after(
    tables: Tables<'_>,
    locator: &[BlockRef],
    most: usize,
) -> Result<Vec<SealedHeader>, Fault> {
    let mut common = Height::GENESIS;
    for block in locator {
        if tables.is_active(*block)? {
            common = block.height;
            break;
        }
    }
    let headers = tables.active_headers(common, most)?;
    Ok(headers.iter().map(|header| *header.sealed()).collect())
}

/// The first blocks of the best header's chain whose bodies are missing.
pub(crate) fn missing_blocks(
    tables: Tables<'_>,
    state: &State,
    most: usize,
) -> Result<Vec<BlockRef>, Fault> {
    if state.best.block == state.tip.block {
        return Ok(Vec::new());
    }
    let from = first_incomplete(tables, state)?;
    let headers = tables.best_without_body(from, most)?;
    Ok(headers.iter().map(HeaderRow::block_ref).collect())
}

/// The first blocks of the branch that ends with this header whose bodies are missing.
pub(crate) fn missing_blocks_to(
    tables: Tables<'_>,
    head: BlockRef,
    most: usize,
) -> Result<Vec<BlockRef>, Fault> {
    let mut missing = Vec::new();
    let mut next = tables.header(head)?.filter(|row| !row.invalid);
    while let Some(row) = next.filter(|row| row.complete.is_none()) {
        if row.body.is_none() {
            missing.push(row.block_ref());
        }
        next = Some(tables.expect_header(row.header().parent_ref())?);
    }
    missing.reverse();
    missing.truncate(most);
    Ok(missing)
}

/// The lowest height of the best header's chain with a block that is not complete. All below it
/// are complete and none above it, so it is found by halving.
fn first_incomplete(tables: Tables<'_>, state: &State) -> Result<Height, Fault> {
    let (mut complete, mut beyond) = (0, state.best.block.height.get() + 1);
    while beyond - complete > 1 {
        let middle = complete.midpoint(beyond);
        let height = Height::new(middle).expect("not above the best header's");
        let block = tables.expect_best(height)?;
        if tables.expect_header(block)?.complete.is_some() {
            complete = middle;
        } else {
            beyond = middle;
        }
    }
    Ok(Height::new(beyond).unwrap_or(Height::MAX))
}
