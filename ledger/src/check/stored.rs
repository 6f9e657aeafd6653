//! [`StoredBlocks`]: blocks as they were read from the disk, on their way to be verified.

use cairn_protocol::codec::decode;
use cairn_protocol::{Block, BlockRef, Network, VerifiedBlock};

use crate::error::Fault;
use crate::tables::{HeaderRow, Tables};

/// Consecutive blocks of the active chain, whose bytes match their checksums.
#[derive(Debug)]
pub struct StoredBlocks(Vec<StoredBlock>);

#[derive(Debug)]
struct StoredBlock {
    header: HeaderRow,
    bytes: Vec<u8>,
}

/// Why a stored block is not valid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the body of block {block} {reason}")]
pub struct BadBlock {
    block: BlockRef,
    reason: String,
}

impl From<BadBlock> for Fault {
    fn from(bad: BadBlock) -> Self {
        Self::Damage(bad.to_string())
    }
}

impl StoredBlocks {
    /// Reads the bodies of the first of these headers, at least one, until they are so many bytes.
    /// Returns how many.
    pub(super) fn read(
        tables: Tables<'_>,
        headers: &[HeaderRow],
        enough_bytes: usize,
    ) -> Result<Self, Fault> {
        let (mut blocks, mut bytes) = (Vec::new(), 0);
        for header in headers {
            let block = StoredBlock::read(tables, header)?;
            bytes += block.bytes.len();
            blocks.push(block);
            if bytes >= enough_bytes {
                break;
            }
        }
        Ok(Self(blocks))
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Checks all that can be checked without a chain, proofs of work and signatures among it.
    ///
    /// # Errors
    /// The first block that is not valid.
    pub fn verify(self, network: &Network) -> Result<Vec<VerifiedBlock>, BadBlock> {
        self.0.into_iter().map(|block| block.verify(network)).collect()
    }
}

impl StoredBlock {
    fn read(tables: Tables<'_>, header: &HeaderRow) -> Result<Self, Fault> {
        let name = || format!("the body of block {}", header.block_ref());
        let missing = || Fault::Damage(format!("{} is missing", name()));
        let bytes = tables.body(header).map_err(|fault| fault.at_row(name))?;
        Ok(Self { header: *header, bytes: bytes.ok_or_else(missing)? })
    }

    fn verify(self, network: &Network) -> Result<VerifiedBlock, BadBlock> {
        let bad = |reason| BadBlock { block: self.header.block_ref(), reason };
        let block: Block =
            decode(&self.bytes).map_err(|error| bad(format!("does not decode: {error}")))?;
        if block.sealed != *self.header.sealed() {
            return Err(bad("has another header than the table headers".to_owned()));
        }
        let refused = block.verify(network);
        refused.map_err(|error| bad(format!("breaks rule {}: {error}", error.rule())))
    }
}

/// Verifies the block of a header outside the active chain.
pub(super) fn verify_one(
    tables: Tables<'_>,
    header: &HeaderRow,
    network: &Network,
) -> Result<(), Fault> {
    StoredBlock::read(tables, header)?.verify(network)?;
    Ok(())
}
