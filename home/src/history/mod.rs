//! [`History`]: what the accounts of this wallet received and sent, block by block, in
//! `history.db`.
//!
//! Nobody indexes all payments by address, so each wallet keeps an index of its own. It is made of
//! the blocks and of nothing else: it follows the active chain as any follower does, and takes back
//! what is disconnected. Each account has a cursor of its own, which moves in the same transaction
//! as its entries; so a key that is new here is simply one whose cursor is far behind, and one that
//! was cut short goes on from where it stood.
//!
//! The file can always be thrown away. It is never believed further than its checksums go: the
//! entries of an account are a chain of them (`database.rs`).

mod database;
mod entry;
mod error;
mod filter;
mod scan;

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::path::Path;

use cairn_ledger::{LedgerError, LedgerReader};
use cairn_protocol::{AccountId, BlockRef, Network};

use database::{Database, Mark};
use scan::Scanner;

pub use entry::{Entry, Event};
pub use error::HistoryError;

/// How far the index is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Indexed {
    /// Blocks looked through since it began to catch up.
    pub blocks: u64,
    /// Blocks to look through, those included.
    pub total: u64,
    /// Payments in the blocks that were looked through.
    pub payments: u64,
}

/// The history of a wallet's accounts on one network. Any number of processes may have it open.
#[derive(Debug)]
pub struct History {
    database: Database,
    scanner: Scanner,
    genesis: BlockRef,
}

impl History {
    /// The index in this network folder, created if there is none.
    ///
    /// # Errors
    /// [`HistoryError::Damaged`], after which [`Self::reset`] helps; or if the file cannot be
    /// written.
    pub fn open(folder: &Path, network: &Network) -> Result<Self, HistoryError> {
        Ok(Self {
            database: Database::open(folder)?,
            scanner: Scanner::new(folder, network),
            genesis: network.genesis_ref(),
        })
    }

    /// Empties the index in this network folder, whatever the file holds. Others may use it
    /// meanwhile: they start again too.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn reset(folder: &Path) -> Result<(), HistoryError> {
        Database::reset(folder)
    }

    /// Notes that an account was made just now, after this block: no block up to it can concern the
    /// account, so none has to be looked through.
    ///
    /// # Errors
    /// If the file is damaged or cannot be written.
    pub fn begin(&mut self, account: AccountId, after: BlockRef) -> Result<(), HistoryError> {
        self.database.change(|change| match change.mark(&account)? {
            None => change.put_mark(&account, &Mark::at(after)),
            Some(_) => Ok(()),
        })
    }

    /// How many blocks lie between the index and the tip, for whichever of these accounts is the
    /// furthest behind.
    ///
    /// # Errors
    /// If index or chain are damaged or cannot be read.
    pub fn behind(
        &self,
        reader: &LedgerReader,
        accounts: &[AccountId],
    ) -> Result<u64, HistoryError> {
        let tip = reader.tip()?.block.height;
        let marks = self.marks(accounts)?;
        Ok(marks.iter().map(|mark| tip.since(mark.cursor.height)).max().unwrap_or_default())
    }

    /// Follows the active chain to its tip for these accounts. Those that are new here are looked
    /// for in all blocks.
    ///
    /// # Errors
    /// If index or chain are damaged or cannot be read, or the index not be written. What was
    /// committed until then is kept.
    pub fn catch_up(
        &mut self,
        accounts: &[AccountId],
        progress: &mut dyn FnMut(Indexed),
    ) -> Result<(), HistoryError> {
        let reader = self.scanner.reader()?;
        let mut indexed =
            Indexed { blocks: 0, total: self.behind(&reader, accounts)?, payments: 0 };
        while let Some(step) = self.next_step(&reader, accounts)? {
            let stretch = self.scanner.stretch(&step.accounts, step.from, step.to)?;
            self.database.change(|change| {
                for account in &step.accounts {
                    // Another process may have been here meanwhile; then there is nothing to add.
                    let mark = change.mark(account)?.unwrap_or(Mark::at(self.genesis));
                    if mark.cursor == step.from {
                        change.append(account, mark, stretch.of(account), stretch.reached)?;
                    }
                }
                Ok(())
            })?;
            indexed.blocks += stretch.blocks;
            indexed.payments += stretch.payments;
            indexed.total = indexed.total.max(indexed.blocks);
            progress(indexed);
        }
        Ok(())
    }

    /// The newest entries of these accounts, the newest first, at most so many: as far as they are
    /// indexed.
    ///
    /// # Errors
    /// If the index is damaged or cannot be read.
    pub fn newest(&self, accounts: &[AccountId], most: usize) -> Result<Vec<Entry>, HistoryError> {
        let mut entries = self.database.look(|tables| {
            let of = |account| tables.newest(account, most);
            accounts.iter().map(of).collect::<Result<Vec<_>, _>>()
        })?;
        let mut entries: Vec<_> = entries.drain(..).flatten().collect();
        entries.sort_unstable_by_key(|entry| Reverse(entry.order()));
        entries.truncate(most);
        Ok(entries)
    }

    fn marks(&self, accounts: &[AccountId]) -> Result<Vec<Mark>, HistoryError> {
        self.database.look(|tables| {
            let of = |account| Ok(tables.mark(account)?.unwrap_or(Mark::at(self.genesis)));
            accounts.iter().map(of).collect()
        })
    }

    /// What is to be done next: nothing, where all cursors stand at the tip.
    fn next_step(
        &mut self,
        reader: &LedgerReader,
        accounts: &[AccountId],
    ) -> Result<Option<Step>, HistoryError> {
        loop {
            let tip = reader.tip()?.block;
            let marks = self.marks(accounts)?;
            let cursors: BTreeSet<_> = marks.iter().map(|mark| mark.cursor).collect();
            let mut moved = false;
            for cursor in &cursors {
                moved |= self.undo(reader, accounts, *cursor)?;
            }
            if moved {
                continue;
            }
            // All of them lie on the active chain, in the order of their heights.
            let mut cursors = cursors.into_iter();
            let Some(from) = cursors.next().filter(|first| first.height < tip.height) else {
                return Ok(None);
            };
            let to = cursors.next().unwrap_or(tip).height;
            let behind = accounts.iter().zip(marks).filter(|(_, mark)| mark.cursor == from);
            let accounts = behind.map(|(account, _)| *account).collect();
            return Ok(Some(Step { accounts, from, to }));
        }
    }

    /// Takes the accounts whose cursor this is back to where it left the active chain. Returns
    /// whether it has left it.
    fn undo(
        &mut self,
        reader: &LedgerReader,
        accounts: &[AccountId],
        cursor: BlockRef,
    ) -> Result<bool, HistoryError> {
        let common = match reader.changes_since(cursor, 0) {
            Ok(changes) => changes.cursor,
            // The chain was downloaded anew, and is not that far, or another one.
            Err(LedgerError::UnknownCursor(_)) => self.genesis,
            Err(error) => return Err(error.into()),
        };
        if common == cursor {
            return Ok(false);
        }
        self.database.change(|change| {
            for account in accounts {
                if let Some(mark) = change.mark(account)?.filter(|mark| mark.cursor == cursor) {
                    change.take_back(account, mark, common)?;
                }
            }
            Ok(())
        })?;
        Ok(true)
    }
}

/// Accounts whose cursors stand at one block, and how far they have to go next.
struct Step {
    accounts: Vec<AccountId>,
    from: BlockRef,
    to: cairn_protocol::Height,
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod world;
