//! A whole chain as one file: written by [`LedgerReader::export`](crate::LedgerReader::export), and
//! taken in by [`Ledger::import`](crate::Ledger::import), which trusts nothing in it.
//!
//! Both stream: what they keep in memory does not grow with the chain.

mod export;
mod format;
mod import;

use std::io;

use cairn_protocol::rules::RuleDifference;
use cairn_protocol::{BlockRef, Height};

use crate::error::LedgerError;
use crate::types::Tip;

pub(crate) use export::export;

/// A chain that was written to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exported {
    /// Its last block. There are as many as this is high.
    pub tip: Tip,
    /// The bytes of the file.
    pub bytes: u64,
}

/// Why a chain is not written to a file.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The chain cannot be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The file cannot be written.
    #[error("cannot write the file: {0}")]
    Write(io::Error),
    /// Whoever was told of the progress wanted no more.
    #[error("interrupted")]
    Interrupted,
}

/// A file whose blocks were all taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Imported {
    /// The last block of the file. There are as many as this is high.
    pub end: BlockRef,
    /// How many of its blocks were not known before.
    pub new: u64,
    /// The payments in those.
    pub payments: u64,
}

/// Why the blocks of a file were not all taken in. Those before the trouble were, or will be when
/// the same file is imported again.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The chain cannot be read or written.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The file cannot be read.
    #[error("{0}")]
    Read(io::Error),
    /// The file is not what an export has written.
    #[error(transparent)]
    Unusable(#[from] Unusable),
    /// A block breaks a rule.
    #[error("block {block} {reason}")]
    BadBlock {
        /// Which.
        block: BlockRef,
        /// Which rule, and how.
        reason: String,
    },
    /// Whoever was told of the progress wanted no more.
    #[error("interrupted")]
    Interrupted,
}

/// Why a file is not what an export has written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// It has the beginning of something else.
    #[error("it is no chain that `miner export` has written")]
    Foreign,
    /// It says that it has another layout.
    #[error("it has layout {0}, and this program knows {known}: use the program that wrote it", known = format::VERSION)]
    Version(u8),
    /// It holds the chain of another network.
    #[error("it holds the chain of another network: {0}")]
    OtherRules(RuleDifference),
    /// It ends early.
    #[error("its end is missing: it has {bytes} bytes, which end after block {after}")]
    Truncated {
        /// Its bytes.
        bytes: u64,
        /// The last block that is whole.
        after: Height,
    },
    /// A checksum is another one.
    #[error("some of its bytes from {from} to {to}, after block {after}, have changed")]
    Changed {
        /// The first byte that may have.
        from: u64,
        /// The byte behind the last one that may have.
        to: u64,
        /// The last block before them.
        after: Height,
    },
    /// The checksums are right, but not what they are of.
    #[error("no program of ours has written it so: {0}")]
    Malformed(String),
}
