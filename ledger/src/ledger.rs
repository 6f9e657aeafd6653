//! [`Ledger`]: the one writer of a chain.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cairn_protocol::messages::Locator;
use cairn_protocol::{
    AccountId, Block, BlockRef, Height, Network, ProvenHeader, Timestamp, VerifiedBlock, Work,
};

use crate::advance::Given;
use crate::context::{ContextError, Lineage, Stop, fewest_transactions};
use crate::error::{Fault, LedgerError};
use crate::lock::WriterLock;
use crate::pending::Pending;
use crate::place::Place;
use crate::reader::LedgerReader;
use crate::store::Store;
use crate::sync;
use crate::tables::State;
use crate::types::{Account, BlocksAdded, HeadersAdded, Journal, NextBlock, Tip, TipChange};
use crate::update::{Memory, Update};

/// The database in a chain's folder.
const DATABASE: &str = "chain.db";
/// The file beside it that its writer locks.
pub(crate) const LOCK: &str = "chain.lock";

/// The chain of a network, held by its one writer.
///
/// What a call changes is written in one transaction: all of it or, on an error, nothing. Only
/// [`Self::catch_up`] leaves that to the next call or to [`Self::commit`]: until then, this ledger
/// shows what it has, and readers and a restart what was committed. Dropping it commits, too.
#[derive(Debug)]
pub struct Ledger {
    // Dropped in this order: the database is closed before another may write it.
    store: Store,
    _lock: Option<WriterLock>,
    network: Network,
    journal: Journal,
    state: State,
    memory: Memory,
    /// What [`Tables::commits_of_others`] was at the last change. Nobody else writes while we hold the
    /// lock; if somebody does nevertheless, what is remembered of the tables does not count.
    commits_seen: Option<i64>,
    /// What was committed last.
    committed: State,
    pending: Pending,
}

impl Ledger {
    /// Opens the chain in a folder, or creates it with nothing but genesis. Takes `chain.lock`
    /// until it is dropped.
    ///
    /// # Errors
    /// [`LedgerError::InUse`] while another writer lives; [`LedgerError::Damaged`] if `chain.db`
    /// is something else than a chain of this network; errors of the disk.
    pub fn open(folder: &Path, network: &Network) -> Result<Self, LedgerError> {
        let path = database(folder);
        fs::create_dir_all(folder).map_err(|error| Fault::Io(error).at(folder))?;
        let lock = WriterLock::acquire(&folder.join(LOCK), &path)?;
        Self::start(Place::File(path), Some(lock), network)
    }

    /// A chain in memory, for tests and simulations. [`Self::reader`] works on it, too.
    ///
    /// # Errors
    /// [`LedgerError::Database`] if there is no memory for it.
    pub fn in_memory(network: &Network) -> Result<Self, LedgerError> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let name = format!("/cairn-{}", NEXT.fetch_add(1, Ordering::Relaxed));
        Self::start(Place::Memory(name.into()), None, network)
    }

    pub(crate) fn start(
        place: Place,
        lock: Option<WriterLock>,
        network: &Network,
    ) -> Result<Self, LedgerError> {
        let (store, journal, state) = Store::open_writer(place, network)?;
        let network = network.clone();
        Ok(Self {
            store,
            _lock: lock,
            network,
            journal,
            state,
            memory: Memory::default(),
            commits_seen: None,
            committed: state,
            pending: Pending::default(),
        })
    }

    /// Ends a chain that nobody else has open, so that nothing of it is left but its database.
    pub(crate) fn close_without_log(mut self) -> Result<(), LedgerError> {
        self.commit()?;
        self.store.leave_no_log()
    }

    /// The network whose chain this is.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// How SQLite keeps the chain whole when the machine stops.
    pub fn journal(&self) -> Journal {
        self.journal
    }

    /// A further connection, which only reads.
    ///
    /// # Errors
    /// Errors of the disk.
    pub fn reader(&self) -> Result<LedgerReader, LedgerError> {
        LedgerReader::of_place(self.store.place().clone(), &self.network)
    }

    /// The end of the active chain. Costs nothing.
    pub fn tip(&self) -> Tip {
        self.state.tip
    }

    /// The end of the active chain as readers see it: [`Self::tip`], but for what waits for a commit.
    /// Costs nothing.
    pub fn committed_tip(&self) -> Tip {
        self.committed.tip
    }

    /// The known header with the most work (the first seen on a tie) that is not known to be
    /// invalid. It has at least the tip's work. Costs nothing.
    pub fn best_header(&self) -> Tip {
        self.state.best
    }

    /// What an account holds after the tip.
    ///
    /// # Errors
    /// Errors of the disk.
    pub fn account(&self, account: &AccountId) -> Result<Account, LedgerError> {
        self.store.look(|tables| {
            if self.commits_seen == Some(tables.commits_of_others()?) {
                self.memory.accounts.account(account, tables)
            } else {
                tables.account(account)
            }
        })
    }

    /// Adds headers in ascending order; those that are known already change nothing. Checks rules
    /// C1 to C5. They are committed with what waits for [`Self::commit`], or at once.
    ///
    /// # Errors
    /// Errors of the disk; then nothing was added since the last commit.
    pub fn add_headers(
        &mut self,
        headers: &[ProvenHeader],
        now: Timestamp,
    ) -> Result<HeadersAdded, LedgerError> {
        self.pending.add_headers(headers.len());
        self.update(|update| {
            let mut added = HeadersAdded::default();
            for (index, header) in headers.iter().enumerate() {
                match update.add_header(header, now) {
                    Ok((_, is_new)) => added.new += usize::from(is_new),
                    Err(Stop::Fault(fault)) => return Err(fault),
                    Err(Stop::Refused(error)) => {
                        added.refused = Some((index, error));
                        break;
                    }
                }
            }
            Ok(added)
        })
    }

    /// Stores blocks, and their headers where those are missing (rules C1 to C5), then moves the
    /// tip to the best complete branch (rules C6 to C9). Blocks may come in any order, as long as
    /// the parent's header is known or among them; those that are known change nothing.
    ///
    /// Each touched account is written once for the whole call, so a first download is fastest
    /// with some 100,000 payments in each; or with [`Self::catch_up`].
    ///
    /// # Errors
    /// Errors of the disk; then nothing was added.
    pub fn add_blocks(
        &mut self,
        blocks: &[VerifiedBlock],
        now: Timestamp,
    ) -> Result<BlocksAdded, LedgerError> {
        let refused = self.catch_up(blocks, now)?;
        Ok(BlocksAdded { change: self.commit()?, refused })
    }

    /// The same as [`Self::add_blocks`], and leaves the commit to [`Self::commit`]. That is for many
    /// blocks that come in small portions, one after the other. Returns those that were refused.
    /// In memory, nothing has to wait, and readers see them at once.
    ///
    /// # Errors
    /// Errors of the disk; then nothing was added since the last commit.
    pub fn catch_up(
        &mut self,
        blocks: &[VerifiedBlock],
        now: Timestamp,
    ) -> Result<Vec<(BlockRef, ContextError)>, LedgerError> {
        let mut ascending: Vec<_> = blocks.iter().collect();
        ascending.sort_by_key(|block| block.block_ref().height);
        let (change, refused) = self.change(|update| {
            let mut refused = Vec::new();
            let mut given = Given::new();
            for block in ascending {
                match update.add_block(block, now) {
                    Ok(()) => {
                        given.insert(block.block_ref(), block);
                    }
                    Err(Stop::Refused(error)) => refused.push((block.block_ref(), error)),
                    Err(Stop::Fault(fault)) => return Err(fault),
                }
            }
            let change = update.advance(&given, &mut refused)?;
            Ok((change, refused))
        })?;
        self.pending.add_blocks(blocks, change);
        if self.journal == Journal::Memory {
            // Readers of memory wait for whoever writes it.
            self.write_out()?;
        }
        Ok(refused)
    }

    /// Whether so much waits for [`Self::commit`] that no more should.
    pub fn is_commit_due(&self) -> bool {
        self.pending.is_enough(self.memory.accounts.unwritten())
    }

    /// Commits what was added by [`Self::catch_up`]. Returns how the tip moved since the last commit,
    /// if it did.
    ///
    /// # Errors
    /// Errors of the disk; then nothing was added since the last commit.
    pub fn commit(&mut self) -> Result<Option<TipChange>, LedgerError> {
        self.write_out()?;
        Ok(self.pending.take_change())
    }

    /// Marks a block, whose content breaks a rule without context, and all its descendants as
    /// invalid. [`Self::best_header`] then leaves them out. If the block is active, the tip moves
    /// to the best branch that is left. An unknown block and genesis are let be.
    ///
    /// # Errors
    /// Errors of the disk; then nothing was changed since the last commit.
    pub fn mark_invalid(&mut self, block: BlockRef) -> Result<(), LedgerError> {
        self.update(|update| {
            let known = update.tables.header(block)?;
            let Some(row) = known.filter(|row| !row.invalid && block.height > Height::GENESIS)
            else {
                return Ok(());
            };
            if !update.tables.is_active(block)? {
                return update.condemn(block).map(|_| ());
            }
            let parent = update.tables.expect_header(row.header().parent_ref())?;
            update.retreat_to(&parent)?;
            update.condemn(block)?;
            update.completed = update.tables.complete_from(parent.work)?;
            update.advance(&Given::new(), &mut Vec::new())?;
            Ok(())
        })
    }

    /// The first blocks of the best header's chain whose bodies are missing, in ascending order,
    /// at most so many. The cost does not grow with the chain.
    ///
    /// # Errors
    /// Errors of the disk.
    pub fn missing_blocks(&self, most: usize) -> Result<Vec<BlockRef>, LedgerError> {
        self.store.read(|tables| sync::missing_blocks(tables, &self.state, most))
    }

    /// The same for the branch that ends with a known header, or nothing for one that is not
    /// known or invalid. The cost grows with the part of the branch that is not complete.
    ///
    /// # Errors
    /// Errors of the disk.
    pub fn missing_blocks_to(
        &self,
        head: BlockRef,
        most: usize,
    ) -> Result<Vec<BlockRef>, LedgerError> {
        self.store.read(|tables| sync::missing_blocks_to(tables, head, most))
    }

    /// Whether a header of any branch is known.
    ///
    /// # Errors
    /// Errors of the disk.
    pub fn has_header(&self, block: BlockRef) -> Result<bool, LedgerError> {
        self.store.look(|tables| tables.has_header(block))
    }

    /// Whether a block of any branch is stored.
    ///
    /// # Errors
    /// Errors of the disk.
    pub fn has_body(&self, block: BlockRef) -> Result<bool, LedgerError> {
        self.store.look(|tables| Ok(tables.header(block)?.is_some_and(|row| row.body.is_some())))
    }

    /// All work up to a header of any branch; `None` if it is not known.
    ///
    /// # Errors
    /// Errors of the disk.
    pub fn header_work(&self, block: BlockRef) -> Result<Option<Work>, LedgerError> {
        self.store.look(|tables| Ok(tables.header(block)?.map(|row| row.work)))
    }

    /// A stored block of any branch.
    ///
    /// # Errors
    /// Errors of the disk.
    pub fn block(&self, block: BlockRef) -> Result<Option<Block>, LedgerError> {
        self.store.read(|tables| match tables.header(block)? {
            Some(row) => tables.block(&row),
            None => Ok(None),
        })
    }

    /// The locator of the best header's chain, to ask for what comes after it.
    ///
    /// # Errors
    /// Errors of the disk.
    pub fn locator(&self) -> Result<Locator, LedgerError> {
        self.store.read(|tables| sync::locator(tables, &self.state))
    }

    /// What a block on top of the tip must respect if its time is `time`, or the first allowed
    /// one after it.
    ///
    /// # Errors
    /// Errors of the disk.
    pub fn next_block(&self, time: Timestamp) -> Result<NextBlock, LedgerError> {
        let tip = self.state.tip;
        let lineage = match &self.memory.lineage {
            Some(lineage) if lineage.last() == tip.block => lineage.clone(),
            _ => self
                .store
                .read(|tables| Lineage::ending_with(tables, &tables.expect_header(tip.block)?))?,
        };
        let (rules, median_time) = (self.network.rules(), lineage.median_time());
        let time = time.max(median_time.after(Duration::from_millis(1)));
        Ok(NextBlock {
            parent: tip,
            median_time,
            time,
            target: lineage.required_target(rules, time),
            min_transactions: fewest_transactions(rules, lineage.parent(), time),
        })
    }

    /// Runs one change and commits it; or, if another one waits for its commit, leaves it to that.
    fn update<T>(
        &mut self,
        change: impl FnOnce(&mut Update<'_>) -> Result<T, Fault>,
    ) -> Result<T, LedgerError> {
        let waits = self.store.has_changes();
        let done = self.change(change)?;
        if !waits {
            self.write_out()?;
        }
        Ok(done)
    }

    /// Runs one change, and leaves the commit to later.
    fn change<T>(
        &mut self,
        change: impl FnOnce(&mut Update<'_>) -> Result<T, Fault>,
    ) -> Result<T, LedgerError> {
        let (network, memory, seen) = (&self.network, &mut self.memory, &mut self.commits_seen);
        let mut before = self.state;
        let changed = self.store.change(|tables| {
            let commits = tables.commits_of_others()?;
            if seen.replace(commits).is_some_and(|seen| seen != commits) {
                *memory = Memory::default();
                before = tables.state()?;
            }
            let mut update = Update::new(tables, network, memory, before);
            let done = change(&mut update)?;
            Ok((done, update.finish(&before)?))
        });
        let (done, state) = self.keep_if(changed)?;
        self.state = state;
        Ok(done)
    }

    /// Commits what waits for it.
    fn write_out(&mut self) -> Result<(), LedgerError> {
        if self.store.has_changes() {
            let accounts = &mut self.memory.accounts;
            let written = self.store.write(|tables| accounts.write(tables));
            self.keep_if(written)?;
            self.committed = self.state;
        }
        self.pending.committed();
        Ok(())
    }

    /// After an error, goes back to the last commit, as the store did.
    fn keep_if<T>(&mut self, changed: Result<T, LedgerError>) -> Result<T, LedgerError> {
        if changed.is_err() {
            self.memory = Memory::default();
            self.pending = Pending::default();
            self.state = self.committed;
        }
        changed
    }
}

impl Drop for Ledger {
    /// What cannot be written is downloaded again.
    fn drop(&mut self) {
        if !self.store.is_halfway() {
            let _ = self.commit();
        }
    }
}

/// The database of the chain in a folder.
pub(crate) fn database(folder: &Path) -> PathBuf {
    folder.join(DATABASE)
}

#[cfg(test)]
mod tests {
    use cairn_protocol::{Amount, Rules, Sequence};

    use super::*;

    /// The lock keeps others away, but a backup may be put in the place of the file, or a tool may
    /// change it.
    #[test]
    fn what_somebody_else_commits_is_noticed() {
        let network = Network::new(Rules::default()).expect("the defaults are valid");
        let mut ledger = Ledger::in_memory(&network).expect("memory");
        let (mut other, ..) =
            Store::open_writer(ledger.store.place().clone(), &network).expect("memory");
        let id = AccountId([7; 32]);
        let account = |micros| Account {
            balance: Amount::from_micros(micros).expect("small"),
            sequence: Sequence::FIRST,
        };
        let put = |ledger: &mut Ledger, micros| {
            let put = ledger.update(|update| {
                update.memory.accounts.put([(id, account(micros))].into());
                Ok(())
            });
            put.expect("memory");
        };
        put(&mut ledger, 1);
        assert_eq!(ledger.account(&id).expect("memory"), account(1));
        let mut state = ledger.state;
        state.next_order += 1;
        let written = other.write(|tables| {
            tables.put_account(&id, &account(2))?;
            tables.put_state(&state)
        });
        written.expect("memory");
        assert_eq!(ledger.account(&id).expect("memory"), account(2));
        ledger.update(|_| Ok(())).expect("memory");
        assert_eq!(ledger.account(&id).expect("memory"), account(2));
        assert_eq!(ledger.state, state);
    }
}
