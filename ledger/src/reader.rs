//! [`LedgerReader`]: reads a chain beside its writer, in the same process or another.

use std::collections::BTreeMap;
use std::io::Write;
use std::ops::ControlFlow;
use std::path::Path;

use cairn_protocol::codec::CodecError;
use cairn_protocol::{
    AccountId, Amount, BlockHash, BlockRef, BlockView, Height, Network, SealedHeader,
};

use crate::archive::{self, ExportError, Exported};
use crate::audit;
use crate::check::{self, Checked};
use crate::error::{Fault, LedgerError};
use crate::follow;
use crate::ledger::{LOCK, database};
use crate::lock::WriterLock;
use crate::place::Place;
use crate::store::Store;
use crate::stored::{Progress, VerifyBlocks};
use crate::sync;
use crate::tables::Tables;
use crate::types::{AccountState, Changes, Supply, Tip};

/// Reads a chain. Each answer is of one moment. It never creates a chain nor changes it.
#[derive(Debug)]
pub struct LedgerReader {
    store: Store,
    network: Network,
}

impl LedgerReader {
    /// Opens the chain in a folder.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`] if there is none; [`LedgerError::Damaged`] if `chain.db` is
    /// something else than a chain of this network; errors of the disk.
    pub fn open(folder: &Path, network: &Network) -> Result<Self, LedgerError> {
        Self::of_place(Place::File(database(folder)), network)
    }

    pub(crate) fn of_place(place: Place, network: &Network) -> Result<Self, LedgerError> {
        let store = Store::open_reader(place, network)?;
        Ok(Self { store, network: network.clone() })
    }

    /// The end of the active chain.
    ///
    /// # Errors
    /// Errors of the disk.
    pub fn tip(&self) -> Result<Tip, LedgerError> {
        self.store.look(|tables| Ok(tables.state()?.tip))
    }

    /// The tip and these accounts after it, in the order of the question.
    ///
    /// # Errors
    /// Errors of the disk.
    pub fn accounts(
        &self,
        accounts: &[AccountId],
    ) -> Result<(Tip, Vec<AccountState>), LedgerError> {
        self.store.read(|tables| {
            let state = tables.state()?;
            let mut immature: BTreeMap<_, _> =
                accounts.iter().map(|id| (*id, Amount::ZERO)).collect();
            for block in audit::uncredited(tables, &self.network, &state)? {
                if let Some(sum) = immature.get_mut(&block.reward.recipient) {
                    *sum = audit::add(*sum, block.reward.amount)?;
                }
            }
            let look_up = |id: &AccountId| {
                Ok(AccountState { account: tables.account(id)?, immature: immature[id] })
            };
            Ok((state.tip, accounts.iter().map(look_up).collect::<Result<_, Fault>>()?))
        })
    }

    /// The headers of the active chain after the first block of the locator that is on it, else
    /// after genesis; at most so many, in ascending order.
    ///
    /// # Errors
    /// Errors of the disk.
    pub fn headers_after(
        &self,
        locator: &[BlockRef],
        most: usize,
    ) -> Result<Vec<SealedHeader>, LedgerError> {
        self.store.read(|tables| sync::headers_after(tables, locator, most))
    }

    /// The encoding of a stored block, of any branch.
    ///
    /// # Errors
    /// Errors of the disk.
    pub fn block_bytes(&self, block: BlockRef) -> Result<Option<Vec<u8>>, LedgerError> {
        self.store.read(|tables| match tables.header(block)? {
            Some(row) => tables.body(&row),
            None => Ok(None),
        })
    }

    /// The active chain's header at this height; `None` above the tip.
    ///
    /// # Errors
    /// Errors of the disk.
    pub fn header_at(
        &self,
        height: Height,
    ) -> Result<Option<(BlockHash, SealedHeader)>, LedgerError> {
        self.store.read(|tables| {
            if height > tables.state()?.tip.block.height {
                return Ok(None);
            }
            let hash = tables.expect_active(height)?.hash;
            let row = tables.expect_header(BlockRef { height, hash })?;
            Ok(Some((hash, *row.sealed())))
        })
    }

    /// The follower interface: what happened to the active chain since a cursor. First the blocks
    /// to undo, all of them, from the cursor downwards; then at most `most` blocks to apply,
    /// upwards; and the cursor for the next call. A follower starts at genesis.
    ///
    /// # Errors
    /// [`LedgerError::UnknownCursor`] if the cursor never was a block of this chain; errors of
    /// the disk.
    pub fn changes_since(&self, cursor: BlockRef, most: usize) -> Result<Changes, LedgerError> {
        self.store.read(|tables| follow::changes_since(tables, cursor, most))
    }

    /// Shows the blocks of the active chain above a height in ascending order, at most so many, all
    /// as of one moment: the fast way through many of them. A follower that goes this way must look
    /// whether the first one's parent is the block that it stands on.
    ///
    /// # Errors
    /// [`LedgerError::Damaged`] at the first block that is not what was stored, or of which `show`
    /// cannot read a part; those before it have been shown. Errors of the disk.
    pub fn scan(
        &self,
        above: Height,
        most: usize,
        show: &mut dyn FnMut(BlockRef, BlockView<'_>) -> Result<(), CodecError>,
    ) -> Result<(), LedgerError> {
        self.store.read(|tables| tables.scan_active(above, most, show))
    }

    /// Validates the active chain again from genesis on, and compares everything that is stored
    /// with it, as of one moment. Blocks are verified by `verifier`; `progress` is told often.
    ///
    /// Remembers every account, about a hundred bytes each. The write-ahead log of a chain that is
    /// written meanwhile grows until the check ends. Where the chain has none, its writer would
    /// have to wait, so that its lock is taken.
    ///
    /// # Errors
    /// [`LedgerError::Damaged`] names the first row that is not what it should be;
    /// [`LedgerError::InUse`] where a writer would have to wait; errors of the disk.
    pub fn check(
        &self,
        verifier: &mut dyn VerifyBlocks,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Checked, LedgerError> {
        self.read_for_long(|tables| check::check(tables, &self.network, verifier, progress))
    }

    /// Writes the active chain, as of one moment, to a file that
    /// [`Ledger::import`](crate::Ledger::import) takes in. It ends when `progress` breaks.
    ///
    /// The write-ahead log of a chain that is written meanwhile grows until the export ends. Where
    /// the chain has none, its writer would have to wait, so that its lock is taken.
    ///
    /// # Errors
    /// [`ExportError`]; what was written by then is of no use.
    pub fn export(
        &self,
        output: &mut dyn Write,
        progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<Exported, ExportError> {
        self.read_for_long(|tables| archive::export(tables, &self.network, output, progress))?
    }

    /// Reads as of one moment, for so long that a writer could not wait for it.
    fn read_for_long<T>(
        &self,
        work: impl FnOnce(Tables<'_>) -> Result<T, Fault>,
    ) -> Result<T, LedgerError> {
        let _lock = match self.store.place() {
            Place::File(path) if self.store.makes_writers_wait()? => {
                Some(WriterLock::acquire(&path.with_file_name(LOCK), path)?)
            }
            _ => None,
        };
        self.store.read(work)
    }

    /// Adds up all coins. Reads every account, which takes about half a second for each million.
    ///
    /// # Errors
    /// Errors of the disk.
    pub fn supply(&self) -> Result<Supply, LedgerError> {
        self.store.read(|tables| audit::supply(tables, &self.network, &tables.state()?))
    }
}
