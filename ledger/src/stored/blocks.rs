//! [`StoredBlocks`]: blocks as they were read, on their way to be verified.

use cairn_protocol::codec::decode;
use cairn_protocol::{Block, BlockRef, Network, SealedHeader, VerifiedBlock};

use crate::error::Fault;
use crate::tables::{HeaderRow, Tables};

/// A batch ends with the block that makes it so large: some 3,000 payments, enough for whole batches
/// of signatures.
const ENOUGH_BYTES: usize = 512 << 10;

/// A header and its proof, with which every block begins.
pub(crate) const SEALED_HEADER_BYTES: usize = 136;

/// Blocks, in order, whose bytes match their checksums.
#[derive(Debug, Default)]
pub struct StoredBlocks {
    blocks: Vec<StoredBlock>,
    bytes: usize,
}

/// The bytes of a block, and the header that they must have.
#[derive(Debug)]
pub(crate) struct StoredBlock {
    pub(crate) block: BlockRef,
    pub(crate) sealed: SealedHeader,
    pub(crate) bytes: Vec<u8>,
}

/// Why a stored block is not valid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the body of block {block} {reason}")]
pub struct BadBlock {
    pub(crate) block: BlockRef,
    pub(crate) reason: String,
}

impl From<BadBlock> for Fault {
    fn from(bad: BadBlock) -> Self {
        Self::Damage(bad.to_string())
    }
}

impl StoredBlocks {
    /// Reads the bodies of the first of these headers, at least one, until that is enough.
    pub(crate) fn read(tables: Tables<'_>, headers: &[HeaderRow]) -> Result<Self, Fault> {
        let mut batch = Self::default();
        for header in headers {
            batch.push(StoredBlock::read(tables, header)?);
            if batch.is_full() {
                break;
            }
        }
        Ok(batch)
    }

    pub(crate) fn push(&mut self, block: StoredBlock) {
        self.bytes += block.bytes.len();
        self.blocks.push(block);
    }

    /// Whether another block would make it larger than it should be.
    pub(crate) fn is_full(&self) -> bool {
        self.bytes >= ENOUGH_BYTES
    }

    /// How many they are.
    pub(crate) fn len(&self) -> usize {
        self.blocks.len()
    }

    pub(crate) fn blocks(&self) -> &[StoredBlock] {
        &self.blocks
    }

    /// Checks of each all that can be checked without a chain, proof of work and signatures among
    /// it.
    pub fn verify(self, network: &Network) -> Vec<Result<VerifiedBlock, BadBlock>> {
        match self.verify_together(network) {
            Some(verified) => verified.into_iter().map(Ok).collect(),
            None => self.blocks.into_iter().map(|block| block.verify(network)).collect(),
        }
    }

    /// The blocks, if all are valid.
    fn verify_together(&self, network: &Network) -> Option<Vec<VerifiedBlock>> {
        let decoded: Result<Vec<Block>, BadBlock> =
            self.blocks.iter().map(StoredBlock::decode).collect();
        Block::verify_all(decoded.ok()?, network).ok()
    }
}

impl StoredBlock {
    /// The block that these bytes begin to encode, if they have a header.
    pub(crate) fn of(bytes: Vec<u8>) -> Option<Self> {
        let sealed: SealedHeader = decode(bytes.get(..SEALED_HEADER_BYTES)?).ok()?;
        let block = BlockRef { height: sealed.header.height, hash: sealed.hash() };
        Some(Self { block, sealed, bytes })
    }

    fn read(tables: Tables<'_>, header: &HeaderRow) -> Result<Self, Fault> {
        let block = header.block_ref();
        let name = || format!("the body of block {block}");
        let missing = || Fault::Damage(format!("{} is missing", name()));
        let bytes = tables.body(header).map_err(|fault| fault.at_row(name))?;
        Ok(Self { block, sealed: *header.sealed(), bytes: bytes.ok_or_else(missing)? })
    }

    fn verify(self, network: &Network) -> Result<VerifiedBlock, BadBlock> {
        let verified = self.decode()?.verify(network);
        verified.map_err(|error| self.bad(format!("breaks rule {}: {error}", error.rule())))
    }

    fn decode(&self) -> Result<Block, BadBlock> {
        let decoded: Result<Block, _> = decode(&self.bytes);
        let block = decoded.map_err(|error| self.bad(format!("does not decode: {error}")))?;
        if block.sealed != self.sealed {
            return Err(self.bad("has another header than the table headers".to_owned()));
        }
        Ok(block)
    }

    fn bad(&self, reason: String) -> BadBlock {
        BadBlock { block: self.block, reason }
    }
}

/// Verifies the block of a header outside the active chain.
pub(crate) fn verify_one(
    tables: Tables<'_>,
    header: &HeaderRow,
    network: &Network,
) -> Result<(), Fault> {
    StoredBlock::read(tables, header)?.verify(network)?;
    Ok(())
}
