//! Takes the blocks of a file into a chain.

use std::io::Read;
use std::ops::ControlFlow;

use cairn_protocol::{Height, Timestamp, VerifiedBlock};

use super::format::Reader;
use super::{ImportError, Imported};
use crate::ledger::Ledger;
use crate::stored::{
    self, BadBlock, Flow, Portion, Progress, Stage, StoredBlock, StoredBlocks, VerifyBlocks,
};

impl Ledger {
    /// Takes in the blocks of a file that [`LedgerReader::export`](crate::LedgerReader::export) has
    /// written. They are validated like those of a peer, and the branch with the most work is
    /// followed afterwards: the file's, or the one that was there. Blocks that are known are
    /// skipped. Some 100,000 payments are written in one transaction.
    ///
    /// # Errors
    /// [`ImportError`]. The blocks before the trouble stay, and on an error of the disk or an
    /// interruption at least those that were written by then.
    pub fn import(
        &mut self,
        file: &mut dyn Read,
        now: Timestamp,
        verifier: &mut dyn VerifyBlocks,
        progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<Imported, ImportError> {
        let file = Reader::begin(file, self.network())?;
        let portion = Portion::default();
        let (known, done, new, payments) = (true, Height::GENESIS, 0, 0);
        let mut import =
            Import { ledger: self, file, now, progress, portion, known, done, new, payments };
        match stored::run(&mut import, verifier) {
            Ok(()) => import.write()?,
            // What came before the trouble in the file is worth something.
            Err(error @ (ImportError::Unusable(_) | ImportError::Read(_))) => {
                import.write()?;
                return Err(error);
            }
            Err(error) => return Err(error),
        }
        let Import { file, new, payments, .. } = import;
        Ok(Imported { end: file.end(), new, payments })
    }
}

struct Import<'i> {
    ledger: &'i mut Ledger,
    file: Reader<'i>,
    now: Timestamp,
    progress: &'i mut dyn FnMut(Progress) -> ControlFlow<()>,
    /// Blocks that were verified and not written.
    portion: Portion,
    /// Whether the headers of all blocks so far were known. What descends from an unknown one is
    /// unknown.
    known: bool,
    /// The last block that was taken, or found to be here.
    done: Height,
    new: u64,
    payments: u64,
}

impl Flow for Import<'_> {
    type Error = ImportError;

    fn read(&mut self) -> Result<Option<StoredBlocks>, ImportError> {
        while let Some(chunk) = self.file.chunk()? {
            self.show()?;
            let mut batch = StoredBlocks::default();
            for block in chunk {
                if self.is_stored(&block)? {
                    self.done = block.block.height;
                } else {
                    batch.push(block);
                }
            }
            if batch.len() > 0 {
                return Ok(Some(batch));
            }
        }
        Ok(None)
    }

    fn take(&mut self, block: Result<VerifiedBlock, BadBlock>) -> Result<(), ImportError> {
        match block {
            Ok(block) => {
                self.done = block.block_ref().height;
                self.show()?;
                self.portion.push(block);
                if self.portion.is_full() { self.write() } else { Ok(()) }
            }
            Err(BadBlock { block, reason }) => {
                self.write()?;
                Err(ImportError::BadBlock { block, reason })
            }
        }
    }
}

impl Import<'_> {
    fn is_stored(&mut self, block: &StoredBlock) -> Result<bool, ImportError> {
        if !self.known || self.ledger.has_body(block.block)? {
            return Ok(self.known);
        }
        self.known = self.ledger.has_header(block.block)?;
        Ok(false)
    }

    fn show(&mut self) -> Result<(), ImportError> {
        let (done, total) = (self.done.get(), self.file.end().height.get());
        match (self.progress)(Progress { stage: Stage::Blocks, done, total }) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(ImportError::Interrupted),
        }
    }

    /// Writes what was verified so far, in one transaction.
    fn write(&mut self) -> Result<(), ImportError> {
        let portion = std::mem::take(&mut self.portion);
        let added = self.ledger.add_blocks(portion.blocks(), self.now)?;
        self.new += (portion.blocks().len() - added.refused.len()) as u64;
        let first = added.refused.iter().min_by_key(|(block, _)| block.height);
        if let Some((block, error)) = first {
            let reason = format!("breaks rule {}: {error}", error.rule());
            return Err(ImportError::BadBlock { block: *block, reason });
        }
        self.payments += portion.payments();
        Ok(())
    }
}
