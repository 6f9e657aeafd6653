//! A new database of the blocks that another holds, whatever else in that is damaged.
//!
//! Of the old one only the table `bodies` is believed, and no more of it than the blocks prove
//! themselves: [`survey`] finds the rows, and each block that comes after another is validated in
//! all three stages and written to a database beside the old one, which then takes its place
//! ([`swap`]).

mod survey;

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cairn_protocol::{Height, Network, Timestamp, VerifiedBlock};

use crate::error::{Fault, LedgerError};
use crate::ledger::{LOCK, Ledger, database};
use crate::lock::WriterLock;
use crate::place::Place;
use crate::store::Store;
use crate::stored::{
    self, BadBlock, Flow, Portion, Progress, Stage, StoredBlock, StoredBlocks, VerifyBlocks,
};
use crate::swap;
use crate::tables::body_sum;
use crate::types::Tip;
use survey::{Survey, survey};

/// A database that was made anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rebuilt {
    /// The tip of the new one.
    pub tip: Tip,
    /// The blocks in it, of all branches.
    pub blocks: u64,
    /// The payments in those.
    pub payments: u64,
    /// How many stored blocks were left out: those that could not be read, that are not what was
    /// stored, and those that come after one of them.
    pub left_out: u64,
    /// Where the old database is, if not all of its blocks are in the new one.
    pub kept: Option<PathBuf>,
}

/// Why no new database was made. The old one is as it was.
#[derive(Debug, thiserror::Error)]
pub enum RebuildError {
    /// The old database cannot be opened, or the new one cannot be written.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// There is nothing to make a chain of.
    #[error(
        "{0} holds no block after genesis that can be read; move it away and sync again: keys and \
         payments are kept elsewhere"
    )]
    Nothing(PathBuf),
    /// Whoever was told of the progress wanted no more.
    #[error("interrupted")]
    Interrupted,
}

/// The right to make a folder's chain anew.
#[derive(Debug)]
pub struct Rebuild {
    database: PathBuf,
    network: Network,
    lock: WriterLock,
}

impl Rebuild {
    /// Takes the lock of the chain in a folder.
    ///
    /// # Errors
    /// [`LedgerError::InUse`] while another writer lives; [`LedgerError::NotFound`] if there is no
    /// chain; errors of the disk.
    pub fn begin(folder: &Path, network: &Network) -> Result<Self, LedgerError> {
        let database = database(folder);
        if !folder.exists() {
            return Err(LedgerError::NotFound(database));
        }
        let lock = WriterLock::acquire(&folder.join(LOCK), &database)?;
        swap::recover(&database).map_err(|error| Fault::Io(error).at(&database))?;
        if !database.exists() {
            return Err(LedgerError::NotFound(database));
        }
        Ok(Self { database, network: network.clone(), lock })
    }

    /// Makes the new database and puts it in the place of the old one. It ends when `progress`
    /// breaks. Rule C5 is left out: it was about the moment when a block came.
    ///
    /// Remembers 16 bytes for each block. Until it ends there must be room for a second chain.
    ///
    /// # Errors
    /// [`RebuildError`]; then the old database is as it was. If it is only what comes after the
    /// exchange that fails, the new one is in its place.
    pub fn run(
        self,
        verifier: &mut dyn VerifyBlocks,
        progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<Rebuilt, RebuildError> {
        let (rebuilt, old) = match self.make_and_swap_in(verifier, progress) {
            Ok(made) => made,
            Err(error) => {
                // What stays is removed by the next writer.
                let _ = swap::remove_draft(&self.database);
                return Err(error);
            }
        };
        // The log that readers need is made by whoever writes.
        let Self { database, network, lock } = self;
        let ledger = Ledger::start(Place::File(database.clone()), Some(lock), &network)?;
        if rebuilt.left_out > 0 {
            return Ok(Rebuilt { kept: Some(old), ..rebuilt });
        }
        swap::remove(&old).map_err(|error| Fault::Io(error).at(&database))?;
        drop(ledger);
        Ok(rebuilt)
    }

    /// Returns where the old database is.
    fn make_and_swap_in(
        &self,
        verifier: &mut dyn VerifyBlocks,
        progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<(Rebuilt, PathBuf), RebuildError> {
        let (rebuilt, new) = self.make(verifier, progress)?;
        new.close_without_log()?;
        let old = swap::swap_in(&self.database);
        Ok((rebuilt, old.map_err(|error| Fault::Io(error).at(&self.database))?))
    }

    /// Makes the draft.
    fn make(
        &self,
        verifier: &mut dyn VerifyBlocks,
        progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<(Rebuilt, Ledger), RebuildError> {
        let old = Store::open_damaged(&self.database)?;
        let survey = survey(&old, &self.database, progress)?;
        let draft = Place::File(swap::draft_of(&self.database));
        let mut new = Ledger::start(draft, None, &self.network)?;
        let mut rows = Rows {
            left_out: survey.left_out,
            old: &old,
            survey,
            next: 0,
            reached: Height::GENESIS,
            new: &mut new,
            progress,
            done: 0,
            portion: Portion::default(),
            blocks: 0,
            payments: 0,
        };
        stored::run(&mut rows, verifier)?;
        rows.write()?;
        let Rows { left_out, blocks, payments, .. } = rows;
        if blocks == 0 && left_out > 0 {
            return Err(RebuildError::Nothing(self.database.clone()));
        }
        let rebuilt = Rebuilt { tip: new.tip(), blocks, payments, left_out, kept: None };
        Ok((rebuilt, new))
    }
}

/// No block is too early for this clock.
fn end_of_time() -> Timestamp {
    Timestamp::ZERO.after(Duration::MAX)
}

/// The rows of the old database on their way into the new one, parents first.
struct Rows<'r> {
    old: &'r Store,
    survey: Survey,
    /// The first row that was not read.
    next: usize,
    /// The height up to which there is a whole row for each.
    reached: Height,
    new: &'r mut Ledger,
    progress: &'r mut dyn FnMut(Progress) -> ControlFlow<()>,
    /// The rows that were taken or left out.
    done: u64,
    portion: Portion,
    blocks: u64,
    payments: u64,
    left_out: u64,
}

impl Flow for Rows<'_> {
    type Error = RebuildError;

    fn read(&mut self) -> Result<Option<StoredBlocks>, RebuildError> {
        let mut batch = StoredBlocks::default();
        while !batch.is_full() {
            let Some((height, _)) = self.survey.rows.get(self.next) else { break };
            if *height > self.reached.get() + 1 {
                // Nothing has a parent any more.
                self.left_out += (self.survey.rows.len() - self.next) as u64;
                self.next = self.survey.rows.len();
                break;
            }
            match self.read_row()? {
                Some(block) => {
                    self.reached = block.block.height;
                    batch.push(block);
                }
                None => self.left_out += 1,
            }
            self.next += 1;
        }
        Ok((batch.len() > 0).then_some(batch))
    }

    fn take(&mut self, block: Result<VerifiedBlock, BadBlock>) -> Result<(), RebuildError> {
        self.done += 1;
        survey::show(self.progress, Stage::Blocks, self.done, self.survey.rows.len() as u64)?;
        let Ok(block) = block else {
            self.left_out += 1;
            return Ok(());
        };
        self.portion.push(block);
        if self.portion.is_full() { self.write() } else { Ok(()) }
    }
}

impl Rows<'_> {
    /// The block of the next row, if it is what was stored.
    fn read_row(&self) -> Result<Option<StoredBlock>, RebuildError> {
        let (_, id) = self.survey.rows[self.next];
        match self.old.tables().body_row(id) {
            Ok(Some((bytes, sum))) => {
                let block = StoredBlock::of(bytes);
                Ok(block.filter(|stored| body_sum(&stored.block.hash, &stored.bytes) == sum))
            }
            Ok(None) => Ok(None),
            Err(fault) if fault.is_of_a_part() => Ok(None),
            Err(fault) => Err(fault.at(self.old.place().path()).into()),
        }
    }

    /// Writes what was verified so far, in one transaction.
    fn write(&mut self) -> Result<(), RebuildError> {
        let portion = std::mem::take(&mut self.portion);
        let added = self.new.add_blocks(portion.blocks(), end_of_time())?;
        let refused: BTreeSet<_> = added.refused.iter().map(|(block, _)| *block).collect();
        let taken = portion.blocks().iter().filter(|block| !refused.contains(&block.block_ref()));
        let (mut blocks, mut payments) = (0, 0);
        for block in taken {
            blocks += 1;
            payments += block.payments().len() as u64;
        }
        self.left_out += portion.blocks().len() as u64 - blocks;
        self.blocks += blocks;
        self.payments += payments;
        Ok(())
    }
}
