//! The full check of a chain: whether all that is stored is what the blocks of the active chain,
//! validated again from genesis, make it.
//!
//! Everything is read in one transaction, so that it is of one moment, whoever writes beside it.
//! The first damage that is found ends the check; its error names the row.
//!
//! | step | compares |
//! |---|---|
//! | [`headers`] | every header with its parent; the tables `active` and `best`, tip and best header |
//! | [`replay`] | every block of the active chain with the rules, in order |
//! | [`accounts`] | the accounts and the supply with what the blocks made |
//! | `tables` | the pages of the file with each other |

mod accounts;
mod headers;
mod replay;
mod stored;

use cairn_protocol::{Network, VerifiedBlock};

use crate::error::Fault;
use crate::tables::Tables;
use crate::types::Tip;

pub use stored::{BadBlock, StoredBlocks};

/// Verifies the blocks of a check without their context, which takes nearly all of its time, on
/// as many threads as it likes: `give` a batch to [`StoredBlocks::verify`].
pub trait VerifyBlocks {
    /// How many batches may be given before the first is taken.
    fn window(&self) -> usize;
    /// Begins to verify a batch.
    fn give(&mut self, batch: StoredBlocks);
    /// Waits for the oldest batch that was given and not taken.
    ///
    /// # Errors
    /// The first block of the batch that is not valid.
    fn take(&mut self) -> Result<Vec<VerifiedBlock>, BadBlock>;
}

/// What a check looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckStage {
    /// The headers of all branches, counted by height.
    Headers,
    /// The blocks of the active chain.
    Blocks,
    /// The accounts.
    Accounts,
    /// The pages of the file, all at once.
    File,
}

/// How far a check is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckProgress {
    /// What it looks at.
    pub stage: CheckStage,
    /// How many of them it has seen.
    pub done: u64,
    /// How many there are.
    pub total: u64,
}

/// A chain that was found to be whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checked {
    /// The tip at the moment that was looked at.
    pub tip: Tip,
    /// The headers of all branches, genesis included.
    pub headers: u64,
    /// The blocks of the active chain, without genesis.
    pub blocks: u64,
    /// The payments in them.
    pub payments: u64,
    /// The accounts that hold something or have paid.
    pub accounts: u64,
}

/// Checks everything.
pub(crate) fn check(
    tables: Tables<'_>,
    network: &Network,
    verifier: &mut dyn VerifyBlocks,
    progress: &mut dyn FnMut(CheckProgress),
) -> Result<Checked, Fault> {
    tables.check_schema()?;
    let state = tables.state()?;
    let mut show = |stage, done, total| progress(CheckProgress { stage, done, total });
    let (tip, best) = (state.tip.block.height.get(), state.best.block.height.get());

    let headers = headers::check(tables, network, &state, &mut |height| {
        show(CheckStage::Headers, height.get(), best);
    })?;
    let replayed = replay::replay(tables, network, verifier, &mut |height| {
        show(CheckStage::Blocks, height.get(), tip);
    })?;
    let most = replayed.accounts.len() as u64;
    let accounts =
        accounts::compare(tables, network, &state, replayed.accounts, &mut |accounts| {
            show(CheckStage::Accounts, accounts, most);
        })?;
    show(CheckStage::File, 0, 1);
    tables.check_pages()?;
    show(CheckStage::File, 1, 1);
    Ok(Checked { tip: state.tip, headers, blocks: tip, payments: replayed.payments, accounts })
}
