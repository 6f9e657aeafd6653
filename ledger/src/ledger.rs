//! [`Ledger`]: the one writer of a chain.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use cairn_protocol::messages::Locator;
use cairn_protocol::{
    AccountId, Block, BlockRef, Height, Network, ProvenHeader, Timestamp, VerifiedBlock, Work,
};

use crate::advance::Given;
use crate::context::{Lineage, Stop, fewest_transactions};
use crate::error::{Fault, LedgerError};
use crate::lock::WriterLock;
use crate::reader::LedgerReader;
use crate::store::{Place, Store};
use crate::sync;
use crate::tables::{State, Tables};
use crate::types::{Account, BlocksAdded, HeadersAdded, Journal, NextBlock, Tip};
use crate::update::Update;

/// The database in a chain's folder.
const DATABASE: &str = "chain.db";
/// The file beside it that its writer locks.
pub(crate) const LOCK: &str = "chain.lock";

/// The chain of a network, held by its one writer.
///
/// What a call changes is written in one transaction: all of it or, on an error, nothing.
#[derive(Debug)]
pub struct Ledger {
    // Dropped in this order: the database is closed before another may write it.
    store: Store,
    _lock: Option<WriterLock>,
    network: Network,
    journal: Journal,
    state: State,
    /// The last tip after which all coins were added up.
    audited: Option<BlockRef>,
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

    fn start(
        place: Place,
        lock: Option<WriterLock>,
        network: &Network,
    ) -> Result<Self, LedgerError> {
        let (store, journal, state) = Store::open_writer(place, network)?;
        let network = network.clone();
        Ok(Self { store, _lock: lock, network, journal, state, audited: None })
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
        self.store.look(|tables| tables.account(account))
    }

    /// Adds headers in ascending order; those that are known already change nothing. Checks rules
    /// C1 to C5.
    ///
    /// # Errors
    /// Errors of the disk; then no header was added.
    pub fn add_headers(
        &mut self,
        headers: &[ProvenHeader],
        now: Timestamp,
    ) -> Result<HeadersAdded, LedgerError> {
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
    /// with some 100,000 payments in each.
    ///
    /// # Errors
    /// Errors of the disk; then nothing was added.
    pub fn add_blocks(
        &mut self,
        blocks: &[VerifiedBlock],
        now: Timestamp,
    ) -> Result<BlocksAdded, LedgerError> {
        let mut ascending: Vec<_> = blocks.iter().collect();
        ascending.sort_by_key(|block| block.block_ref().height);
        self.update(|update| {
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
            Ok(BlocksAdded { change, refused })
        })
    }

    /// Marks a block, whose content breaks a rule without context, and all its descendants as
    /// invalid. [`Self::best_header`] then leaves them out. If the block is active, the tip moves
    /// to the best branch that is left. An unknown block and genesis are let be.
    ///
    /// # Errors
    /// Errors of the disk; then nothing was marked.
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
        self.store.read(|tables| {
            let rules = self.network.rules();
            let parent = tables.expect_header(self.state.tip.block)?;
            let lineage = Lineage::ending_with(tables, &parent)?;
            let median_time = lineage.median_time();
            let time = time.max(median_time.after(std::time::Duration::from_millis(1)));
            Ok(NextBlock {
                parent: self.state.tip,
                median_time,
                time,
                target: lineage.required_target(rules, time),
                min_transactions: fewest_transactions(rules, parent.header(), time),
            })
        })
    }

    /// Runs one change and writes where the chain stands after it.
    fn update<T>(
        &mut self,
        change: impl FnOnce(&mut Update<'_>) -> Result<T, Fault>,
    ) -> Result<T, LedgerError> {
        let (network, before, audited) = (&self.network, self.state, self.audited);
        let (done, state, audited) = self.store.write(|tables: Tables<'_>| {
            let mut update = Update::new(tables, network, before, audited);
            let done = change(&mut update)?;
            let audited = update.audited;
            Ok((done, update.finish(&before)?, audited))
        })?;
        (self.state, self.audited) = (state, audited);
        Ok(done)
    }
}

/// The database of the chain in a folder.
pub(crate) fn database(folder: &Path) -> PathBuf {
    folder.join(DATABASE)
}
