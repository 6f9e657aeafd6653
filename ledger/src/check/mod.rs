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

use cairn_protocol::Network;

use crate::error::Fault;
use crate::stored::{Progress, Stage, VerifyBlocks};
use crate::tables::Tables;
use crate::types::Tip;

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
    progress: &mut dyn FnMut(Progress),
) -> Result<Checked, Fault> {
    tables.check_schema()?;
    let state = tables.state()?;
    let mut show = |stage, done, total| progress(Progress { stage, done, total });
    let (tip, best) = (state.tip.block.height.get(), state.best.block.height.get());

    let headers = headers::check(tables, network, &state, &mut |height| {
        show(Stage::Headers, height.get(), best);
    })?;
    let replayed = replay::replay(tables, network, verifier, &mut |height| {
        show(Stage::Blocks, height.get(), tip);
    })?;
    let most = replayed.accounts.len() as u64;
    let accounts =
        accounts::compare(tables, network, &state, replayed.accounts, &mut |accounts| {
            show(Stage::Accounts, accounts, most);
        })?;
    show(Stage::File, 0, 1);
    tables.check_pages()?;
    show(Stage::File, 1, 1);
    Ok(Checked { tip: state.tip, headers, blocks: tip, payments: replayed.payments, accounts })
}
