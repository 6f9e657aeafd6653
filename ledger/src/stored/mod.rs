//! Blocks that were stored and are validated again: read here, verified on other threads, and taken
//! in the order in which they were read. A check, a rebuild and an import go through it alike.

mod blocks;
mod flow;
mod portion;

use cairn_protocol::VerifiedBlock;

pub use blocks::{BadBlock, StoredBlocks};
pub(crate) use blocks::{SEALED_HEADER_BYTES, StoredBlock, verify_one};
pub(crate) use flow::{Flow, run};
pub(crate) use portion::Portion;

/// Verifies stored blocks without their context, which takes nearly all of the time, on as many
/// threads as it likes: [`StoredBlocks::verify`].
pub trait VerifyBlocks {
    /// How many batches may be given before the first is taken.
    fn window(&self) -> usize;
    /// Begins to verify a batch.
    fn give(&mut self, batch: StoredBlocks);
    /// Waits for the oldest batch that was given and not taken.
    fn take(&mut self) -> Vec<Result<VerifiedBlock, BadBlock>>;
}

/// What is gone through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The headers of all branches, counted by height.
    Headers,
    /// The rows that blocks are stored in.
    Bodies,
    /// The blocks of a chain.
    Blocks,
    /// The accounts.
    Accounts,
    /// The pages of the file, all at once.
    File,
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What is gone through.
    pub stage: Stage,
    /// How many of them were.
    pub done: u64,
    /// How many there are.
    pub total: u64,
}
