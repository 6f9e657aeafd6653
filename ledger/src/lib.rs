//! The validated chain of a network on disk: headers of every branch, blocks, accounts, and the
//! choice between branches.
//!
//! [`Ledger`] is its one writer: it checks the rules that need a chain ([`ContextError`]; all
//! others are checked before, see `cairn_protocol`) and follows the branch with the most work.
//! Any number of [`LedgerReader`]s read beside it, in this process and others, and a follower
//! learns from [`LedgerReader::changes_since`] what happened since it last asked.
//!
//! Inside, top-down:
//!
//! | module | does |
//! |---|---|
//! | `ledger`, `reader` | the public calls |
//! | `update`, `advance` | one change of the chain: adding to it, then choosing a branch |
//! | `context` | the rules of headers and of their place |
//! | `pending` | what shares the next commit |
//! | `connect`, `overlay`, `cache` | what a block does to the accounts, and its exact inverse |
//! | `sync`, `follow`, `audit` | what nodes, followers and doubters ask |
//! | `stored` | blocks that were stored, on their way to be validated again |
//! | `check` | whether everything stored is what the blocks make it |
//! | `archive` | a whole chain as one file, and back |
//! | `rebuild` | a new database of the blocks that a damaged one holds |
//! | `tables` | the rows of chain.db |
//! | `store`, `place`, `lock`, `mounts`, `swap` | the file: transactions, opening and settings, one writer, exchange |

#![forbid(unsafe_code)]

mod advance;
mod archive;
mod audit;
mod cache;
mod check;
mod connect;
mod context;
mod error;
mod follow;
mod ledger;
mod lock;
mod mounts;
mod overlay;
mod pending;
mod place;
mod reader;
mod rebuild;
mod store;
mod stored;
mod swap;
mod sync;
mod tables;
mod types;
mod update;

pub use archive::{ExportError, Exported, ImportError, Imported, Unusable};
pub use check::Checked;
pub use context::ContextError;
pub use error::LedgerError;
pub use ledger::Ledger;
pub use reader::LedgerReader;
pub use rebuild::{Rebuild, RebuildError, Rebuilt};
pub use stored::{BadBlock, Progress, Stage, StoredBlocks, VerifyBlocks};
pub use types::{
    Account, AccountState, BlocksAdded, Changes, HeadersAdded, Journal, NextBlock, Supply, Tip,
    TipChange,
};
